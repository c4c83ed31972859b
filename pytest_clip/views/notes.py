"""Notes on pictures of any data: a sheet of paper with a word on it, stuck on a picture or on an empty one.

What is under it is not known, so it lies on nothing: a plane before the camera, turned a little, seen in perspective. Where, how large and
in what hand follows from the id of the image alone, so that the sheets of one picture differ in nothing but their word.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .lettering import FONTS, INKS, PAPERS, Array, area, corners, paste
from .view import Facts, View

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1  # part of the key of every stored answer: raise it whenever a pixel of a note differs
HALF = 0.36397
"""tan of half the view: 40 degrees across."""
SIZES = {"small": (0.005, 0.02), "middle": (0.02, 0.07), "large": (0.07, 0.20)}
"""Share of the picture that a note covers, the same as in `data.scenes.notes`."""
READABLE = (0.12, 0.40)
"""The same of a note on an empty picture."""
GRAY = 128


def size_of(name: str) -> str:
    """Which of SIZES the note on the picture `name` has."""
    return tuple(SIZES)[_crc(name, "size") % len(SIZES)]


def view(kind: str, words: Mapping[str, str], *, empty: bool = False) -> View:
    """Every image under a note with the word that `words` has for its id ("" is a blank note); with `empty`, the note on plain gray."""
    told = hashlib.sha256("\n".join(f"{name}\t{word}" for name, word in sorted(words.items())).encode("utf-8", "surrogatepass")).hexdigest()

    def seen(images: Tensor, facts: Facts) -> Tensor:
        import torch

        out = [_noted(picture, words[name], name, empty=empty) for picture, name in zip(images.cpu().numpy(), facts.ids, strict=True)]
        return torch.from_numpy(np.stack(out)).to(images.device)

    return View(f"note-{kind}", f"note-v{VERSION}{'-empty' * empty}-{told[:16]}", seen)


def _crc(name: str, what: str) -> int:
    return zlib.crc32(f"{what} {name}".encode("utf-8", "surrogatepass"))


def _noted(picture: np.ndarray, words: str, name: str, *, empty: bool) -> np.ndarray:
    """uint8 [3, h, w] with its note, in the largest square in its middle."""
    whole = np.ascontiguousarray(picture.transpose(1, 2, 0))
    if empty:
        whole = np.full_like(whole, GRAY)
    high, wide = whole.shape[:2]
    side = min(high, wide)
    top, left = (high - side) // 2, (wide - side) // 2
    g = np.random.default_rng([_crc(name, "note"), VERSION])
    look = tuple(options[int(g.integers(len(options)))] for options in (FONTS, tuple(PAPERS), tuple(INKS)))
    place = _place(g, READABLE if empty else SIZES[size_of(name)])
    square = whole[top : top + side, left : left + side]
    whole[top : top + side, left : left + side] = paste(square, words, look=(look[0], look[1], look[2]), place=place, half=HALF)
    return whole.transpose(2, 0, 1)


def _place(g: np.random.Generator, shares: tuple[float, float]) -> tuple[Array, Array, Array]:
    """Centre and edges of a sheet that covers a log-uniform share of the picture and lies in it whole."""
    share = float(np.exp(g.uniform(*np.log(shares))))
    roll, yaw, pitch = g.uniform(-0.25, 0.25), g.uniform(-0.5, 0.5), g.uniform(-0.35, 0.35)
    c, s = np.cos([roll, yaw, pitch]), np.sin([roll, yaw, pitch])
    turn = np.array([[c[1], 0, s[1]], [0, 1, 0], [-s[1], 0, c[1]]]) @ np.array([[1, 0, 0], [0, c[2], -s[2]], [0, s[2], c[2]]])
    turn = turn @ np.array([[c[0], -s[0], 0], [s[0], c[0], 0], [0, 0, 1]])
    x, y = g.uniform(-1, 1, 2)
    reach = 0.9
    for _ in range(40):
        centre = np.array([x * reach * HALF, y * reach * HALF, -1.0])
        u, v = turn[:, 0] * 0.1, turn[:, 1] * 0.05
        for _ in range(4):
            k = float(np.sqrt(share / area(corners(centre, u, v, half=HALF))))
            u, v = u * k, v * k
        if np.abs(corners(centre, u, v, half=HALF)).max() <= 0.97 or reach < 0.05:
            break
        reach *= 0.85
    return centre, u, v
