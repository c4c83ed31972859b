"""Out-of-distribution scores that use the text tower: words far from every known class as competitors (NegLabel), and single places of the
picture beside the whole of it (GL-MCM). Both are higher in distribution."""

import math

import numpy as np
import numpy.typing as npt

from . import _checks
from .calibration import softmax
from .ood import mcm

QUANTILE, SHARE, GROUPS, SEED, SCALE = 0.95, 0.15, 100, 0, 100.0
"""As published for ImageNet-1k: the distance of a word, which part of the words is kept, in how many groups, drawn how, and the scale."""
LEAST = 10
"""Words of a group at least: a short list makes fewer groups than GROUPS."""


def mine(words: npt.ArrayLike, classes: npt.ArrayLike, *, quantile: float = QUANTILE, share: float = SHARE) -> _checks.Ints:
    """Which words serve as negatives, farthest first: rows of `words`, int64 [max(1, floor(share m))].

    A word is as near as the `quantile` of its cosines to the classes, interpolated as numpy and torch do; the `share` of the words with the
    smallest come first, ties in their order. words: float [m, d]; classes: float [C, d]; normalised here; quantile and share: 0 to 1, share
    above 0. ValueError for NaN, rows of length 0, wrong shapes. Source: Jiang et al. 2024, "Negative Label Guided OOD Detection with
    Pretrained Vision-Language Models", Algorithm 1 (NegMining), and its code.
    """
    from ._cosines import two_sets

    told, known = two_sets(words, classes, names=("words", "classes"))
    if not (0 <= quantile <= 1 and 0 < share <= 1):
        raise ValueError(f"quantile must be 0 to 1 and share above 0 and at most 1; got {quantile} and {share}")
    near = np.quantile(told @ known.T, quantile, axis=1)
    kept = max(1, int(len(told) * share))
    found: _checks.Ints = np.argsort(near, kind="stable")[:kept].astype(np.int64)
    return found


def groups(n: int, *, most: int = GROUPS, least: int = LEAST, seed: int = SEED) -> _checks.Ints:
    """`n` negatives in groups of one size: int64 [groups, size], rows of the mined list.

    `most` groups, or as many as hold `least` words each, at least one. What is left over, from the end of the list, is dropped; the rest is
    permuted by numpy's `default_rng(seed)` (the published code permutes on a GPU, so its groups are others).
    """
    many = max(1, min(_checks.count(most, name="most"), _checks.count(n, name="n") // _checks.count(least, name="least")))
    size = n // many
    out: _checks.Ints = np.random.default_rng(seed).permutation(many * size).reshape(many, size).astype(np.int64)
    return out


def neglabel(known: npt.ArrayLike, negative: npt.ArrayLike, grouped: npt.ArrayLike, *, scale: float = SCALE) -> _checks.Floats:
    """Mean over groups of the softmax mass on the known classes among these and the words of the group. Float64 [n] in (0, 1).

    known: float [n, C], negative: float [n, M], cosines in [-1, 1]; grouped: int [G, size], columns of `negative`; scale: above 0, of the
    softmax. Higher = more in distribution. ValueError for NaN, values beyond +-1.01, wrong shapes, columns that are not there. Source:
    Jiang et al. 2024, equations 6 and 8, "sum" form with the grouping strategy.
    """
    inside, outside = _cosines_of(known, name="known"), _cosines_of(negative, name="negative")
    if len(inside) != len(outside):
        raise ValueError(f"negative has {len(outside)} rows where {len(inside)} are needed, one per image")
    columns = np.asarray(grouped)
    if columns.ndim != 2 or columns.dtype.kind not in "iu" or columns.size == 0 or columns.min() < 0 or columns.max() >= outside.shape[1]:
        raise ValueError(f"grouped must be whole numbers [groups, size] below {outside.shape[1]}, the number of negatives")
    t = _checks.positive(scale, name="scale")
    top = np.maximum(inside.max(axis=1), outside.max(axis=1))[:, None]  # of all, so that no group overflows
    mass, others = np.exp(t * (inside - top)).sum(axis=1), np.exp(t * (outside - top))
    score = np.zeros(len(inside))
    for group in columns:
        score += mass / np.maximum(mass + others[:, group].sum(axis=1), math.ulp(0.0))
    out: _checks.Floats = score / len(columns)
    return out


def local_mcm(cosines: npt.ArrayLike, *, tau: float = 1.0) -> _checks.Floats:
    """L-MCM: the largest softmax probability of any class at any place, max_p max_c softmax(cosine_p / tau)_c. Float64 [n] in [1 / C, 1].

    cosines: float [n, places, C] in [-1, 1], without CLIP's logit scale; tau: above 0. Higher = more in distribution. ValueError as in
    `ood.mcm`. Source: Miyai et al. 2025, "GL-MCM: Global and Local Maximum Concept Matching for Zero-Shot OOD Detection", equation 4.
    """
    cos = _cosines_of(cosines, name="cosines", ndim=3)
    n, places, c = cos.shape
    best: _checks.Floats = softmax(cos.reshape(n * places, c), temperature=_checks.positive(tau, name="tau")).max(axis=1)
    out: _checks.Floats = best.reshape(n, places).max(axis=1)
    return out


def gl_mcm(cosines: npt.ArrayLike, local: npt.ArrayLike, *, tau: float = 1.0, weight: float = 1.0) -> _checks.Floats:
    """GL-MCM: `ood.mcm` of the whole picture plus `weight` times the `local_mcm` of its places. Float64 [n], higher = more in distribution.

    cosines: float [n, C]; local: float [n], what `local_mcm` gives; weight: 0 or more (the published lambda: 1, on ImageNet 0.5). Source as
    `local_mcm`, equation 5.
    """
    return with_places(mcm(cosines, tau=tau), local, weight=weight)


def with_places(mcm_scores: npt.ArrayLike, local: npt.ArrayLike, *, weight: float) -> _checks.Floats:
    """`gl_mcm` from the scores that `ood.mcm` gives, float64 [n]; everything else as there."""
    whole, places = _checks.finite(mcm_scores, name="mcm_scores", ndim=1), _checks.finite(local, name="local", ndim=1)
    if whole.size != places.size:
        raise ValueError(f"local has {places.size} entries where {whole.size} are needed, one per image")
    if not (weight >= 0 and math.isfinite(weight)):
        raise ValueError(f"weight must be a finite number of 0 or more, not {weight}")
    out: _checks.Floats = whole + weight * places
    return out


def _cosines_of(values: npt.ArrayLike, *, name: str, ndim: int = 2) -> _checks.Floats:
    cos = _checks.finite(values, name=name, ndim=ndim)
    if np.abs(cos).max() > 1.01:
        raise ValueError(f"{name} must be in [-1, 1]; found {cos.min():.6g} to {cos.max():.6g}: leave out the logit scale")
    return cos
