"""Arrays of outcomes in as few bytes as they need: bits where an image is right or wrong, and few steps where a score is a float."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Coded = tuple[dict[str, Any], bytes]
"""What JSON says of an array, and its bytes."""
STEPS = 256
CELLS = 60
"""Cells of a score at least: the bins of a calibration error (10, 15 or 20) are whole numbers of them."""
PER_CELL = 8
DIGITS = 6
MOST_TEXTS = 2_000_000
"""Texts of one array that are unpacked: a few bytes may stand for any number of them."""
_NUMBERED = re.compile(r"(.*?)(\d{1,9})", re.ASCII | re.DOTALL)


def exact(array: Array) -> bool:
    """Whether `code` loses nothing of it: texts, whole numbers, and floats of at most 256 different values."""
    return array.dtype.kind in "Uiub" or len(np.unique(array)) <= STEPS


def code(array: Array) -> Coded:
    """What `decode` makes the array of again; floats of more than 256 different values become the mean of those in the same cell."""
    if array.dtype.kind == "U":
        return {"texts": _pieces(array.tolist())}, b""
    told: dict[str, Any] = {"dtype": array.dtype.str, "shape": list(array.shape)}
    levels, codes = np.unique(array, return_inverse=True)
    if len(levels) > STEPS and array.dtype.kind in "iu":
        steps = np.diff(array.ravel().astype(np.int64), prepend=0)
        kind = next(each for each in ("<i1", "<i2", "<i4", "<i8") if abs(steps).max() <= np.iinfo(each).max)
        return {**told, "steps": kind}, steps.astype(kind).tobytes()
    if len(levels) > STEPS:
        _, codes = np.unique(_cells(array), return_inverse=True)
        levels = np.bincount(codes.ravel(), weights=array.ravel()) / np.bincount(codes.ravel())
    told["levels"] = [each if isinstance(each, int) else float(f"{each:.{DIGITS}g}") for each in levels.tolist()]
    small = codes.ravel().astype(np.uint8)
    return told, (np.packbits(small).tobytes() if len(levels) <= 2 else small.tobytes())


def _cells(array: Array) -> npt.NDArray[np.int64]:
    """The number of the cell that each value lies in: about one for eight values, 60 to 256, no edge of a bin inside one."""
    most = min(max(array.size // PER_CELL, CELLS), STEPS)
    low, high = float(array.min()), float(array.max())
    unit = CELLS if low >= 0 and high <= 1 else CELLS / (high - low)
    while (high - low) * unit * 2 < most - 1:
        unit *= 2
    return np.ceil(array * unit).astype(np.int64)  # bins of a calibration error hold their upper edge


def decode(told: Mapping[str, Any], content: bytes) -> Array:
    """The array of what `code` gave. ValueError, KeyError or TypeError for what it never gives."""
    if "texts" in told:
        return np.asarray(_texts(told["texts"]), dtype=np.str_)
    dtype, shape = np.dtype(str(told["dtype"])), tuple(int(each) for each in told["shape"])
    if dtype.kind not in "biuf" or min(shape, default=0) < 0:
        raise ValueError(f"{dtype} of {shape} is no array of outcomes")
    n = int(np.prod(shape, dtype=object))
    if "steps" in told:
        return np.cumsum(_of(content, n, str(told["steps"])).astype(np.int64)).astype(dtype).reshape(shape)
    levels = np.asarray(told["levels"], dtype=dtype)
    if len(levels) > 2:
        codes = _of(content, n, "u1")
    else:
        if len(content) != (n + 7) // 8:
            raise ValueError(f"{n} bits do not lie in {len(content)} bytes")
        codes = np.unpackbits(np.frombuffer(content, np.uint8), count=n)
    if codes.size and int(codes.max()) >= len(levels):
        raise ValueError(f"there is no level {int(codes.max())} of {len(levels)}")
    found: Array = levels[codes].reshape(shape)
    return found


def _of(content: bytes, n: int, kind: str) -> Array:
    dtype = np.dtype(kind)
    if dtype.kind not in "iu" or len(content) != n * dtype.itemsize:
        raise ValueError(f"{n} numbers of {dtype} do not lie in {len(content)} bytes")
    return np.frombuffer(content, dtype)


def _pieces(texts: list[str]) -> list[Any]:
    """Texts in their order: `["clean-", 5, 0, 1900]` for clean-00000 to clean-01899, and what is not numbered as it is."""
    found: list[Any] = []

    def where(pair: tuple[int, str]) -> Any:
        at, text = pair
        parts = _NUMBERED.fullmatch(text)
        return at if parts is None else (parts[1], len(parts[2]), int(parts[2]) - at)

    for key, group in groupby(enumerate(texts), where):
        held = [text for _, text in group]
        if isinstance(key, int):
            found += held
        else:
            found.append([key[0], key[1], int(held[0][len(key[0]) :]), len(held)])
    return found


def _texts(pieces: Any) -> list[str]:
    found: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            found.append(piece)
        else:
            start, width, first, count = piece
            if not (isinstance(start, str) and 0 < width < 10 and first >= 0 and count > 0 and first + count <= 10**width):
                raise ValueError(f"{str(piece)[:60]} are no numbered texts")
            if len(found) + count > MOST_TEXTS:
                raise ValueError(f"more than {MOST_TEXTS:,} texts")
            found += [f"{start}{number:0{width}}" for number in range(first, first + count)]
    return found
