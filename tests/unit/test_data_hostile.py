"""Tables and pictures that nobody would write on purpose: one sentence for each, never a traceback, a hang or gigabytes.

Inputs are drawn with fixed seeds. A few hundred run always, thousands with `-m slow`, which prints how many of what were tried.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import resource
import signal
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import catalog, doctor, load, pictures
from pytest_clip.data.layouts import owntable

LIMIT_S, LIMIT_BYTES = 60, 2 * 2**30
KINDS = ("csv", "tsv", "jsonl", "parquet")


@contextmanager
def in_time() -> Iterator[None]:
    """A hang is a failure with a name."""

    def late(*_: object) -> None:
        raise TimeoutError(f"longer than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def grown(before: int) -> int:
    """Bytes of memory at the most, beyond what the process had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


ODD: list[Any] = [
    "", " ", "nan", "NaN", "None", "0", "1", "0.0", "1.5", "-1", "9" * 5000, "1e999", "cat", "Cat", "cafe\u0301", "café", "_",
    "a" * 300, "b/" * 3000 + "x.jpg", "../../../../etc/passwd", "/proc/kcore", "/proc/self/mem", "/dev/zero", "~nouser/x.jpg", "~", ".",
    "\x00", "a\x00.jpg", "a\nb.jpg", "a\rb", '"', "'", ",", "\t", "\\", "\u202e.jpg", "\ufeff", "日本語", "=cmd()", "{c}",
    "a.jpg", "b.jpg", "c.jpg", "d.jpg", "sub", "link.jpg", "circle.jpg", "fifo.jpg", "ghost.jpg", "scenes", "clean", "ood", "negatives",
]  # fmt: skip
ODDER: list[Any] = [
    None, True, 0, -1, 2**63, 10**30, 0.5, float("inf"), float("nan"), 1e308, [], ["a", "b"], [[1]], {}, {"bytes": None}, [None, "x"],
    "\ud800", "\udcff.jpg",
]  # fmt: skip
COLUMNS = (
    "path", "file_name", "PATH", "image", "label", "class", "Label", "caption", "captions", "negative_caption", "split", "Split", "scanner",
    "", " ", "a b", "日", "x" * 200, "label ", "=", "[", "clean",
)  # fmt: skip
SOUND = [
    {"path": f"{name}.jpg", "label": "cat" if k % 2 else "dog", "scanner": "ge" if k < 2 else "siemens"} for k, name in enumerate("abcd")
]


def field(root: Path) -> Path:
    """Four pictures, and what lies beside them."""
    for k, name in enumerate("abcd"):
        Image.new("RGB", (8, 8), (9 * k, 9, 9)).save(root / f"{name}.jpg")
    (root / "sub").mkdir()
    (root / "link.jpg").symlink_to("a.jpg")
    (root / "circle.jpg").symlink_to("circle.jpg")
    (root / "ghost.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(root / "fifo.jpg")
    return root


def table(draw: random.Random) -> list[dict[str, Any]]:
    """The sound one with a few cells, columns and rows that are not."""
    rows = [dict(row) for row in SOUND]
    for _ in range(draw.randrange(4)):
        column, value = draw.choice(COLUMNS), draw.choice(ODD if draw.random() < 0.7 else ODDER)
        some = draw.sample(rows, draw.randrange(1, len(rows) + 1))
        for row in some if draw.random() < 0.5 else rows:
            row[column] = value if draw.random() < 0.8 else draw.choice(ODD)
    if draw.random() < 0.2:
        draw.choice(rows).pop(draw.choice(("path", "label")))
    if draw.random() < 0.1:
        rows += draw.sample(rows, 2)
    if draw.random() < 0.05:
        rows = []
    return rows


def encoded(rows: list[dict[str, Any]], kind: str, draw: random.Random) -> bytes:
    """The bytes of a table, wrong in a quarter of all cases."""
    if kind == "parquet":
        data = parquet(rows, draw)
    elif kind == "jsonl":
        data = "\n".join(json.dumps(row) for row in rows).encode()
    else:
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.writer(out, delimiter="\t" if kind == "tsv" else ",")
        writer.writerow(names)
        writer.writerows([row.get(name, "") for name in names] for row in rows)
        data = out.getvalue().encode(draw.choice(["utf-8", "utf-8", "utf-8", "utf-16", "utf-8-sig"]), "surrogatepass")
    return damaged(data, draw) if draw.random() < 0.25 else data


def parquet(rows: list[dict[str, Any]], draw: random.Random) -> bytes:
    pyarrow, writer = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    arrays, names = [], list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        values = [row.get(name) for row in rows]
        try:
            arrays.append(pyarrow.array(values))
        except (pyarrow.ArrowException, OverflowError, UnicodeError):
            arrays.append(pyarrow.array([str(value).encode("utf-8", "replace").decode() for value in values]))
    if draw.random() < 0.4 and rows:
        n = len(rows)
        strange = [
            pyarrow.array([10**17 + k for k in range(n)], pyarrow.timestamp("s")), pyarrow.array([2**31 - 1] * n, pyarrow.date32()),
            pyarrow.array(list(range(n)), pyarrow.timestamp("ns", tz="Mars/Olympus")), pyarrow.array([b"\xff"] * n),
            pyarrow.array([2**62 + k for k in range(n)], pyarrow.duration("s")), pyarrow.nulls(n), pyarrow.array([{"a": 1}] * n),
            pyarrow.array(["x"] * n).dictionary_encode(), pyarrow.array([1 + k for k in range(n)], pyarrow.timestamp("ns")),
            pyarrow.array([datetime(2020, 1, 1)] * n), pyarrow.array([12] * n, pyarrow.decimal128(38, 3)),
        ]  # fmt: skip
        names.append(draw.choice(COLUMNS) or "day")
        arrays.append(draw.choice(strange))
    out = io.BytesIO()
    with suppress(pyarrow.ArrowException):
        writer.write_table(pyarrow.Table.from_arrays(arrays, names=names), out)
    return out.getvalue()


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Cut, flipped, filled or doubled somewhere."""
    out, at = bytearray(data), draw.randrange(len(data) + 1)
    how = draw.randrange(5)
    if how == 0:
        return bytes(out[:at])
    if how == 1:
        for _ in range(draw.choice([1, 1, 4, 32])):
            if out:
                out[draw.randrange(len(out))] = draw.randrange(256)
    elif how == 2:
        out[at:at] = draw.choice([b"\x00", b"\xff\xfe", b"\n", b'"', b"\xe9", b"{", b"[" * 5000, b"," * 50, b"9" * 5000])
    elif how == 3:
        out[at : at + draw.randrange(64)] = b""
    else:
        out += out[at:]
    return bytes(out)


def asked(root: Path, *, allowed: int = 0) -> str:
    """All that a run and the doctor ask of a data set before a model; the kind of answer."""
    owntable.read.cache_clear()
    with in_time():
        problems = doctor.examine(str(root)).problems
        for problem in problems:
            json.dumps(problem.what).encode()
            problem.what.encode()
        try:
            catalog.expand(str(root))
            data = load(str(root), max_unreadable=allowed)
            for each in data.sets:
                data.images(each.name)
            _ = data.templates, data.fingerprint
        except ClipError as error:
            said = str(error)
            return "refused" if len(said.encode()) < 20_000 else "refused with a book"
    return "read"


def tables(root: Path, seeds: range) -> Counter[str]:
    field(root)
    seen: Counter[str] = Counter()
    for seed in seeds:
        draw = random.Random(seed)
        kind = KINDS[seed % len(KINDS)]
        path = root / f"{draw.choice(['manifest', 'metadata'])}.{kind}"
        path.write_bytes(encoded(table(draw), kind, draw))
        if draw.random() < 0.2:
            (root / "classnames.txt").write_bytes("\n".join(str(draw.choice(ODD)) for _ in range(3)).encode("utf-8", "surrogatepass"))
        try:
            seen[f"{kind} {asked(root)}"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {kind}: {path.read_bytes()[:600]!r}") from error
        path.unlink()
        (root / "classnames.txt").unlink(missing_ok=True)
    return seen


MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "I;16B", "F")
WRITTEN = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF", "AVIF", "JPEG2000", "TGA", "PCX", "ICO", "SGI", "DIB", "MPO")
SUFFIXES = (
    ".jpg",
    ".png",
    ".webp",
    ".bmp",
    ".tif",
    ".ppm",
    ".gif",
    ".avif",
    ".jp2",
    ".tga",
    ".pcx",
    ".ico",
    ".sgi",
    ".dib",
    ".mpo",
    ".pfm",
)


def picture(draw: random.Random) -> bytes:
    """Of any mode and kind, whole in a third of all cases."""
    mode, size = draw.choice(MODES), (draw.choice([1, 2, 7, 16, 300]), draw.choice([1, 3, 16, 64]))
    if draw.random() < 0.08:
        return claims(draw)
    if draw.random() < 0.05:
        return draw.choice(
            [b"", b"\x00" * 4096, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"<svg/>", b"version https://git-lfs"]
        )
    noise = np.random.default_rng(draw.randrange(2**32))
    try:
        if mode in ("I", "F"):
            scale = draw.choice([1, 255, 65535, 1e38])
            kind = np.float32 if mode == "F" else np.int32
            image = Image.fromarray((noise.random(size[::-1]) * min(scale, 2e9 if mode == "I" else scale)).astype(kind))
        elif mode.startswith("I;16"):
            image = Image.fromarray(noise.integers(0, 65536, size[::-1], dtype=np.uint16))
        else:
            image = Image.fromarray(noise.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).convert(mode)
        out = io.BytesIO()
        image.save(out, draw.choice(WRITTEN))
        data = out.getvalue()
    except Exception:  # Pillow does not write every mode as every kind
        out = io.BytesIO()
        Image.new("RGB", size, (draw.randrange(256), 7, 7)).save(out, "PNG")
        data = out.getvalue()
    return data if draw.random() < 0.33 else damaged(data, draw)


def claims(draw: random.Random) -> bytes:
    """Headers of pictures that nobody has the memory for."""
    big = draw.choice([10**5, 2**31 - 1, 2**32 - 1])
    head = struct.pack(">IIBBBBB", big, big, draw.choice([8, 16]), draw.choice([0, 2, 6]), 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 10**6)), (b"IEND", b""))
    )
    tiff = b"II*\0\x08\0\0\0\x04\0" + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in ((256, big), (257, big), (262, 1), (273, 8))
    )  # fmt: skip
    return draw.choice([
        png, tiff + b"\0\0\0\0", f"P5 {big} {big} 255\n".encode(), f"P5 9 9 {'9' * 5000}\n".encode(), f"Pf {big} {big} -1.0\n".encode(),
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, big % 2**31, big % 2**31, 1, 24, 0, 0, 0, 0, 0, 0),
        b"GIF89a\xff\xff\xff\xff\x80\0\0" + b"\0" * 6 + b",\0\0\0\0\xff\xff\xff\xff\0\x08\x01\0\0;",
    ])  # fmt: skip


def batches(root: Path, seeds: range, *, size: int = 50) -> Counter[str]:
    """Pictures one by one, then as data sets of `size`."""
    seen: Counter[str] = Counter()
    for begin in range(seeds.start, seeds.stop, size):
        data = root / str(begin)
        for seed in range(begin, min(begin + size, seeds.stop)):
            draw = random.Random(seed)
            path = data / draw.choice("ab") / f"{seed}{draw.choice(SUFFIXES)}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if draw.random() < 0.03:
                path.symlink_to(draw.choice(["nowhere", path.name, "/proc/kcore", "/dev/zero", "."]))
                continue
            path.write_bytes(picture(draw))
            with in_time():
                try:
                    pictures.upright(pictures.decode(path, where=str(path)))
                    seen["decoded"] += 1
                except ClipError:
                    seen["refused"] += 1
                except Exception as error:
                    raise AssertionError(f"seed {seed}: {path.read_bytes()[:200]!r}") from error
        try:
            seen[f"sets {asked(data, allowed=size)}"] += 1
        except Exception as error:
            raise AssertionError(f"pictures {begin}..{begin + size}") from error
    return seen


@pytest.mark.filterwarnings("ignore")
def test_hostile_tables(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    seen = tables(tmp_path, range(120))
    assert all(seen[f"{kind} refused"] and seen[f"{kind} read"] for kind in KINDS), seen


@pytest.mark.filterwarnings("ignore")
def test_hostile_pictures(tmp_path: Path) -> None:
    seen = batches(tmp_path, range(150))
    assert seen["decoded"] > 30
    assert seen["refused"] > 30


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_thousands_of_hostile_tables(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    before = grown(0)
    seen = tables(tmp_path, range(1000, 7000))
    print(f"\n{seen.total()} tables: {dict(sorted(seen.items()))}; {grown(before) / 2**20:.0f} MB")
    assert seen.total() == 6000
    assert grown(before) < LIMIT_BYTES


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_thousands_of_hostile_pictures(tmp_path: Path) -> None:
    before = grown(0)
    seen = batches(tmp_path, range(1000, 7000))
    print(f"\n{seen.total()} pictures and sets: {dict(sorted(seen.items()))}; {grown(before) / 2**20:.0f} MB")
    assert seen["decoded"] + seen["refused"] > 5500
    assert grown(before) < LIMIT_BYTES
