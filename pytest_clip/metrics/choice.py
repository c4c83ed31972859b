"""Choosing among captions of one image: multiple choice, and triples of two true wordings and a false one."""

import numpy as np
import numpy.typing as npt

from . import _checks
from .retrieval import _margin

PARAPHRASE_CHANCE = 1 / 3
"""Of three scores in random order the false one is the lowest in one of three."""


def chosen(scores: npt.ArrayLike, right: npt.ArrayLike, *, margin: float = 0.0) -> _checks.Ints:
    """Which of the captions of each image a model chooses: the one that scores highest, int64 [n].

    A tie is wrong: where the true caption is not strictly above every other, s_i,right > max_j s_ij + margin, the choice is the highest of
    the others (the first of several), because an argmax that meets the true caption first would make a blind model perfect. `margin`, 0 or
    more, is for scores that differ only by rounding. The share of `chosen == right` is the accuracy, 0 to 1, higher is better, chance
    1 / k. scores: float [n, k], k of 2 or more; right: int [n], 0 to k - 1. ValueError for NaN, wrong shapes, a `right` that is none.
    Source: the multiple choice of Alhamoud et al. 2025 (NegBench), section 3, on normalised embeddings.
    """
    told = _checks.finite(scores, name="scores", ndim=2)
    n, k = told.shape
    if k < 2:
        raise ValueError(f"scores must have two captions or more for each image, not {k}")
    true = _checks.integers(right, name="right", n=n)
    if true.max() >= k:
        raise ValueError(f"right must be below the number of captions, {k}; found {true.max()}")
    rows = np.arange(n)
    others = told.copy()
    others[rows, true] = -np.inf
    best: _checks.Ints = np.where(told[rows, true] > others.max(axis=1) + _margin(margin), true, others.argmax(axis=1))
    return best


def paraphrased(first: npt.ArrayLike, second: npt.ArrayLike, false: npt.ArrayLike, *, margin: float = 0.0) -> _checks.Bools:
    """Whether both true captions of each image beat the false one, strictly: min(s_i1, s_i2) > f_i + margin. Bool [n].

    The mean is 0 to 1, higher is better, chance `PARAPHRASE_CHANCE`. first, second, false: float [n]. ValueError for NaN and wrong shapes.
    Source: Dumpala et al. 2024 (SugarCrepe++), the image-to-text task.
    """
    one = _checks.finite(first, name="first", ndim=1)
    two, foil = (_checks.finite(each, name=name, ndim=1) for each, name in ((second, "second"), (false, "false")))
    for name, each in (("second", two), ("false", foil)):
        if each.size != one.size:
            raise ValueError(f"{name} has {each.size} entries where {one.size} are needed, one per image")
    beaten: _checks.Bools = np.minimum(one, two) > foil + _margin(margin)
    return beaten


def text_only(first: npt.ArrayLike, second: npt.ArrayLike, false: npt.ArrayLike, *, margin: float = 0.0) -> _checks.Bools:
    """Whether two true captions are strictly nearer to each other than either is to the false one: cos(a_i, b_i) > cos(a_i, f_i) + margin
    and > cos(b_i, f_i) + margin. Bool [n]; no image is asked.

    first, second, false: float [n, d], rows of length 1. The mean is 0 to 1, higher is better, chance 1 / 3. ValueError for NaN and wrong
    shapes. Source: Dumpala et al. 2024 (SugarCrepe++), the text-only task.
    """
    one = _checks.finite(first, name="first", ndim=2)
    two, foil = (_checks.finite(each, name=name, ndim=2) for each, name in ((second, "second"), (false, "false")))
    for name, each in (("second", two), ("false", foil)):
        if each.shape != one.shape:
            raise ValueError(f"{name} has the shape {each.shape} where {one.shape} is needed, one row per image")
    other = np.maximum((one * foil).sum(1), (two * foil).sum(1))
    nearer: _checks.Bools = (one * two).sum(1) > other + _margin(margin)
    return nearer
