"""Finished work on disk: written whole, made once, remade where it is broken."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pytest_clip
from pytest_clip import ClipError
from pytest_clip.store import recall, writing

ARRAY = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_made_once_and_then_recalled(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> NDArray[np.float32]:
        made.append(1)
        return ARRAY

    path = tmp_path / "deep" / "a.npy"
    for _ in range(3):
        np.testing.assert_array_equal(recall(path, make), ARRAY)
    assert len(made) == 1


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not an array at all", "cut", b"PK\x03\x04 cut short"])
def test_a_broken_file_is_made_again(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "a.npy"
    np.save(path, ARRAY)
    path.write_bytes(path.read_bytes()[:-5] if isinstance(content, str) else content)
    np.testing.assert_array_equal(recall(path, lambda: ARRAY), ARRAY)
    np.testing.assert_array_equal(np.load(path), ARRAY)


def test_a_pickle_is_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.testing.assert_array_equal(recall(path, lambda: ARRAY), ARRAY)


def test_nothing_is_left_where_making_fails(tmp_path: Path) -> None:
    def fails() -> NDArray[np.float32]:
        raise ClipError("no")

    with pytest.raises(ClipError, match="no"):
        recall(tmp_path / "a.npy", fails)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


def test_the_file_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npy"
    save = np.save

    def watched(file: object, array: NDArray[np.float32], **options: object) -> None:
        save(file, array, **options)  # type: ignore[call-overload]
        assert not path.exists()

    monkeypatch.setattr(np, "save", watched)
    recall(path, lambda: ARRAY)
    assert path.exists()
    assert {p.suffix for p in tmp_path.iterdir()} <= {".npy", ".lock"}


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: object, array: NDArray[np.float32], **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ClipError, match=r"cannot write .*a.npy \(No space left on device\); free space"):
        recall(tmp_path / "a.npy", lambda: ARRAY)
    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".lock")] == []


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ClipError, match=r"the cache at .*cache cannot be written .*--clip-cache-dir=DIR, or use --clip-no-cache"):
        recall(tmp_path / "cache" / "a.npy", lambda: ARRAY)


def test_two_processes_that_ask_at_once_make_it_once(tmp_path: Path) -> None:
    code = f"""
import sys, time, numpy as np
from pathlib import Path
from pytest_clip.store import recall
here = Path({str(tmp_path)!r})
def make():
    with (here / "made").open("a") as out:
        out.write("x")
    time.sleep(0.5)
    return np.ones((2, 2), np.float32)
(here / sys.argv[1]).touch()
while not all((here / k).exists() for k in "01"):
    time.sleep(0.01)
print(recall(here / "a.npy", make).sum())
"""
    running = [subprocess.Popen([sys.executable, "-c", code, k], stdout=subprocess.PIPE, text=True) for k in "01"]
    assert [p.communicate(timeout=60)[0].strip() for p in running] == ["4.0", "4.0"]
    assert (tmp_path / "made").read_text() == "x"


def test_another_number_in_the_file_is_not_what_was_stored(tmp_path: Path) -> None:
    path, made = tmp_path / "a.npy", list[int]()

    def make() -> NDArray[np.float32]:
        made.append(1)
        return ARRAY

    recall(path, make)
    whole = path.read_bytes()
    for at in (len(whole) - 60, len(whole) - 3):  # in the array, in its checksum
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        np.testing.assert_array_equal(recall(path, make), ARRAY)
    np.save(path, ARRAY)  # as versions without a checksum wrote it
    np.testing.assert_array_equal(recall(path, make), ARRAY)
    assert len(made) == 4


def test_no_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knew the name of what is written aside could have let it be written anywhere."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    names = iter(["0" * 16, "1" * 16])
    monkeypatch.setattr("secrets.token_hex", lambda n: next(names))
    (tmp_path / f".a.npy.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(ClipError, match="File exists"):
        recall(tmp_path / "a.npy", lambda: ARRAY)
    assert victim.read_text() == "mine"
    np.testing.assert_array_equal(recall(tmp_path / "a.npy", lambda: ARRAY), ARRAY)
    monkeypatch.undo()
    with writing(tmp_path / "b") as one, writing(tmp_path / "b") as other:
        assert one != other
        assert one.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


def test_nobody_else_writes_under_a_name_that_can_be_foreseen() -> None:
    """What is written aside gets its name from `store.aside` or from tempfile."""
    root = Path(pytest_clip.__file__).parent
    found = [path.name for path in root.rglob("*.py") if "getpid()" in path.read_text() or '.tmp"' in path.read_text()]
    assert found == []
