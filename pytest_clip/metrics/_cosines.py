"""Cosines between two sets of vectors, a block at a time: what retrieval and correspondence share."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from . import _checks


def unit_rows(array: npt.ArrayLike, *, name: str) -> _checks.Floats:
    """The rows of float [n, d], each divided by its length, in float64. ValueError for NaN, empty arrays and rows of length 0."""
    rows = _checks.finite(array, name=name, ndim=2)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    empty = int(np.count_nonzero(lengths == 0))
    if empty:
        raise ValueError(f"{empty} of {lengths.size} rows of {name} have length 0, so they have no direction")
    rows /= lengths[:, None]
    return rows


def two_sets(first: npt.ArrayLike, second: npt.ArrayLike, *, names: tuple[str, str]) -> tuple[_checks.Floats, _checks.Floats]:
    """`unit_rows` of both; ValueError when their dimensions differ."""
    one, two = unit_rows(first, name=names[0]), unit_rows(second, name=names[1])
    if one.shape[1] != two.shape[1]:
        raise ValueError(f"{names[0]} have {one.shape[1]} dimensions and {names[1]} have {two.shape[1]}")
    return one, two


def blocks(start: int, stop: int, *, size: int) -> Iterator[slice]:
    """Slices of at most `size` that cover start .. stop - 1."""
    for low in range(start, stop, size):
        yield slice(low, min(low + size, stop))
