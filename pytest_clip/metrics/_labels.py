"""Errors of a part against those of the whole: which of the images that err lie in the part is left to chance."""

from __future__ import annotations

import numpy as np

from ._exchange import chance
from ._pairs import Floats, Pair


def chances(pair: Pair, rng: np.random.Generator, draws: int) -> tuple[float, float] | None:
    """p of no rise and p of no fall of an error ratio of a part, given which images either model errs on; None for other statistics.

    The ratio is the share of a model's errors that lie in the part, times a constant. Where the shares of both models are equal, images
    that only one errs on and images that both do lie in the part by one and the same chance, so of those that err as many as observed are
    put there at random. A bootstrap cannot know that a model errs outside of the part when none of its few errors lies there: of models
    with 65 and 9 errors in 190 + 190 images it alarmed in 11.3 %. Ties count by half; scenes by the design effect of their images.
    """
    if pair.base.statistic != "part_error_ratio":
        return None
    before, after = ([1.0 - each["correct"].astype(np.float64) for each in (model.arrays, model.others)] for model in (pair.base, pair.now))
    totals = [sum(float(each.sum()) for each in errors) for errors in (before, after)]
    weights = [two / totals[1] - one / totals[0] for one, two in zip(before, after, strict=True)]
    erring = [(one > 0) | (two > 0) for one, two in zip(before, after, strict=True)]
    inside, outside = (int(each.sum()) for each in erring)
    observed = pair.sign * float(weights[0].sum())
    levels, counts = np.unique(np.concatenate([each[at] for each, at in zip(weights, erring, strict=True)]), return_counts=True)
    placed = rng.multivariate_hypergeometric(counts, inside, size=draws)
    effect = _effect(pair, weights, inside / (inside + outside))
    values: Floats = pair.sign * np.sqrt(effect) * (placed @ levels)  # around 0, because all weights add up to 0
    up, down = (chance(side * values, side * observed, units=pair.units, differing=pair.differing) for side in (1, -1))
    return up, down


def _effect(pair: Pair, weights: list[Floats], share: float) -> float:
    """Variance between units over that between their images, at least 1."""
    between = within = 0.0
    for each, members, label in zip(weights, pair.members, (1.0, 0.0), strict=True):
        adds = each * (label - share)
        between += float(np.sum(np.bincount(members, weights=adds) ** 2))
        within += float(np.sum(adds**2))
    return max(between / within, 1.0) if within > 0 else 1.0
