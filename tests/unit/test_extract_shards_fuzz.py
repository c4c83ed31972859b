"""Stored answers that a disk or a person has damaged: the rows that were put come back, made again where they must, or a CacheError."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import hostile
import numpy as np
import pytest

from pytest_clip import CacheError
from pytest_clip.extract import shards
from pytest_clip.extract.entry import MANIFEST, Entry, recall

SEED = 20261202


def truth(entry: Entry) -> np.ndarray[Any, Any]:
    return np.random.default_rng(entry.n + entry.key["seed"]).standard_normal((entry.n, 3)).astype(np.float32)


def fill(entry: Entry) -> None:
    for span in entry.claims():
        entry.put(span, truth(entry)[span.start : span.stop])


def safetensors(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def other_formats() -> list[bytes]:
    array, zipped = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros((3, 3), np.float32))
    with zipfile.ZipFile(zipped, "w") as out:
        out.writestr("rows", b"x" * 20)
    return [
        b"", b"{}", b"\0" * 8, b"\xff" * 8, b"\xff" * 64, array.getvalue(), zipped.getvalue(), b"\x80\x04N.", b"<html>" * 20,
        b"version https://git-lfs.github.com/spec/v1\n", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, b"\x1f\x8b\x08" + b"\0" * 40,
        safetensors({}, b""), safetensors(b"[" * 90_000, b""), safetensors(b'{"rows":' * 9000, b""), safetensors(b"9" * 5000, b""),
        safetensors([], b""), safetensors(b" " * 99_999, b""), safetensors(b"\xff\xfe", b""), safetensors(b"NaN", b""),
    ]  # fmt: skip


def rewritten(random: Random, whole: bytes) -> bytes:
    """The header as somebody who edits it would leave it; its length is right."""
    length = int.from_bytes(whole[:8], "little")
    header: Any = {"rows": {"dtype": "F32", "shape": [3, 3], "data_offsets": [0, 36]}}
    if 2 <= length <= len(whole) - 8 and whole[8:10] == b'{"':
        header = json.loads(whole[8 : 8 + length])
    header = hostile.document(random, header, changes=1)
    if random.random() < 0.5 and isinstance(header.get("rows"), dict):
        rows = header["rows"]
        rows["shape"] = random.choice(
            ([-3, -3], [3, -3], [0, 3], [2**63, 2], [2**32, 2**32], [10**400], [True, 3], ["3", 3], [3.5, 2], [], 3, [9], [3, 3, 1])
        )
        rows["data_offsets"] = random.choice(([0, 36], [0, 0], [0, -36], [0, len(whole) - 8 - length], rows.get("data_offsets")))
        rows["dtype"] = random.choice(("F32", "F32", "U8", "I64", "BOOL", "X", "F64"))
    return safetensors(header, whole[8 + length :])


def damage(random: Random, path: Path, others: list[Path]) -> str:
    """Do something to the file at `path`; what it was."""
    whole, what = path.read_bytes(), random.choice(("flip", "bytes", "cut", "longer", "swap", "format", "header", "gone", "folder", "link"))
    if what == "swap":
        other = random.choice(others)
        theirs = other.read_bytes() if other.is_file() else b""
        if other.is_file():
            other.write_bytes(whole)
        path.write_bytes(theirs)
        return what
    path.unlink()
    if what == "folder":
        path.mkdir()
        if random.random() < 0.5:
            (path / "x").touch()
    elif what == "link":
        path.symlink_to(random.choice((path, path.parent / "nothing", path.parent, Path("/dev/null"), others[0])))
    elif what != "gone":
        at = random.randrange(len(whole))
        path.write_bytes(
            {
                "flip": lambda: whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1 :],
                "bytes": lambda: hostile.content(random, whole),
                "cut": lambda: whole[:at],
                "longer": lambda: whole + random.choice((b"\0", b"x" * 36, whole)),
                "format": lambda: random.choice(other_formats()),
                "header": lambda: rewritten(random, whole),
            }[what]()
        )
    return what


def some(entry: Entry, rows: list[int]) -> np.ndarray[Any, Any]:
    """As readers of single rows do: what is torn is made again before the next try."""
    for _ in range(3):
        fill(entry)
        try:
            return entry.some(rows)
        except (shards.TornError, FileNotFoundError):
            continue
    raise CacheError("as `extract.pixels` says it")


@pytest.mark.parametrize("count", [150, pytest.param(1500, marks=pytest.mark.slow)])
def test_damaged_answers_come_back_right_or_as_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int) -> None:
    random, done, seen = Random(SEED), Counter[str](), Counter[str]()
    for number in range(count):
        home = tmp_path / str(number)
        entries = [Entry(home, {"seed": seed}, n) for seed, n in ((1, 10), (2, 10), (3, 7))]
        for each in entries:
            fill(each)
        entry = entries[0]
        files = [entry.path(k) for k in range(len(entry.spans))]
        others = [each.path(k) for each in entries for k in range(len(each.spans))]
        hurt = random.sample(files, random.randint(1, len(files)))
        tried = [damage(random, path, [other for other in others if other != path]) for path in hurt if path.is_file()]
        if random.random() < 0.2:
            (entry.folder / MANIFEST).write_bytes(random.choice(other_formats()))
        done.update(tried)
        try:
            if random.random() < 0.5:
                np.testing.assert_array_equal(recall(entry, fill), truth(entry))
            else:
                rows = [random.randrange(entry.n) for _ in range(4)]
                np.testing.assert_array_equal(some(entry, rows), truth(entry)[rows])
            seen["right"] += 1
        except CacheError as error:
            seen["CacheError" if len(str(error).splitlines()) == 1 else "more than a sentence"] += 1
        except Exception as error:
            raise AssertionError(f"case {number}: {tried}") from error
    assert seen["right"] > 0.75 * count  # the others have a folder where a file was
    assert set(seen) <= {"right", "CacheError"}
    with capsys.disabled():
        print(f"\n{count} damaged answers: {dict(seen)} after {dict(done)}")
