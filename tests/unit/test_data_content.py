"""A file is what it holds: never its times, never an older reading of it."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_clip import ClipError, store
from pytest_clip.data import content, load


@pytest.fixture(autouse=True)
def memory(tmp_path: Path) -> Iterator[Path]:
    content.remember_in(tmp_path / "memory")
    content._seen.clear()
    yield tmp_path / "memory"
    content.remember_in(None)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "files" / f"{k}.bin" for k in range(5)]
    paths[0].parent.mkdir()
    for k, path in enumerate(paths):
        path.write_bytes(bytes([k]) * (k * 700_000))
    return paths


def expected(files: list[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def test_the_second_time_nothing_is_read(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert content.sha256(files) == expected(files)
    monkeypatch.setattr(content, "_of", lambda path, most: pytest.fail(f"{path} was read"))
    assert content.sha256(files) == expected(files)
    assert content.sha256([]) == []
    assert content.sha256(files[1:3]) == expected(files[1:3])  # a slice of a set, in the same process
    content._seen.clear()
    assert content.sha256(files) == expected(files)  # the next run


def test_more_files_than_are_remembered(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST", 3)
    assert content.sha256(files) == content.sha256(files) == expected(files)
    assert content.sha256(files[:2]) == expected(files[:2])


def test_a_file_that_is_gone_or_may_not_be_read(files: list[Path], monkeypatch: pytest.MonkeyPatch, memory: Path) -> None:
    whole = Path.open

    def denied(path: Path, mode: str = "r", **how: str) -> object:
        if path.suffix == ".bin":
            raise PermissionError(13, "Permission denied")
        return whole(path, mode, **how)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", denied)
        assert content.sha256(files[:2]) == [hashlib.sha256(b"13").hexdigest()] * 2
    assert [store.read_sealed(place) for place in memory.iterdir()] == [{}]
    files[4].unlink()
    with pytest.raises(ClipError, match=r"4\.bin: the file was there and is not any more"):
        content.sha256(files)


def test_a_file_of_the_same_size_and_time_is_read_again_when_it_was_written(files: list[Path]) -> None:
    content.sha256(files)
    stat = files[2].stat()
    files[2].write_bytes(b"x" * stat.st_size)
    os.utime(files[2], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert files[2].stat().st_mtime_ns == stat.st_mtime_ns
    assert content.sha256(files) == expected(files)


def test_a_copy_elsewhere_with_other_times_is_the_same_data(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("a", "b"):
        (tmp_path / "one" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8), (name == "a" and "red") or "blue").save(tmp_path / "one" / name / "x.png")
    shutil.copytree(tmp_path / "one", tmp_path / "two" / "one", copy_function=shutil.copy)
    os.utime(tmp_path / "two" / "one" / "a" / "x.png", (1, 1))
    first, second = (load(str(root)).images("clean").fingerprint for root in (tmp_path / "one", tmp_path / "two" / "one"))
    assert first == second
    Image.new("RGB", (8, 8), "green").save(tmp_path / "two" / "one" / "a" / "x.png")
    assert load(str(tmp_path / "two" / "one")).images("clean").fingerprint != first


@pytest.mark.parametrize("text", ["", "[]", "not json", '{"half', '{"sha256": 1, "holds": {}}'])
def test_a_torn_memory_is_none(files: list[Path], memory: Path, text: str) -> None:
    content.sha256(files)
    [place] = memory.iterdir()
    place.write_text(text)
    content._seen.clear()
    assert content.sha256(files) == expected(files)


def test_a_memory_that_cannot_be_written_costs_only_time(files: list[Path], memory: Path) -> None:
    memory.write_text("a file")
    assert content.sha256(files) == content.sha256(files) == expected(files)
