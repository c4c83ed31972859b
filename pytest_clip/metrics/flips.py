"""Flips: which samples were right and are wrong now, and in which classes and factors they pile up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from . import _checks
from .holm import holm


@dataclass(frozen=True)
class Group:
    """The samples whose `fact` (class, pose, ...) is `value`: of `at_risk` that were right, `worse` are wrong now.

    `odds_ratio`: odds of going wrong in the group over the odds outside, each of the four counts plus 1/2 (Haldane & Anscombe), so that it
    is finite when a count is 0; above 1 = more than elsewhere. `p`: Fisher's exact test of "no more than elsewhere", corrected by Holm for
    all groups of all facts.
    """

    fact: str
    value: str
    worse: int
    at_risk: int
    odds_ratio: float
    p: float


@dataclass(frozen=True)
class Flips:
    """`worse`, `better`: samples that went from right to wrong and from wrong to right, in the order given; `at_risk`: how many were right.

    `groups`: those in which something went wrong, the most surprising first.
    """

    worse: tuple[str, ...]
    better: tuple[str, ...]
    at_risk: int
    groups: tuple[Group, ...]

    def concentrated(self, *, alpha: float = 0.05) -> tuple[Group, ...]:
        """The groups that stand out: corrected p <= `alpha`."""
        return tuple(group for group in self.groups if group.p <= alpha)


def flips(base: npt.ArrayLike, now: npt.ArrayLike, *, ids: Sequence[str], facts: Mapping[str, Sequence[str]] | None = None) -> Flips:
    """What changed between two models that answered the same samples.

    base, now: bool or 0/1 [n], whether each sample was answered rightly; ids: n texts; facts: columns of n texts by name. A group is
    compared with all other samples that were right, because only these can go wrong. A fact with the same value everywhere makes no group.
    ValueError for wrong shapes or values.
    """
    before = _checks.binary(base, name="base")
    after = _checks.binary(now, name="now", n=before.size)
    columns = {"ids": ids, **(facts or {})}
    for name, column in columns.items():
        if len(column) != before.size:
            raise ValueError(f"{name} has {len(column)} values where {before.size} are needed, one per sample")
    lost = before & ~after
    counts = {}
    for fact, column in (facts or {}).items():
        values, which = np.unique(np.asarray([str(each) for each in column])[before], return_inverse=True)
        if values.size < 2:
            continue
        worse, total = np.bincount(which, weights=lost[before]).astype(int), np.bincount(which)
        for value, a, at_risk in zip(values.tolist(), worse.tolist(), total.tolist(), strict=True):
            counts[fact, value] = (a, at_risk)
    all_lost, all_at_risk = int(lost.sum()), int(before.sum())
    p = holm({key: fisher_greater(a, n, all_lost, all_at_risk) for key, (a, n) in counts.items()})
    groups = [Group(*key, a, n, odds_ratio(a, n, all_lost, all_at_risk), p[key]) for key, (a, n) in counts.items() if a]
    groups.sort(key=lambda group: (group.p, -group.odds_ratio, group.fact, group.value))
    return Flips(_named(ids, lost), _named(ids, after & ~before), all_at_risk, tuple(groups))


def fisher_greater(worse: int, at_risk: int, all_worse: int, all_at_risk: int) -> float:
    """One-sided Fisher's exact test: P(at least `worse` of the `all_worse` are among the `at_risk` of `all_at_risk`, if drawn blindly).

    Equals `scipy.stats.fisher_exact(..., alternative="greater")`. ValueError for counts that do not fit into each other.
    """
    a, n, k, m = (_checks.count(each, name="a count", at_least=0) for each in (worse, at_risk, all_worse, all_at_risk))
    if not (a <= min(n, k) and max(n, k) <= m and k - a <= m - n):
        raise ValueError(f"{a} of {n} and {k} of {m} are no counts of a part and its whole")
    x = np.arange(a, min(n, k) + 1)
    each = np.exp(_log_choose(k, x) + _log_choose(m - k, n - x) - _log_choose(m, np.array([n])))
    return min(float(each.sum()), 1.0)


def odds_ratio(worse: int, at_risk: int, all_worse: int, all_at_risk: int) -> float:
    """Odds of `worse` among `at_risk` over those among the rest of `all_at_risk`, with 1/2 added to each of the four counts."""
    a, b = worse + 0.5, at_risk - worse + 0.5
    c, d = all_worse - worse + 0.5, all_at_risk - at_risk - (all_worse - worse) + 0.5
    return a * d / (b * c)


def _log_choose(n: int, k: npt.NDArray[np.int_]) -> _checks.Floats:
    inside = (k >= 0) & (k <= n)
    held = np.where(inside, k, 0)
    values: _checks.Floats = np.where(inside, gammaln(n + 1) - gammaln(held + 1) - gammaln(n - held + 1), -np.inf)
    return values


def _named(ids: Sequence[str], chosen: _checks.Bools) -> tuple[str, ...]:
    return tuple(str(ids[row]) for row in np.flatnonzero(chosen).tolist())
