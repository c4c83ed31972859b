"""Whether models that are better at one thing are better at another: rank correlation, with an interval over lineages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtrit
from scipy.stats import rankdata

from pytest_clip.metrics.resampling import seed_from
from pytest_clip.study.clusters import Clusters, clusters
from pytest_clip.study.design import FEWEST
from pytest_clip.study.population import Floats, Population

FEWEST_LINEAGES = 5


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho of two columns over models; `refused` says why there is none."""

    one: str
    other: str
    rho: float | None
    interval: tuple[float, float] | None
    models: int
    lineages: int
    refused: str | None = None
    within: str = ""
    """a factor whose levels are not compared with each other"""


def correlation(population: Population, one: str, other: str, *, within: str = "", resamples: int = 1000) -> Correlation:
    """Spearman's rho between two values or amounts, ties at mean ranks; interval on Fisher's z by a bootstrap over lineages.

    Each lineage counts as one however many models it has: its models share a weight of 1. The half width is Student's t of (lineages - 2)
    degrees of freedom times the bootstrap's standard deviation. Null of an interval that leaves out 0: ranks are unrelated across lineages.
    `within` a factor, ranks are those among models of the same level, and levels of fewer than three lineages are left out.
    """
    x, y = (_column(population, name) for name in (one, other))
    kept = population.only(np.isfinite(x) & np.isfinite(y))
    if within:
        families = kept.families(within)
        kept = kept.only([level is not None and families[level] >= FEWEST for level in kept.factors[within]])
    x, y = _column(kept, one), _column(kept, other)
    lineages = len(set(kept.lineages))
    told = Correlation(one, other, None, None, len(kept), lineages, within=within)
    if lineages < FEWEST_LINEAGES:
        return _without(
            told, f"{len(kept)} models of {lineages} lineages have both{_among(within)}: a correlation takes at least {FEWEST_LINEAGES}"
        )
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return _without(told, f"all models have the same {one if np.ptp(x) == 0 else other}")
    if within:
        x, y = (_among_equals(column, kept.factors[within]) for column in (x, y))
    groups = clusters(kept.lineages, [""] * len(kept))
    size = np.array([kept.lineages.count(lineage) for lineage in kept.lineages], dtype=np.float64)
    rho = float(spearman(x, y, (1 / size)[None])[0])
    drawn = spearman(x, y, _drawn(groups, seed=seed_from(f"study {one} {other}"), resamples=resamples) / size)
    # Ranks that agree in every resample have no spread, and an interval is no point: the most that n ranks can say is half of one exchange
    # of neighbours away from 1, and their error is at least that of unrelated ranks on Fisher's z (Fieller et al. 1957). Within levels
    # ranks take few values, and the bootstrap alone left out 0 in 7 % of samples where nothing goes together.
    most = 1 - 6 / (lineages * (lineages**2 - 1))
    z = np.arctanh(np.clip(drawn[np.isfinite(drawn)], -0.9999, 0.9999))
    spread = float(z.std(ddof=1))
    levels = len({*kept.factors[within]}) if within else 1
    if within or abs(rho) > most:
        spread = max(spread, math.sqrt(1.06 / max(lineages - levels - 2, 1)))
    df = lineages - 1 - levels
    reach = float(-stdtrit(max(df, 1), 0.025) * spread)
    centre = math.atanh(max(min(rho, most), -most))
    low, high = math.tanh(centre - reach), math.tanh(centre + reach)
    return replace(told, rho=rho, interval=(min(low, rho), max(high, rho)))


def spearman(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Pearson's correlation of the ranks of x and y [n] with row weights [R, n]; ranks are those of all rows."""
    first, second = rankdata(x), rankdata(y)
    total = weights.sum(axis=1)
    one, other = (ranks - (weights @ ranks / total)[:, None] for ranks in (first, second))
    top = (weights * one * other).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = top / np.sqrt((weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1))
    return found


def _drawn(groups: Clusters, *, seed: int, resamples: int) -> Floats:
    count, weights = len(groups.rows), np.zeros((resamples, groups.n))
    rng = np.random.default_rng(seed)
    times = np.array([np.bincount(rng.integers(count, size=count), minlength=count) for _ in range(resamples)])
    for number, own in enumerate(groups.rows):
        weights[:, own] = times[:, [number]]
    return weights


def _column(population: Population, name: str) -> Floats:
    return population.values[name] if name in population.values else population.amounts[name]


def _without(told: Correlation, why: str) -> Correlation:
    return replace(told, refused=why)


def _among(within: str) -> str:
    return f" in levels of {within} with at least {FEWEST} lineages" if within else ""


def _among_equals(values: Floats, levels: Sequence[str | None]) -> Floats:
    """Ranks among the models of each level, from -1/2 to 1/2."""
    found = np.empty(len(values))
    for level in set(levels):
        own = np.array([each == level for each in levels])
        found[own] = (rankdata(values[own]) - (own.sum() + 1) / 2) / own.sum()
    return found
