"""Units of two models' outcomes (samples, or the scenes and images that samples share): drawn, exchanged, left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _checks
from ._statistic import Columns
from .mcnemar import score_bounds
from .outcomes import Outcomes
from .statistics import STATISTICS

Floats: TypeAlias = _checks.Floats
Members: TypeAlias = npt.NDArray[np.intp]

BLOCKS = 500
"""Units that are left out one by one; of more, blocks of them, so that a gate takes seconds at any size."""


@dataclass(frozen=True)
class Pair:
    """The same samples answered by two models. `sign`: -1 where higher is better, 1 where lower is.

    members: the unit [n] and [m] of each sample of the two kinds, 0 .. units - 1; empty where there is no second kind.
    """

    base: Outcomes
    now: Outcomes
    sign: int
    members: tuple[Members, Members]

    @classmethod
    def of(cls, base: Outcomes, now: Outcomes, sign: int) -> Pair:
        now = now.like(base)
        return cls(base, now, sign, (_members(base.clusters, len(base.ids)), _members(base.other_clusters, len(base.other_ids))))

    @property
    def counts(self) -> tuple[int, int]:
        """Units of each kind, 0 where there are none."""
        first, second = (int(each.max()) + 1 if each.size else 0 for each in self.members)
        return first, second

    @property
    def units(self) -> int:
        """Units of the smaller kind."""
        return min(each for each in self.counts if each)

    @property
    def differing(self) -> int:
        """Units of both kinds that the models answered differently."""
        found = 0
        for mine, theirs, members in zip(
            (self.base.arrays, self.base.others), (self.now.arrays, self.now.others), self.members, strict=True
        ):
            if mine:
                unlike = np.any([(mine[name] != theirs[name]).reshape(len(members), -1).any(axis=1) for name in mine], axis=0)
                found += np.unique(members[unlike]).size
        return found

    def shares(self, *, level: float) -> tuple[float, float] | None:
        """Score bounds of the drop of a share of right answers, None where the statistic is no such share.

        Samples of one scene say less than as many scenes: counts are divided by the design effect, the variance of the drop between scenes
        over that between samples (Rao & Scott 1992), at least 1. Two more scenes that disagree whole, one each way, are taken into both
        variances, so that of no disagreement nothing but the number of scenes counts.
        """
        one, two = self.base.binary, self.now.binary
        if one is None or two is None:
            return None
        lost = self.sign * (two.astype(np.float64) - one)
        of, n = self.members[0], lost.size
        scenes = int(of.max()) + 1
        off = lost - lost.mean()
        between = np.sum(np.bincount(of, weights=off) ** 2) * scenes / (scenes - 1) + 2 * (n / scenes) ** 2
        effect = max(float(between / (np.sum(off**2) + 2 * n / scenes)), 1.0)
        worse, better = (np.count_nonzero(lost == side) / effect for side in (1, -1))
        low, high = score_bounds(worse, better, n / effect, level=level)
        return float(low), float(high)

    def drops(self) -> Callable[[Floats, Floats], Floats]:
        """The drop [R] of weights [R, n] and [R, m]."""
        before, after = self.base.prepared(), self.now.prepared()

        def weighed(w: Floats, v: Floats) -> Floats:
            values: Floats = self.sign * (after(w, v) - before(w, v))
            return values

        return weighed

    def exchanged(self) -> Callable[[Floats, Floats], Floats]:
        """The drop [R] where the models have exchanged their answers to the samples of weight 1, and kept those of weight 0."""
        both = STATISTICS[str(self.base.statistic)].of(
            _stacked(self.base.arrays, self.now.arrays), _stacked(self.base.others, self.now.others), self.base.params
        )

        def weighed(w: Floats, v: Floats) -> Floats:
            first, second = np.hstack([w, 1 - w]), np.hstack([v, 1 - v])
            values: Floats = self.sign * (both(1 - first, 1 - second) - both(first, second))
            return values

        return weighed

    def draws(self, rng: np.random.Generator, resamples: int, drawn: Any, *, width: int = 1) -> Iterator[tuple[Floats, ...]]:
        """Weights of the units [rows, U], [rows, V] and of their samples [rows, n], [rows, m], some rows at a time.

        512 kB of them, which stay in a core's cache. They are drawn in blocks four times that large: how many are drawn at once decides
        which ones, and so every p and bound.
        """
        rows = max(1, 2**18 // (width * (len(self.base.ids) + len(self.base.other_ids))))
        step = max(1, rows // 4)
        for start in range(0, resamples, rows):
            some = min(rows, resamples - start)
            kinds = [drawn(rng, some, count) if count else np.zeros((some, 0)) for count in self.counts]
            for part in range(0, some, step):
                units = [each[part : part + step] for each in kinds]
                yield *units, *self.spread(*units)

    def spread(self, *units: Floats) -> list[Floats]:
        """Weights of samples, from those of their units."""
        return [
            each if count == len(members) else np.take(each, members, axis=1)
            for each, members, count in zip(units, self.members, self.counts, strict=True)
        ]

    def errors(self) -> Callable[[Floats, Floats], Floats]:
        """The standard error [R] of the drop of samples that drew units so often [R, U], [R, V].

        Of a ratio of sums (a mean, a share, an error ratio) it is that of the resample itself: sqrt(sum_u W_u e_u^2), where a unit adds
        e_u = (top_u - ratio bottom_u) / sum(bottom) to the drop, with ratio and sum of the resample. Of anything else units add what
        `left_out` says of the whole sample.
        """
        sums = STATISTICS[str(self.base.statistic)].sums
        if sums is None:
            adds = self.left_out(self.drops())
            return lambda *drawn: np.sqrt(sum(_variance(each, w) for each, w in zip(adds, drawn, strict=True) if each.size))
        both = [each for model in (self.base, self.now) for each in sums(model.arrays, model.params)]
        held = np.stack([np.bincount(self.members[0], weights=each) for each in both], axis=1)
        first, second = np.triu_indices(4)
        products = held[:, first] * held[:, second] * np.where(first == second, 1.0, 2.0)

        def weighed(w: Floats, v: Floats) -> Floats:
            top, bottom, other_top, other_bottom = (w @ held).T
            with np.errstate(divide="ignore", invalid="ignore"):
                times = np.stack([-1 / bottom, top / bottom**2, 1 / other_bottom, -other_top / other_bottom**2], axis=1)
                variance = np.einsum("rk,rk->r", w @ products, times[:, first] * times[:, second])
            found: Floats = np.sqrt(np.maximum(variance, 0.0))
            return found

        return weighed

    def left_out(self, weighed: Callable[[Floats, Floats], Floats]) -> list[Floats]:
        """What each unit adds to a number: (U - 1) (mean - what is left without it), [U] for each kind; mean 0, NaN where undefined.

        The jackknife of Quenouille and Tukey; for a mean it is the unit's distance from the mean. Of more than BLOCKS units, every
        BLOCKS-th is left out at once, and each gets its block's, scaled to the variance of one.
        """
        whole = [np.ones((1, count)) for count in self.counts]
        found = []
        for kind, count in enumerate(self.counts):
            blocks = min(count, BLOCKS)
            of = np.arange(count) % max(blocks, 1)
            rest = np.empty(blocks)
            rows = max(1, 2**18 // max(1, len(self.members[0]) + len(self.members[1])))
            for start in range(0, blocks, rows):
                chosen = np.arange(start, min(start + rows, blocks))
                units = [np.repeat(each, len(chosen), axis=0) for each in whole]
                units[kind] = (of[None, :] != chosen[:, None]).astype(np.float64)
                rest[chosen] = weighed(*self.spread(*units))
            found.append((np.sqrt(count / blocks) * (blocks - 1) * (rest.mean() - rest))[of] if blocks > 1 else np.zeros(count))
        return found


def _variance(adds: Floats, w: Floats) -> Floats:
    """Of the mean of `adds` [U] drawn so often [R, U]."""
    spread: Floats = np.maximum(w @ adds**2 / adds.size - (w @ adds / adds.size) ** 2, 0.0) / adds.size
    return spread


def coins(rng: np.random.Generator, rows: int, n: int) -> Floats:
    """0 or 1 for each unit."""
    bits = np.frombuffer(rng.bytes(-(-rows * n // 8)), dtype=np.uint8)
    return np.unpackbits(bits, count=rows * n).reshape(rows, n).astype(np.float64)


def with_replacement(rng: np.random.Generator, rows: int, n: int) -> Floats:
    """How often each of n units was drawn in n draws."""
    places = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _members(clusters: npt.NDArray[np.int64] | None, n: int) -> Members:
    return np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1].astype(np.intp)


def _stacked(one: Columns, two: Columns) -> Columns:
    return {name: np.concatenate([one[name], two[name]]) for name in one}
