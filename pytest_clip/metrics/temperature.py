"""Temperature: the one number that makes logits better calibrated without changing an answer."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from . import _checks
from .calibration import nll, softmax


@dataclass(frozen=True)
class Temperature:
    """A fitted temperature; `at_bound` says that the best value lies outside the search range and was cut off there."""

    value: float
    at_bound: Literal["low", "high"] | None
    nll_before: float
    nll_after: float


def fit_temperature(logits: npt.ArrayLike, labels: npt.ArrayLike, *, low: float = 0.05, high: float = 20.0) -> Temperature:
    """The T in [low, high] that minimises the NLL of softmax(logits / T).

    The NLL is convex in 1/T, with slope mean_i(E_p[z_i] - z_iy), so a root of the slope in [1/high, 1/low] is the global minimum. Above 1
    the model was over-confident, below 1 under-confident. Logits that are equal within every row say nothing about T: the result is 1 (or
    the bound nearest to 1).

    logits: float [n, C], logit scale included; labels: int [n] in 0 .. C-1. Fit on other samples than those you evaluate
    (`calibration.halves`). at_bound is "low" for a model that is right on every sample (T would go to 0), "high" for one that is no
    better than chance. ValueError for NaN, wrong shapes, labels out of range, not 0 < low < high. Source: Guo et al. 2017, section 4.2.
    """
    z, truth = _checks.logits_and_labels(logits, labels)
    low, high = _checks.positive(low, name="low"), _checks.positive(high, name="high")
    if low >= high:
        raise ValueError(f"low must be below high; got {low} and {high}")
    z = z - z.max(axis=1, keepdims=True)
    own = float(np.mean(z[np.arange(truth.size), truth]))

    def slope(inverse: float) -> float:
        return float(np.mean(np.einsum("ij,ij->i", softmax(z * inverse), z))) - own

    at_bound: Literal["low", "high"] | None = None
    if not z.any():
        value = min(max(1.0, low), high)
    elif slope(1.0 / high) >= 0:
        value, at_bound = high, "high"
    elif slope(1.0 / low) <= 0:
        value, at_bound = low, "low"
    else:
        value = 1.0 / float(brentq(slope, 1.0 / high, 1.0 / low, xtol=1e-10, rtol=1e-10))
    return Temperature(value, at_bound, nll_before=nll(z, truth), nll_after=nll(z / value, truth))
