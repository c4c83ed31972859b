"""Factors: what one visual factor (pose, background, texture, ...) costs."""

import math

import numpy as np
import numpy.typing as npt

from . import _checks
from .intervals import Interval, ratio_interval


def error_ratio(factor_accuracy: float, overall_accuracy: float) -> float:
    """How much more often the model is wrong on a factor than overall: (1 - acc_f) / (1 - acc_overall).

    Accuracies in [0, 1]. Returns 0 or more, lower is better: 1 = as robust as average, above 1 = the factor hurts. NaN when the overall
    accuracy is 1: without an error there is nothing to compare. ValueError outside [0, 1]. Source: Idrissi et al. 2023, "ImageNet-X",
    section 4 and their code.
    """
    top = 1.0 - _checks.share(factor_accuracy, name="factor_accuracy")
    bottom = 1.0 - _checks.share(overall_accuracy, name="overall_accuracy")
    return top / bottom if bottom > 0 else math.nan


def part_error_ratio_interval(wrong: npt.ArrayLike, wrong_rest: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for `error_ratio` where the images with the factor are a part of all images, so that both error rates share them.

    With w the share of images that have the factor and q the error rate of the rest over theirs, the ratio is 1 / (w + (1 - w) q), and q is
    a ratio of two independent samples: its `intervals.ratio_interval` gives the ends. Taken for independent of all images, a factor of a
    third of them gets an interval 1.5 times as wide (coverage .99 to 1.00 in place of .95).

    wrong: bool or 0/1 [n] of the images with the factor, wrong_rest: [m] of the others. Returns (nan, nan) when nothing is wrong.
    ValueError for empty or wrong arrays.
    """
    part, rest = _checks.binary(wrong, name="wrong"), _checks.binary(wrong_rest, name="wrong_rest")
    weight = part.size / (part.size + rest.size)
    if part.any():
        low, high = ratio_interval(rest, part, paired=False, level=level)
        return 1 / (weight + (1 - weight) * high), 1 / (weight + (1 - weight) * low)
    low, high = ratio_interval(part, rest, paired=False, level=level)
    return 0.0 * low, 1 / (weight + (1 - weight) / high)


def paired_drop(clean: npt.ArrayLike, factor: npt.ArrayLike) -> float:
    """Accuracy lost when only the factor changes: mean(clean_i - factor_i) over pairs of images.

    clean, factor: bool or 0/1 [n], entry i of both from the same scene. Returns -1 to 1 in units of accuracy, lower is better; negative =
    the factor helps. ValueError for wrong shapes or values. Interval: `intervals.paired_difference(clean, factor)`.
    """
    before = _checks.binary(clean, name="clean")
    after = _checks.binary(factor, name="factor", n=before.size)
    return (int(np.count_nonzero(before)) - int(np.count_nonzero(after))) / before.size
