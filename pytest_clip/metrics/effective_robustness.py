"""Effective robustness: is a model better under a shift than its clean accuracy lets expect."""

import math
from typing import Any

import numpy as np

from . import _checks
from .intervals import Interval, wilson
from .line import Around as Around
from .line import Line as Line
from .line import around as around
from .line import expected as expected
from .line import fit_line as fit_line
from .line import over_models as over_models
from .published_lines import IMAGENET_SHIFT_LINES as IMAGENET_SHIFT_LINES
from .published_lines import IMAGENET_X_LINES as IMAGENET_X_LINES
from .published_lines import WITHDRAWN as WITHDRAWN
from .published_lines import published as published


def effective_robustness(accuracy: float, overall: float, *, line: Line, n_overall: int) -> float:
    """Accuracy beyond what the overall accuracy lets expect: acc - sigmoid(slope * logit(overall) + intercept).

    accuracy: on the shift or factor, overall: the x-axis of the line, over `n_overall` images; both in [0, 1]. Returns -1 to 1 in units
    of accuracy, higher is better, 0 = as the baseline models of the line. ValueError outside [0, 1]. Source: Taori et al. 2020, "Measuring
    Robustness to Natural Distribution Shifts in Image Classification", on logit axes as in their testbed.
    """
    return _checks.share(accuracy, name="accuracy") - expected(overall, line=line, n=n_overall)


def interval(k: int, n: int, k_other: int, n_other: int, *, line: Line, part: bool = False, level: float = 0.95) -> Interval:
    """Interval for `effective_robustness` when `k` of `n` images of the shift and `k_other` of `n_other` others are right.

    part=False: the others are the overall images; part=True: they are the rest of them, of which the `n` are a part (a factor). Both
    accuracies are sampled. Wilson's limits of each, put into the number one at a time, give its reach on either side; the two reaches are
    squared and added (Zou & Donner 2008, "Construction of confidence limits about effect measures: a general approach"). The line counts
    as known: how sure that is says `around`. Returns (low, high), never a point, always with the value inside. Errors as in
    `intervals.wilson`.
    """
    ends, other_ends = wilson(k, n, level=level), wilson(k_other, n_other, level=level)

    def value(p: float, q: float) -> float:
        overall = (n * p + n_other * q) / (n + n_other) if part else q
        return p - expected(min(max(overall, 0.0), 1.0), line=line, n=n + n_other if part else n_other)

    p, q = k / n, k_other / n_other
    middle = value(p, q)
    lower = [middle - min(value(end, q) for end in ends), middle - min(value(p, end) for end in other_ends)]
    upper = [max(value(end, q) for end in ends) - middle, max(value(p, end) for end in other_ends) - middle]
    return middle - math.hypot(*(max(each, 0.0) for each in lower)), middle + math.hypot(*(max(each, 0.0) for each in upper))


def params(line: Line, *, part: bool) -> dict[str, float]:
    """What the statistic `effective` of outcomes needs besides both samples: the line, and whether the second is the rest of one."""
    return {"slope": line.slope, "intercept": line.intercept, "part": float(part)}


def told(accuracy: float, overall: float, *, line: Line, n_overall: int) -> dict[str, Any]:
    """The numbers behind an effective robustness: both accuracies, what was expected, how sure the line is, how far models lie from it.

    `baseline_models_95`: the effective robustness of 95 % of new baseline models at this overall accuracy; a value inside it is nothing
    that ordinary ImageNet models do not have.
    """
    told = around(overall, line=line, n=n_overall)
    numbers: dict[str, Any] = {"accuracy": accuracy, "overall": overall, "expected": told.expected}
    if np.isfinite(told.models).all():
        numbers |= {"expected_95": list(told.line), "baseline_models_95": [end - told.expected for end in told.models]}
    rounded = {key: np.round(each, 6).tolist() for key, each in numbers.items()}
    if told.continued:
        rounded["continued"] = f"no baseline model outside {line.lowest:.2f} to {line.highest:.2f} overall"
    return rounded
