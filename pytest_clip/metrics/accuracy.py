"""Accuracy: is the right class among the first k, overall and per class."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from . import _checks
from .intervals import Interval, wilson_share

SHRUNK = 2.0
"""Images' worth of the mean of all classes that each class's share of errors is mixed with before its variance is taken: one image says
nothing about the spread of its class. With 1 or 0.5 the interval covers down to 91 or 85 % where most classes have a single image, with 2
down to 94 %."""


def top_k(scores: npt.ArrayLike, labels: npt.ArrayLike, *, k: int) -> _checks.Bools:
    """Whether the labelled class is among the `k` highest scores, per sample.

    Correct_i = (#{c : s_ic >= s_iy} <= k), the label itself included. So a label that ties with other classes counts only if it is within
    `k` even when every tie is broken against it: a collapsed model, whose scores are all equal, has accuracy 0, not 1 for the images of
    class 0 (argmax) and not 1/C. Without ties this is the usual top-k accuracy (Russakovsky et al. 2015, ImageNet).

    scores: float [n, C], any scale, higher = more likely; labels: int [n] in 0 .. C-1. Returns bool [n]; the mean is the accuracy, 0 to 1,
    higher is better. ValueError for k > C (top-5 of 3 classes says nothing), NaN or infinite scores, wrong shapes, labels out of range.
    """
    values, truth = _checks.logits_and_labels(scores, labels, name="scores")
    k, classes = _checks.count(k, name="k"), values.shape[1]
    if k > classes:
        raise ValueError(f"top-{k} accuracy needs at least {k} classes; scores have {classes}")
    own = values[np.arange(truth.size), truth]
    at_least_as_high: _checks.Ints = np.count_nonzero(values >= own[:, None], axis=1)
    return at_least_as_high <= k


def mean_per_class(correct: npt.ArrayLike, labels: npt.ArrayLike, *, classes: int) -> float:
    """Mean over the classes of the accuracy on the samples of that class; classes without a sample are left out.

    (1/|P|) sum_{c in P} mean(correct_i : y_i = c), P = the classes present: scikit-learn's `balanced_accuracy_score`. What CLIP (Radford
    et al. 2021) reports for unbalanced sets such as Flowers102 and Pets.

    correct: bool or 0/1 [n]; labels: int [n] in 0 .. classes-1. Returns 0 to 1, higher is better. ValueError for wrong shapes or labels out
    of range.
    """
    right, truth = _labelled(correct, labels, classes)
    total = np.bincount(truth, minlength=classes)
    hits = np.bincount(truth, weights=right, minlength=classes)
    present = total > 0
    return float(np.mean(hits[present] / total[present]))


def mean_per_class_interval(correct: npt.ArrayLike, labels: npt.ArrayLike, *, classes: int, level: float = 0.95) -> Interval:
    """Interval for `mean_per_class` given how many images each class has: Wilson's, at the effective number of images.

    With K classes of n_c images and z of the level, the variance is the sum (1/K^2) sum_c s_c (1 - s_c) / n_c, where s_c is the class's
    accuracy mixed with `SHRUNK` images of the mean m and z^2 h_c images of one half (h_c = (1/n_c) / sum(1/n), so z^2 images in all, as in
    Wilson's interval of one proportion). The effective number is m (1 - m) over it. Classes without an image are left out, as in the mean.

    Holds the mean, stays in [0, 1], is never a point. Measured coverage at 0.95: .90 to 1.00 over 23 shapes (docs/statistics.md); a
    bootstrap of images loses rare classes, and covers .46 where those are the hard ones. Input and errors as in `mean_per_class`.
    """
    right, truth = _labelled(correct, labels, classes)
    total = np.bincount(truth, minlength=classes)
    present = total > 0
    n, hits = total[present].astype(np.float64), np.bincount(truth, weights=right, minlength=classes)[present]
    z2 = float(ndtri(0.5 + _checks.level_of(level) / 2.0)) ** 2
    inverse, k = 1 / n, n.size
    equal = k * k / inverse.sum()  # the effective number if all classes were equally hard (Kish 1965)
    mean = float(np.mean(hits / n))
    middle = (mean * equal + z2 / 2) / (equal + z2)
    pull = z2 * inverse / inverse.sum()
    mixed = (hits + SHRUNK * middle + pull / 2) / (n + SHRUNK + pull)
    variance = float(np.sum(mixed * (1 - mixed) * inverse)) / k**2
    return wilson_share(min(max(mean, 0.0), 1.0), middle * (1 - middle) / variance, level=level)


def _labelled(correct: npt.ArrayLike, labels: npt.ArrayLike, classes: int) -> tuple[_checks.Bools, _checks.Ints]:
    right = _checks.binary(correct, name="correct")
    return right, _checks.integers(labels, name="labels", n=right.size, classes=_checks.count(classes, name="classes"))


def relative(shift: float, clean: float) -> float:
    """Accuracy under a shift as a share of the clean accuracy: shift / clean (relative robustness).

    shift, clean: accuracies in [0, 1]. Returns 0 or more, 1 = nothing lost, higher is better; NaN when the clean accuracy is 0. ValueError
    outside [0, 1]. Says nothing about a model that is bad on both: read it beside the clean accuracy. Not the relative robustness of Taori
    et al. 2020, which is a difference between two models.
    """
    top, bottom = _checks.share(shift, name="shift"), _checks.share(clean, name="clean")
    return top / bottom if bottom > 0 else math.nan
