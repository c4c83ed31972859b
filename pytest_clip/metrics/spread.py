"""Spread: how much a number depends on a choice that should not matter, such as the set of prompts."""

import math
from typing import Literal

import numpy.typing as npt

from . import _checks


def spread(values: npt.ArrayLike) -> float:
    """Largest minus smallest value: max_i v_i - min_i v_i.

    values: float [n], the same metric under n choices (accuracy under n prompt sets). Returns 0 or more in the unit of the metric, lower is
    better; it can only grow with n, so compare at equal n. NaN for a single value: one choice has no spread, and 0 would look perfect.
    ValueError for NaN or infinite values and empty inputs.
    """
    given = _checks.finite(values, name="values", ndim=1)
    return float(given.max() - given.min()) if given.size > 1 else math.nan


def deviation(values: npt.ArrayLike) -> float:
    """Standard deviation sqrt(mean (v_i - mean v)^2) over the n choices, which are all there are and no sample (no n - 1).

    Inputs, unit, direction and errors as in `spread`, NaN for a single value too. Unlike `spread` it does not grow with n.
    """
    given = _checks.finite(values, name="values", ndim=1)
    return float(given.std()) if given.size > 1 else math.nan


def worst(values: npt.ArrayLike, *, better: Literal["higher", "lower"]) -> float:
    """The worst value: the minimum where higher is better, the maximum where lower is better. Inputs and errors as in `spread`."""
    given = _checks.finite(values, name="values", ndim=1)
    return float(given[worst_index(given, better=better)])


def worst_index(values: npt.ArrayLike, *, better: Literal["higher", "lower"]) -> int:
    """Where the `worst` value stands, the first among equals. Inputs and errors as in `spread`; ValueError for another `better`."""
    given = _checks.finite(values, name="values", ndim=1)
    if better not in ("higher", "lower"):
        raise ValueError(f"better must be 'higher' or 'lower', not {better!r}")
    return int(given.argmin() if better == "higher" else given.argmax())
