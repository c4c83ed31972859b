"""Outcomes: what a model made of each sample, kept so that the number of a gate can be computed again, on any resample of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _checks
from ._statistic import Columns
from .statistics import STATISTICS


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One gate's outcomes on n samples (images, pairs of views, captions), and the name of the statistic that makes its number of them.

    statistic: a key of `statistics.STATISTICS`, which says the arrays that it reads; None where no statistic makes the number of them.
    arrays: each [n, ...], finite numbers; ids: n texts that say which sample is which, in this run and in the one it is compared with.
    clusters: int [n], samples with one number share a scene or an image and are drawn together; None: each stands alone. params: numbers
    that the statistic needs, such as `bins`. others, other_ids, other_clusters: the second sample [m] of a two-sample statistic, such as
    the unknown images of an AUROC. ValueError for lengths that differ, NaN, an unknown statistic, a missing array.
    """

    statistic: str | None
    arrays: Mapping[str, npt.NDArray[Any]]
    ids: tuple[str, ...] = ()
    clusters: npt.NDArray[np.int64] | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    others: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    other_ids: tuple[str, ...] = ()
    other_clusters: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for side in ("", "other_"):
            arrays = _arrays(getattr(self, "others" if side else "arrays"))
            n = next((len(each) for each in arrays.values()), 0)
            ids = tuple(str(each) for each in getattr(self, f"{side}ids")) or tuple(str(row) for row in range(n))
            clusters = getattr(self, f"{side}clusters")
            if clusters is not None:
                clusters = _checks.integers(clusters, name=f"{side}clusters", n=n)
            for name, length in [*((name, len(each)) for name, each in arrays.items()), (f"{side}ids", len(ids))]:
                if length != n:
                    raise ValueError(f"{name} has {length} entries where {n} are needed, one per sample")
            for key, value in (("others" if side else "arrays", arrays), (f"{side}ids", ids), (f"{side}clusters", clusters)):
                object.__setattr__(self, key, value)
        if not self.arrays:
            raise ValueError("outcomes need at least one array")
        if self.statistic is not None:
            self._check_reads()

    def _check_reads(self) -> None:
        statistic = STATISTICS.get(str(self.statistic))
        if statistic is None:
            raise ValueError(f"unknown statistic {self.statistic!r}; known: {', '.join(STATISTICS)}")
        for needed, given, what in (
            (statistic.reads, self.arrays, "array"),
            (statistic.reads_others, self.others, "array of the second sample"),
            (statistic.params, self.params, "parameter"),
        ):
            missing = [name for name in needed if name not in given]
            if missing:
                raise ValueError(f"the statistic {self.statistic!r} needs the {what} {missing[0]!r}; given: {', '.join(given) or 'none'}")

    @property
    def n(self) -> int:
        """Samples, without those of the second sample."""
        return len(self.ids)

    @property
    def value(self) -> float:
        """The statistic of all samples; NaN where it is not defined. ValueError without a statistic."""
        one, two = np.ones((1, len(self.ids))), np.ones((1, len(self.other_ids)))
        return float(self.prepared()(one, two)[0])

    def prepared(self) -> Any:
        """A function of weights [R, n] and [R, m] (how often each sample was drawn) that gives the statistic [R] of each resample."""
        if self.statistic is None:
            raise ValueError("these outcomes have no statistic")
        return STATISTICS[self.statistic].of(self.arrays, self.others, self.params)

    @property
    def binary(self) -> npt.NDArray[np.bool_] | None:
        """Outcomes [n] whose plain share is the value, for an exact test; None when the value is anything else than such a share."""
        if self.statistic == "recall":
            ranked: npt.NDArray[np.bool_] = self.arrays["rank"] <= self.params["k"]
            return ranked
        if self.statistic != "mean":
            return None
        [each] = self.arrays.values()
        return each.astype(np.bool_) if np.isin(each, (0, 1)).all() else None

    @property
    def right(self) -> npt.NDArray[np.bool_] | None:
        """Whether each sample was answered rightly, for lists of what went wrong; None where no array says so."""
        correct = self.arrays.get("correct")
        if correct is not None and correct.ndim == 1 and np.isin(correct, (0, 1)).all():
            return correct.astype(np.bool_)
        return self.binary

    def like(self, other: Outcomes) -> Outcomes:
        """The same outcomes in the order of `other`. ValueError when the two are not of the same samples and statistic."""
        if self.statistic != other.statistic or dict(self.params) != dict(other.params):
            raise ValueError(f"not the same statistic: {_named(self)} and {_named(other)}")
        if _shapes(self) != _shapes(other):
            raise ValueError(f"not the same arrays: {_shapes(self)} and {_shapes(other)}")
        first, second = _rows(self.ids, other.ids, "samples"), _rows(self.other_ids, other.other_ids, "samples of the second kind")
        return Outcomes(
            self.statistic, {k: v[first] for k, v in self.arrays.items()}, other.ids, other.clusters, self.params,
            {k: v[second] for k, v in self.others.items()}, other.other_ids, other.other_clusters,
        )  # fmt: skip


def of_plain(arrays: Mapping[str, npt.ArrayLike], value: float | None) -> Outcomes:
    """Outcomes of a test that hands over nothing but arrays: those of a mean where there is one array and `value` is its mean."""
    outcomes = Outcomes(None, _arrays(arrays))
    if len(outcomes.arrays) == 1 and value is not None:
        [each] = outcomes.arrays.values()
        if each.ndim == 1 and abs(float(each.mean()) - value) <= 1e-9 * max(abs(value), 1.0):
            return Outcomes("mean", outcomes.arrays)
    return outcomes


def _arrays(given: Mapping[str, npt.ArrayLike]) -> Columns:
    checked = {}
    for name, array in given.items():
        each = np.asarray(array)
        checked[str(name)] = each
        if each.ndim < 1 or each.dtype.kind not in "fiub":
            raise ValueError(f"{name} must hold one number or more per sample, not {each.dtype} of shape {each.shape}")
        _checks.finite(each, name=str(name), ndim=each.ndim)
    return checked


def _rows(have: tuple[str, ...], want: tuple[str, ...], what: str) -> npt.NDArray[np.intp]:
    if have == want:
        return np.arange(len(have))
    place = {name: row for row, name in enumerate(have)}
    lost = [name for name in want if name not in place]
    if lost or len(have) != len(want) or len(place) != len(have):
        example = f", for example {lost[0]}" if lost else ""
        raise ValueError(f"not the same {what}: {len(have)} and {len(want)}, {len(lost)} of these unknown to those{example}")
    return np.array([place[name] for name in want], dtype=np.intp)


def _shapes(outcomes: Outcomes) -> dict[str, tuple[int, ...]]:
    """What one sample has of each array."""
    return {name: each.shape[1:] for arrays in (outcomes.arrays, outcomes.others) for name, each in arrays.items()}


def _named(outcomes: Outcomes) -> str:
    return f"{outcomes.statistic} {dict(outcomes.params)}" if outcomes.params else str(outcomes.statistic)
