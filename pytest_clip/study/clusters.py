"""How sure a contrast of models is, when models of one lineage are not independent: lineages are drawn, not models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from pytest_clip.metrics.robust import TUNING, huber
from pytest_clip.study.population import Floats

MANY, LEFT_OUT = 100, 30
"""Of more lineages than this the jackknife leaves out groups of them, so many, one after the other."""


@dataclass(frozen=True)
class Estimate:
    """A contrast with its 95 % interval and two-sided p (null: the contrast is 0), by Student's t with `df` degrees of freedom."""

    value: float
    error: float
    df: float

    @property
    def interval(self) -> tuple[float, float]:
        reach = self.reach(0.95)
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float:
        return 1.0 if self.error == 0 and self.value == 0 else float(2 * stdtr(self.df, -abs(self.value) / max(self.error, 1e-300)))

    def with_images(self, variance: float) -> Estimate:
        """With a second source of error of many degrees of freedom: which images were asked."""
        if variance <= 0:
            return self
        error = float(np.hypot(self.error, np.sqrt(variance)))
        return Estimate(self.value, error, self.df * (error / self.error) ** 4 if self.error > 0 else 1e6)

    def reach(self, level: float) -> float:
        return float(-stdtrit(self.df, (1 - level) / 2) * self.error)


@dataclass(frozen=True)
class Fit:
    """Huber's coefficients [p], those without each lineage [G, p], and those of resamples [R, p]."""

    coefficients: Floats
    without: Floats
    drawn: Floats
    strata: dict[str, npt.NDArray[np.intp]]

    def estimate(self, contrast: Floats) -> Estimate:
        """A contrast [p] of the coefficients; its error is the larger of bootstrap and jackknife, its df Welch's over strata."""
        left_out = self.without @ contrast
        parts = [
            ((len(own) - 1) / len(own) * float(np.sum((left_out[own] - left_out[own].mean()) ** 2)), len(own))
            for own in self.strata.values()
        ]
        spread = sum(part for part, _ in parts)
        shares = sum(part**2 / (size - 1) for part, size in parts if part > 0)
        df = spread**2 / shares if shares > 0 else float(max(len(self.without) - len(parts), 1))
        scatter = float((self.drawn @ contrast).std(ddof=1)) if len(self.drawn) > 1 else 0.0
        return Estimate(float(contrast @ self.coefficients), max(scatter, float(np.sqrt(spread))), df)


def fit(
    rows: Floats,
    y: Floats,
    *,
    lineages: Sequence[str],
    strata: Sequence[str],
    seed: int,
    resamples: int = 1000,
    tuning: float = TUNING,
) -> Fit:
    """Huber's regression with a bootstrap over lineages within strata and a jackknife over lineages.

    rows [n, p], y [n]; `lineages` and `strata` per row. A stratum is a level of the factor that is asked for, so no resample lacks one. Of
    its G lineages G - 1 are drawn and weigh G / (G - 1): drawing G of G finds a third too little variance where G = 3. With `resamples` 0
    the errors are the jackknife's, which leaves out groups of lineages where there are more than a hundred.
    ValueError for a single lineage. Source: Rao & Wu 1988; Satterthwaite 1946.
    """
    groups = clusters(lineages, strata)
    left_out = groups.together(LEFT_OUT)
    without = np.ones((len(left_out.rows), groups.n))
    for number, own in enumerate(left_out.rows):
        without[number, own] = 0.0
    if not resamples:  # all fits in one go
        both = huber(rows, y, weights=np.vstack([np.ones(groups.n), without]), tuning=tuning)
        return Fit(both[0], both[1:], np.empty((0, rows.shape[1])), left_out.by_stratum)
    drawn = huber(rows, y, weights=_rescaled(groups, seed=seed, resamples=resamples), tuning=tuning)
    return Fit(huber(rows, y, tuning=tuning), huber(rows, y, weights=without, tuning=tuning), drawn, left_out.by_stratum)


@dataclass(frozen=True)
class Clusters:
    """Row numbers of each lineage, and which lineages each stratum has."""

    rows: tuple[npt.NDArray[np.intp], ...]
    by_stratum: dict[str, npt.NDArray[np.intp]]
    n: int

    def together(self, most: int) -> Clusters:
        """Of `MANY` lineages and more about so many groups of them, each of one stratum and at least three a stratum."""
        count = len(self.rows)
        if count <= MANY:
            return self
        rows: list[npt.NDArray[np.intp]] = []
        names: dict[str, npt.NDArray[np.intp]] = {}
        for name, own in self.by_stratum.items():
            parts = min(len(own), max(3, round(most * len(own) / count)))
            names[name] = np.arange(len(rows), len(rows) + parts)
            rows += [np.concatenate([self.rows[each] for each in own[at::parts]]) for at in range(parts)]
        return Clusters(tuple(rows), names, self.n)


def clusters(lineages: Sequence[str], strata: Sequence[str]) -> Clusters:
    """A lineage with rows in several strata makes one stratum of them, and strata of a single lineage are put together."""
    members: dict[str, list[int]] = {}
    for at, lineage in enumerate(lineages):
        members.setdefault(lineage, []).append(at)
    home = {lineage: "+".join(sorted({str(strata[at]) for at in rows})) for lineage, rows in members.items()}
    sizes = {each: list(home.values()).count(each) for each in home.values()}
    names: dict[str, list[int]] = {}
    for number, lineage in enumerate(members):
        names.setdefault(home[lineage] if sizes[home[lineage]] > 1 else "", []).append(number)
    if len(names.get("", [])) == 1:  # nothing to put it with
        least = min((each for each in names if each), key=lambda each: len(names[each]), default="")
        if not least:
            raise ValueError("one lineage alone says nothing about how lineages differ")
        names[least] += names.pop("")
    return Clusters(
        tuple(np.array(rows) for rows in members.values()), {name: np.array(own) for name, own in names.items()}, len(lineages)
    )  # fmt: skip


def _rescaled(groups: Clusters, *, seed: int, resamples: int) -> Floats:
    rng, weights = np.random.default_rng(seed), np.empty((resamples, groups.n))
    for own in groups.by_stratum.values():
        size = len(own)
        drawn = rng.integers(size, size=(resamples, size - 1)) + size * np.arange(resamples)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * resamples).reshape(resamples, size) * (size / (size - 1))
        for place, cluster in enumerate(own):
            weights[:, groups.rows[cluster]] = times[:, [place]]
    return weights
