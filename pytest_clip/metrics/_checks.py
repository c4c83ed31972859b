"""Input checks shared by the metrics: each returns the array in the one dtype that the formulas use, or raises ValueError."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bools: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]


def finite(array: npt.ArrayLike, *, name: str, ndim: int) -> Floats:
    """`array` as non-empty float64 [n] or [n, C] without NaN or infinity."""
    given = np.asarray(array)
    if given.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold numbers, not {given.dtype}")
    if given.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' if ndim > 1 else ''}, not shape {given.shape}")
    if given.size == 0:
        raise ValueError(f"{name} is empty: shape {given.shape}")
    values = given.astype(np.float64)
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        raise ValueError(f"{bad} of {values.size} values in {name} are NaN or infinite")
    return values


def binary(array: npt.ArrayLike, *, name: str, n: int | None = None) -> Bools:
    """`array` as non-empty bool [n]; accepts bool, or numbers that are all 0 or 1."""
    values = finite(array, name=name, ndim=1)
    bad = int(np.count_nonzero((values != 0) & (values != 1)))
    if bad:
        raise ValueError(f"{name} must be True/False or 0/1; {bad} of {values.size} values are neither")
    _same_length(values.size, n, name)
    return values.astype(np.bool_)


def integers(array: npt.ArrayLike, *, name: str, n: int | None = None, classes: int | None = None) -> Ints:
    """`array` as non-empty int64 [n] with values 0 .. classes - 1 (no upper end when `classes` is None)."""
    given = np.asarray(array)
    if given.ndim != 1:
        raise ValueError(f"{name} must have 1 dimension, not shape {given.shape}")
    if given.size == 0:
        raise ValueError(f"{name} is empty: shape {given.shape}")
    if given.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integers, not {given.dtype}")
    _same_length(given.size, n, name)
    values = given.astype(np.int64)
    if values.min() < 0 or (classes is not None and values.max() >= classes):
        wanted = "0 or more" if classes is None else f"0 to {classes - 1}"
        raise ValueError(f"{name} must be {wanted}; found {values.min()} to {values.max()}")
    return values


def logits_and_labels(logits: npt.ArrayLike, labels: npt.ArrayLike, *, name: str = "logits") -> tuple[Floats, Ints]:
    """Scores [n, C] as float64 and labels [n] in 0 .. C - 1 as int64."""
    values = finite(logits, name=name, ndim=2)
    return values, integers(labels, name="labels", n=values.shape[0], classes=values.shape[1])


def distributions(p: Floats) -> None:
    """Refuse rows [n, C] that are no probability distributions: logits passed by mistake, most of all."""
    off = float(np.max(np.abs(p.sum(axis=1) - 1.0)))
    if p.min() < 0 or p.max() > 1 + 1e-6 or off > 1e-4:
        raise ValueError(
            f"probabilities must be in [0, 1] with rows that sum to 1; found {p.min():.6g} to {p.max():.6g}, sums off by {off:.6g}"
        )


def share(value: float, *, name: str) -> float:
    """`value` as a float in [0, 1]."""
    number = float(value)
    if not 0.0 <= number <= 1.0:  # NaN fails this too
        raise ValueError(f"{name} must be between 0 and 1, not {number}")
    return number


def positive(value: float, *, name: str) -> float:
    """`value` as a finite float above 0."""
    number = float(value)
    if not (number > 0 and math.isfinite(number)):
        raise ValueError(f"{name} must be a finite number above 0, not {number}")
    return number


def count(value: int, *, name: str, at_least: int = 1) -> int:
    """`value` as an int of at least `at_least`."""
    number = int(value)
    if number != value or number < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value}")
    return number


def level_of(value: float) -> float:
    """A confidence level strictly between 0 and 1."""
    number = float(value)
    if not 0.0 < number < 1.0:
        raise ValueError(f"level must be between 0 and 1, for example 0.95, not {number}")
    return number


def _same_length(size: int, n: int | None, name: str) -> None:
    if n is not None and size != n:
        raise ValueError(f"{name} has {size} values where {n} are needed, one per sample")
