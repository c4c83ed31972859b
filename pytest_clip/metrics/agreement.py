"""Agreement: does a model give the same answers to two views of the same images, right or wrong."""

import math

import numpy as np
import numpy.typing as npt

from . import _checks


def predictions(scores: npt.ArrayLike) -> _checks.Ints:
    """The class with the one highest score, or -1 where several classes share it.

    scores: float [n, C], any scale, higher = more likely. Returns int64 [n] in -1 .. C-1. So a collapsed model, whose scores are all equal,
    has no predictions at all, where an argmax would answer class 0 to every view and agree with itself. ValueError for NaN or infinite
    scores and wrong shapes.
    """
    values = _checks.finite(scores, name="scores", ndim=2)
    at_the_top = np.count_nonzero(values == values.max(axis=1, keepdims=True), axis=1)
    chosen: _checks.Ints = np.where(at_the_top == 1, values.argmax(axis=1), -1).astype(np.int64)
    return chosen


def agree(first: npt.ArrayLike, second: npt.ArrayLike) -> _checks.Bools:
    """Whether both views of an image have the same prediction: a_i = b_i and a_i >= 0. Bool [n].

    first, second: int [n], class numbers, -1 = undecided (`predictions`), entry i of both from the same image. Undecided never agrees,
    not even with undecided. ValueError for wrong shapes, floats and numbers below -1.
    """
    one = answers(first, name="first")
    two = answers(second, name="second", n=one.size)
    same: _checks.Bools = (one == two) & (one >= 0)
    return same


def agreement(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Share of images with the same prediction in both views: mean of `agree`.

    Inputs and errors as in `agree`. Returns 0 to 1, higher is better; the interval is `intervals.wilson(sum, n)`. Says nothing about being
    right, and a model that always answers one class agrees with itself: read it beside the accuracy or `kappa`.
    """
    return float(np.mean(agree(first, second)))


def flip_rate(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Share of images whose prediction changes between the views: mean of not `agree`. Returns 0 to 1, lower is better."""
    return float(np.mean(~agree(first, second)))


def kappa(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Agreement beyond chance: (o - e) / (1 - e), o = `agreement`, e = sum_c P(a = c) P(b = c) over the classes.

    Inputs and errors as in `agree`. Returns -1 to 1, higher is better, 0 = as often as the answer frequencies alone explain. NaN when e is
    1: a model that gives one answer to everything has not been tested. Source: Cohen 1960; equals scikit-learn's `cohen_kappa_score` when
    nothing is undecided.
    """
    observed = int(np.count_nonzero(agree(first, second)))
    one, two = answers(first, name="first"), answers(second, name="second")
    n, classes = one.size, int(max(one.max(), two.max(), 0)) + 1
    # times n^2, in whole numbers: 1 - e is exactly 0 where it should be
    expected = int(np.bincount(one[one >= 0], minlength=classes) @ np.bincount(two[two >= 0], minlength=classes))
    return (n * observed - expected) / (n * n - expected) if expected < n * n else math.nan


def answers(array: npt.ArrayLike, *, name: str, n: int | None = None, classes: int | None = None) -> _checks.Ints:
    """`array` as non-empty int64 [n] with values -1 (undecided) .. classes - 1."""
    given = np.asarray(array)
    if given.dtype.kind == "i" and given.size and given.min() < -1:
        raise ValueError(f"{name} must be a class number or -1 for undecided; found {given.min()}")
    undecided = np.asarray(given == -1)
    checked = _checks.integers(np.where(undecided, 0, given), name=name, n=n, classes=classes)
    checked[undecided] = -1
    return checked
