"""The points of a picture as a moving camera sees them, on a CPU: to the bit what `camera` does in torch for a GPU, in 0.6 of the time.

Points are put in the order of their depths once for a picture, so that in each frame the nearest of those that fall on a pixel is the one
that is written last. Most points are meant for one pixel alone: the others that a point may fill are written apart, for those points that
have some. Empty pixels are looked up from the ends of their runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int32]
Keys: TypeAlias = npt.NDArray[np.int32] | npt.NDArray[np.int64]
WASTE = 2  # pixels on every side that take what falls outside the frame


@dataclass(frozen=True)
class Step:
    """A place on the way of one camera, float32: how far the nearest point has `moved`, how far it has come `forward` (None: the camera
    only goes sideways), and how far apart neighbours may be at most, less 1."""

    moved: np.float32
    forward: np.float32 | None
    stretch: np.float32 | float


class Points:
    """The points of one picture: `key` [m], whole numbers whose upper bits say how near, and `bit`, which is set where a pixel is the one
    that a point's place rounds to; `near` [m]; `place` ([m], [m]) pixels from the middle; `colour` int64 [m]; `size` of the frame."""

    def __init__(
        self, key: Keys, bit: int, near: Floats, place: tuple[Floats, Floats], colour: npt.NDArray[np.int64], size: tuple[int, int]
    ):
        # NumPy counts bytes and compares everything else: 0.4 ms for 67,600 points, 7 ms by their keys. Points of a layer are in order.
        order = np.argsort((key // (2 * bit)).astype(np.uint8), kind="stable")
        self.key, self.near, self.down, self.across = key[order], near[order], place[0][order], place[1][order]
        self.best, self.bit, self.colour, self.size = self.key | bit, bit, colour, size

    def shot(self, step: Step, u: np.float32, v: np.float32) -> npt.NDArray[np.int64]:
        """The colours int64 [h, w] of a frame whose nearest point has moved by (u, v) pixels at the end of the way."""
        shrink = self.near * step.moved
        y, x = shrink * v, shrink * u
        np.subtract(self.down, y, out=y)
        np.subtract(self.across, x, out=x)
        if step.forward is not None:
            closer = np.maximum(1 - step.forward * self.near, np.float32(0.05))
            y /= closer
            x /= closer
        (height, width), wide = self.size, self.size[1] + 2 * WASTE
        (row, other_row), (column, other_column) = _pixels(y, height, step.stretch), _pixels(x, width, step.stretch)
        row *= wide
        other_row *= wide
        seen = np.full((height + 2 * WASTE) * wide, -1, self.key.dtype)
        seen[(row + column).astype(np.intp)] = self.best  # of several points for one pixel the last stays, which is the nearest
        down, across = np.flatnonzero(other_row != row), np.flatnonzero(other_column != column)
        both = down[other_column[down] != column[down]]
        for some, rows, columns in ((down, other_row, column), (across, row, other_column), (both, other_row, other_column)):
            if len(some):
                more = np.full_like(seen, -1)
                more[(rows[some] + columns[some]).astype(np.intp)] = self.key[some]
                np.maximum(seen, more, out=seen)
        frame = filled(seen.reshape(-1, wide)[WASTE:-WASTE, WASTE:-WASTE])
        return self.colour.take((frame & (self.bit - 1)).astype(np.intp))


def _pixels(at: Floats, size: int, stretch: np.float32 | float) -> tuple[Ints, Ints]:
    """The pixel that a place rounds to, and the one that it nearly rounds to (else the same); 0 to size + 3. Written over."""
    at += (size - 1) / 2
    at += WASTE
    low, high = at + (0.5 - stretch), at + (0.5 + stretch)
    np.floor(low, out=low)
    np.floor(high, out=high)
    at += 0.5
    np.floor(at, out=at)
    low += high
    low -= at
    last = np.float32(size + 2 * WASTE - 1)
    return tuple(np.clip(each, np.float32(0), last, out=each).astype(np.int32) for each in (at, low))  # type: ignore[return-value]


def filled(seen: Keys) -> Keys:
    """Empty pixels (-1) of [h, w] take the farthest of the nearest that are not: up, down, left, right; the smaller the farther.

    From the ends of each run of empty pixels: the work grows with them, a hundredth of a frame, and not with the frame.
    """
    height, width = seen.shape
    out: Keys = seen.reshape(-1)  # written over where it is contiguous
    empty = np.flatnonzero(out < 0)
    if not len(empty):
        return seen
    row, column = np.divmod(empty, width)
    turned = column * height + row
    order = np.argsort(turned)
    found = np.full(len(empty), np.iinfo(seen.dtype).max, seen.dtype)
    for at, there in _around(empty, width):
        np.minimum(found, out[at], out=found, where=there)
    for at, there in _around(turned[order], height):
        some = order[there]
        found[some] = np.minimum(found[some], out[(at % height * width + at // height)[there]])
    out[empty] = found
    whole: Keys = out.reshape(height, width)
    return whole


def _around(empty: npt.NDArray[np.intp], width: int) -> tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]], ...]:
    """For places that are empty, in order, in lines of `width`: the last place before that is not and the first one after, and whether they
    lie in its line (0 where they do not)."""
    breaks = np.flatnonzero(np.diff(empty) != 1)
    run = np.zeros(len(empty), np.intp)
    run[breaks + 1] = 1
    np.cumsum(run, out=run)
    line = empty // width
    first, last = empty[np.append(0, breaks + 1)] - 1, empty[np.append(breaks, len(empty) - 1)] + 1
    ends = []
    for at in (first[run], last[run]):
        there = (at >= 0) & (at // width == line)
        ends.append((np.where(there, at, 0), there))
    return tuple(ends)
