"""What a statistic is, and how those that are ratios of sums, or extremes over groups, are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _checks, _weighted

Floats: TypeAlias = _checks.Floats
Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]
Weighing: TypeAlias = _weighted.Weighing


@dataclass(frozen=True)
class Statistic:
    """`reads`: the arrays it needs; `reads_others`: those of the second sample; `of(arrays, others, params)`: the function of weights.

    No `reads` means: one array of any name. `sums(arrays, params)`: numbers [n] and [n] whose sums it is the ratio of; None where it
    is something else. `parts`, `reduce`: values [R, k] of groups, and the extreme of them that it is (`_turns.resampled`). `apart`,
    `reduce`: values [R, k], and how far they are apart (`_turns.pushed_apart`). `pushed`: noise pushes it one way, as it does the largest
    of several.
    """

    of: Callable[[Columns, Columns, Mapping[str, float]], Weighing]
    reads: tuple[str, ...] = ()
    reads_others: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    sums: Callable[[Columns, Mapping[str, float]], tuple[Floats, Floats]] | None = None
    parts: Callable[[Columns, Columns, Mapping[str, float]], Weighing] | None = None
    reduce: Callable[[Floats], Floats] | None = None
    apart: Callable[[Columns, Columns, Mapping[str, float]], Weighing] | None = None
    pushed: bool = False


def _ratio_of(
    sums: Callable[[Columns, Mapping[str, float]], tuple[Floats, Floats]], reads: tuple[str, ...], params: tuple[str, ...] = ()
) -> Statistic:
    return Statistic(lambda arrays, others, given: partial(_weigh, *sums(arrays, given)), reads, (), params, sums)


def _mean_of(terms: Callable[[Columns, Mapping[str, float]], Floats], reads: tuple[str, ...], params: tuple[str, ...] = ()) -> Statistic:
    def sums(arrays: Columns, given: Mapping[str, float]) -> tuple[Floats, Floats]:
        values = terms(arrays, given)
        return values, np.ones_like(values)

    return Statistic(lambda arrays, others, given: partial(_average, terms(arrays, given)), reads, (), params, sums)


def _weigh(top: Floats, bottom: Floats, w: Floats, v: Floats) -> Floats:
    return _weighted.ratio(w @ top, w @ bottom)


def _average(terms: Floats, w: Floats, v: Floats) -> Floats:
    return _weighted.mean(terms, w)


def _of_groups(terms: Callable[[Columns], Floats], reads: tuple[str, ...], reduce: Callable[[Floats], Floats]) -> Statistic:
    def parts(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
        means = _weighted.group_means(terms(arrays), arrays["group"])
        return lambda w, v: means(w)

    def of(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
        each = parts(arrays, others, params)
        return lambda w, v: reduce(each(w, v))

    return Statistic(of, (*reads, "group"), parts=parts, reduce=reduce)


def _gap_of_groups() -> Statistic:
    """Share of right answers of the best group minus that of the worst, of groups that share no image."""

    def gap(each: Floats) -> Floats:
        values: Floats = np.nanmax(each, axis=1) - np.nanmin(each, axis=1)
        return values

    one = _of_groups(lambda given: given["correct"].astype(np.float64), ("correct",), gap)
    return replace(one, parts=None, apart=one.parts)


def _ece_of_groups() -> Statistic:
    """The largest calibration error of several groups."""

    def largest(each: Floats) -> Floats:
        values: Floats = np.nanmax(each, axis=1)
        return values

    def parts(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
        members = [np.flatnonzero(arrays["group"] == g) for g in np.unique(arrays["group"])]
        each = [_weighted.ece(arrays["confidence"][rows], arrays["correct"][rows], bins=int(params["bins"])) for rows in members]
        return lambda w, v: np.stack([one(w[:, rows], v) for one, rows in zip(each, members, strict=True)], axis=1)

    def of(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
        each = parts(arrays, others, params)
        return lambda w, v: largest(each(w, v))

    return Statistic(of, ("confidence", "correct", "group"), (), ("bins",), parts=parts, reduce=largest)
