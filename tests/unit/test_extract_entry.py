"""Answers on disk: whole or not there, made once whoever asks, mended when torn."""

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip import CacheError, ClipError
from pytest_clip.extract import shards
from pytest_clip.extract.entry import LARGEST, MANIFEST, Entry, recall


def numbers(span: range) -> np.ndarray[Any, Any]:
    return np.stack([np.full(3, row, np.float32) for row in span])


def filled(entry: Entry) -> None:
    for span in entry.claims():
        entry.put(span, numbers(span))


def entry(folder: Path, n: int = 10, **key: Any) -> Entry:
    return Entry(folder, key or {"model": "m", "view": None}, n)


@given(st.integers(1, 3000))
def test_spans_cover_every_row_once_and_depend_on_nothing_but_their_number(n: int) -> None:
    spans = entry(Path(), n).spans
    assert [row for span in spans for row in span] == list(range(n))
    assert max(map(len, spans)) <= LARGEST
    assert len(spans) >= min(n, 3)


def test_rows_come_back_as_they_were_put(tmp_path: Path) -> None:
    made = entry(tmp_path)
    np.testing.assert_array_equal(recall(made, filled), numbers(range(10)))
    np.testing.assert_array_equal(recall(made, pytest.fail), numbers(range(10)))  # type: ignore[arg-type]
    told = json.loads((made.folder / MANIFEST).read_text())
    assert len(told.pop("sha256")) == 32
    assert told == {"model": "m", "n": 10, "view": None}
    assert not list(made.folder.glob("*.lock"))
    assert not list(made.folder.glob(".*"))


@pytest.mark.parametrize("rows", [[0], [9, 0, 3], [2, 2, 5], list(range(10)), [4, 3]])
def test_some_rows_in_any_order(tmp_path: Path, rows: list[int]) -> None:
    made = entry(tmp_path)
    filled(made)
    np.testing.assert_array_equal(made.some(rows)[:, 0], rows)


def test_whatever_the_key_says_makes_another_entry(tmp_path: Path) -> None:
    names = {entry(tmp_path, **key).name for key in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": None})} | {entry(tmp_path, 11, a=1).name}
    assert len(names) == 5
    assert entry(tmp_path, a=1, b=2).name == entry(tmp_path, b=2, a=1).name


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "foreign", "longer", "gone"])
def test_a_torn_shard_is_made_again_and_the_others_are_not(tmp_path: Path, damage: str) -> None:
    made, again = entry(tmp_path), list[range]()
    filled(made)
    path = made.path(1)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "foreign":
        path.write_bytes(len(b'{"x":{}}').to_bytes(8, "little") + b'{"x":{}}')
    else:
        flipped = whole[:-1] + bytes([whole[-1] ^ 1])
        path.write_bytes({"cut": whole[:-3], "flipped": flipped, "empty": b"", "text": b"not a shard", "longer": whole + b"x"}[damage])

    def fill(one: Entry) -> None:
        for span in one.claims():
            again.append(span)
            one.put(span, numbers(span))

    np.testing.assert_array_equal(recall(made, fill), numbers(range(10)))
    assert again == [made.spans[1]]
    np.testing.assert_array_equal(shards.read(path), numbers(made.spans[1]))


def test_threads_share_the_work(tmp_path: Path) -> None:
    made, by = entry(tmp_path, 40), dict[range, list[str]]()

    def work() -> None:
        for span in made.claims():
            by.setdefault(span, []).append(threading.current_thread().name)
            time.sleep(0.05)
            made.put(span, numbers(span))

    threads = [threading.Thread(target=work, name=str(k)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(by, key=lambda span: span.start) == list(made.spans)
    assert [len(names) for names in by.values()] == [1] * 4
    assert {name for names in by.values() for name in names} == {"0", "1"}


def _slow(folder: Path, noted: Path) -> None:
    made = entry(folder, 40)
    for span in made.claims():
        with noted.open("a") as out:
            out.write(f"{os.getpid()} {span.start}\n")
        time.sleep(0.2)
        made.put(span, numbers(span))


def test_a_killed_maker_loses_only_the_shard_it_was_at(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    noted = tmp_path / "noted"
    first = context.Process(target=_slow, args=(tmp_path / "cache", noted))
    first.start()
    while not noted.exists() or len(noted.read_text().splitlines()) < 3:
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGKILL)  # type: ignore[arg-type]
    first.join()
    made = entry(tmp_path / "cache", 40)
    assert not made.complete
    _slow(tmp_path / "cache", noted)
    np.testing.assert_array_equal(made.rows(), numbers(range(40)))
    starts = [line.split()[1] for line in noted.read_text().splitlines()]
    assert starts == ["0", "10", "20", "20", "30"]


def test_a_full_disk_is_one_error_and_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = entry(tmp_path)

    def full(tensors: Any, path: Path, metadata: Any) -> None:
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(ClipError, match=r"cannot write .*rows-000000.safetensors \(No space left on device\); free space, or "):
        filled(made)
    assert [path.name for path in made.folder.iterdir() if not path.name.endswith(".lock")] == [MANIFEST]


def test_a_cache_that_can_only_be_read_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = entry(tmp_path)
    filled(made)

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    np.testing.assert_array_equal(recall(made, filled), numbers(range(10)))
    with pytest.raises(ClipError, match=r"the cache at .* cannot be written \(Read-only file system\); choose another with "):
        recall(entry(tmp_path, 11), filled)


def test_rows_of_the_wrong_number_are_a_defect_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 rows for a span of 3"):
        entry(tmp_path).put(range(3), numbers(range(2)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64, np.bool_])
@pytest.mark.parametrize("shape", [(0, 4), (3,), (2, 3, 4)])
def test_shards_hold_arrays_of_the_kinds_there_are(tmp_path: Path, dtype: type, shape: tuple[int, ...]) -> None:
    rows = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    shards.write(tmp_path / "x.safetensors", rows, entry="e")
    back = shards.read(tmp_path / "x.safetensors")
    assert back.dtype == rows.dtype
    np.testing.assert_array_equal(back, rows)
    from safetensors.numpy import load_file

    np.testing.assert_array_equal(load_file(tmp_path / "x.safetensors")["rows"], rows)  # the format is safetensors' own


@pytest.mark.parametrize("torn", [1, 2, 3, 4])
def test_any_number_of_torn_shards_heals_in_one_round(tmp_path: Path, torn: int) -> None:
    """Three of them were "another disk" once: each round had removed one."""
    entry = Entry(tmp_path, {"a": 1}, 8)
    rounds: list[list[int]] = []

    def fill(entry: Entry) -> None:
        made = []
        for span in entry.claims():
            entry.put(span, np.array([[k, k] for k in span], np.float32))
            made.append(span.start)
        rounds.append(made)

    whole = recall(entry, fill)
    for k in range(torn):
        path = entry.path(k)
        path.write_bytes(path.read_bytes()[: -1 - k] if k % 2 else path.read_bytes()[:-1] + b"\xff")
    np.testing.assert_array_equal(recall(entry, fill), whole)
    assert rounds == [[0, 2, 4, 6], [0, 2, 4, 6][:torn]]
    for k in range(torn):
        entry.path(k).write_bytes(b"torn")
    with pytest.raises(shards.TornError):
        entry.some([0, 2, 4, 6])
    assert [entry.path(k).exists() for k in range(4)] == [k >= torn for k in range(4)]


def test_what_never_comes_back_whole_is_told_with_its_cause(tmp_path: Path) -> None:
    entry = Entry(tmp_path, {"a": 1}, 8)

    def fill(entry: Entry) -> None:
        for span in entry.claims():
            entry.put(span, np.zeros((len(span), 2), np.float32))
        entry.path(2).write_bytes(b"the disk says yes and keeps something else")

    with pytest.raises(CacheError, match=r"written three times: .*rows-000002.safetensors: no safetensors file. Does another program"):
        recall(entry, fill)

    def gone(entry: Entry) -> None:
        for span in entry.claims():
            entry.put(span, np.zeros((len(span), 2), np.float32))
        entry.path(1).unlink()

    with pytest.raises(CacheError, match=r"written three times: .*rows-000001.safetensors has gone again. Does another program"):
        recall(entry, gone)


def test_a_shard_of_another_entry_is_no_answer(tmp_path: Path) -> None:
    one, other = (Entry(tmp_path, {"model": name}, 8) for name in "ab")
    for entry, value in ((one, 1.0), (other, 2.0)):
        for span in entry.claims():
            entry.put(span, np.full((len(span), 2), value, np.float32))
    one.path(0).write_bytes(other.path(0).read_bytes())
    with pytest.raises(shards.TornError, match="belongs to another entry"):
        one.some([0])
    assert not one.path(0).exists()


def test_rows_of_a_shard_that_changed_are_looked_at_again(tmp_path: Path) -> None:
    entry = Entry(tmp_path, {"a": 1}, 8)
    for span in entry.claims():
        entry.put(span, np.zeros((len(span), 2), np.float32))
    assert entry.some([0]).tolist() == [[0, 0]]
    path = entry.path(0)
    path.write_bytes(path.read_bytes()[:-1] + b"\x40")  # the last number of row 1
    with pytest.raises(shards.TornError, match="the checksum differs"):
        entry.some([0])


def test_two_shards_of_an_entry_that_changed_places_are_made_again(tmp_path: Path) -> None:
    """They are alike in all but their names; before those were part of the checksum, such rows came back in the wrong order."""
    made = entry(tmp_path)
    filled(made)
    first, second = made.path(0).read_bytes(), made.path(1).read_bytes()
    made.path(0).write_bytes(second)
    made.path(1).write_bytes(first)
    np.testing.assert_array_equal(recall(made, filled), numbers(range(10)))


def test_the_type_and_the_shape_of_rows_are_part_of_their_checksum(tmp_path: Path) -> None:
    for before, after in ((b"[2,4]", b"[4,2]"), (b'"F32"', b'"I32"')):
        path = tmp_path / f"{len(before)}.safetensors"
        shards.write(path, np.zeros((2, 4), np.float32), entry="e")
        assert path.read_bytes().count(before) == 1
        path.write_bytes(path.read_bytes().replace(before, after))
        with pytest.raises(shards.TornError):
            shards.read(path)


def test_a_folder_in_the_place_of_a_shard_is_one_error(tmp_path: Path) -> None:
    made = entry(tmp_path)
    filled(made)
    made.path(1).unlink()
    made.path(1).mkdir()
    with pytest.raises(
        CacheError, match=r"rows-000001.safetensors: no file, and cannot be removed \(Is a directory\); remove it, or choose"
    ):
        recall(made, filled)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    made = entry(tmp_path)
    filled(made)
    made.path(1).unlink()
    os.mkfifo(made.path(1))
    np.testing.assert_array_equal(recall(made, filled), numbers(range(10)))
