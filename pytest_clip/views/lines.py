"""LAION-C's vertical lines and its luminance checkerboard: nothing is put over the picture, it is drawn anew or lit unevenly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Generator, Tensor

from .grid import REFERENCE, canvas, fit, scale, stacked
from .shapes import random_of

LINES = ((224, 1), (178, 2), (112, 4), (84, 6), (60, 8))  # how many over 224 pixels, and rows that one stroke stands for
SHIFT = 40  # pixels that a black part of a line is moved to the left
STROKES = 4096  # drawn at a time: their pixels stay in the cache
TILE = 14  # pixels
LIGHT = ((0, 50), (50, 100), (100, 125), (125, 150), (150, 255))  # levels of 255, drawn for each tile


def luminance_checkerboard(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Tiles lighter and darker in turn, (-1)^(row + column) U(low, high), cut off at black and white."""
    out = []
    for image, generator in zip(x, each, strict=True):
        side = TILE * scale(image)
        rows, columns = ((np.arange(n) / side + 1e-6).astype(np.int64) for n in image.shape[-2:])
        low, high = LIGHT[level]
        drawn = random_of(generator).uniform(low, high, (int(rows[-1]) + 1, int(columns[-1]) + 1)) / 255
        sign = 1 - 2 * ((rows[:, None] + columns) % 2)
        light = torch.from_numpy((sign * drawn[rows[:, None], columns]).astype(np.float32)).to(image.device)
        out.append((image + light).clamp(0, 1))
    return stacked(out)


def vertical_lines(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Lines on black that bend to the left where the picture is dark: by 40 (1 - gray / 255) pixels, in the mean colours of their parts.

    Nothing is random. At other sizes than 224 the picture is resized to it, drawn, and resized back, so lines keep their width.
    """
    del each
    out = []
    for image in x:
        small = fit(image[None], canvas(image))[0]
        levels = (small.clamp(0, 1) * 255 + 1e-3).floor().to(torch.int64).cpu().numpy()
        drawn = torch.from_numpy(_drawn(levels, *LINES[level]).astype(np.float32) / 255).to(image.device)
        out.append(fit(drawn[None], image.shape[-2:])[0])
    return stacked(out)


def _drawn(levels: npt.NDArray[np.int64], count: int, step: int) -> npt.NDArray[np.int64]:
    """int [3, h, w]: a stroke from the end of the one before to the next place, line by line and top to bottom; later ones lie above."""
    _, height, width = levels.shape
    lines = round(count * width / REFERENCE)
    gray = (levels[0] * 299 + levels[1] * 587 + levels[2] * 114) // 1000
    starts = np.arange(lines) * width // lines
    rows = np.arange(0, height, step)
    colours = _means(levels, starts, rows)  # [3, lines, strokes]
    dark = _means(gray[None], starts, rows)[0]
    begin = (np.arange(lines) * width / lines).astype(np.float32)[:, None]
    x = begin - (SHIFT * (1 - dark / 255)).astype(np.float32)
    y = np.broadcast_to(rows.astype(np.float32), x.shape)
    from_x, from_y = np.hstack([begin, x[:, :-1]]).ravel(), np.hstack([np.zeros_like(begin), y[:, :-1]]).ravel()
    go_x, go_y = x.ravel() - from_x, y.ravel() - from_y
    steps = np.maximum(np.ceil(np.maximum(np.abs(go_x), np.abs(go_y))), 1).astype(np.int32)
    go_x, go_y = go_x / steps, go_y / steps
    # Left and right of the picture, and below it, there is room for what is drawn outside: looking for it takes as long as drawing it.
    last = np.full((height + 1) * (width + 2), -1, dtype=np.int32)
    for some in (slice(k, k + STROKES) for k in range(0, steps.size, STROKES)):
        pixels = steps[some] + 1  # of each stroke
        stroke = np.repeat(
            np.arange(some.start, some.start + pixels.size, dtype=np.int32), pixels
        )  # of each pixel, in the order of drawing
        at = np.arange(stroke.size, dtype=np.int32) - np.repeat(np.cumsum(pixels, dtype=np.int32) - pixels, pixels)
        px, py = (
            _walked(np.repeat(start[some], pixels), np.repeat(go[some], pixels), at) for start, go in ((from_x, go_x), (from_y, go_y))
        )
        np.clip(px, -1, width, out=px)
        np.minimum(py, height, out=py)
        py *= width + 2
        py += px
        py += 1
        last[py.astype(np.intp)] = stroke  # of several strokes through one pixel the last stays
    shown = last.reshape(height + 1, width + 2)[:height, 1:-1].astype(np.intp)
    out = np.append(colours.reshape(3, -1), np.zeros((3, 1), dtype=np.int64), axis=1)
    return np.stack([each.take(shown, mode="wrap") for each in out])


def _walked(start: npt.NDArray[np.float32], go: npt.NDArray[np.float64], at: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The pixel that is met after `at` steps; `go` is written over."""
    go *= at
    go += start
    go += np.float32(0.5)
    return np.floor(go, out=go).astype(np.int32)


def _means(values: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Whole means [c, lines, strokes] over the part of the picture that each stroke stands for."""
    sums = values if len(rows) == values.shape[1] else np.add.reduceat(values, rows, axis=1)
    sums = sums if len(columns) == values.shape[2] else np.add.reduceat(sums, columns, axis=2)
    widths = np.diff(np.append(columns, values.shape[2]))
    heights = np.diff(np.append(rows, values.shape[1]))
    means = sums if sums is values else sums // (heights[:, None] * widths)  # of one pixel each
    return np.asarray(means.transpose(0, 2, 1))
