"""Statistics: the numbers of gates as functions of how often each sample was drawn, so that thousands of resamples cost a few array passes.

An entry of `STATISTICS` reads named arrays and gives a function of weights: float [R, n] for the sample, [R, m] for the second sample of
a two-sample statistic. The result is [R], NaN where the statistic is not defined on that resample. With weights of one it is the
number that the metric of the same name computes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy.special import expit, logit

from . import _weighted
from ._statistic import Columns, Floats, Weighing, _ece_of_groups, _gap_of_groups, _mean_of, _of_groups, _ratio_of
from ._statistic import Statistic as Statistic


def _one(arrays: Columns, params: Mapping[str, float]) -> Floats:
    if len(arrays) != 1:
        raise ValueError(f"a mean is of one array; given: {', '.join(arrays)}")
    [values] = arrays.values()
    return values.astype(np.float64)


def _found(arrays: Columns, params: Mapping[str, float]) -> Floats:
    return (arrays["rank"] <= params["k"]).astype(np.float64)


def _lost(arrays: Columns, params: Mapping[str, float]) -> Floats:
    return arrays["before"].astype(np.float64) - arrays["correct"]


def _median(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    ranks = arrays["rank"].astype(np.float64)
    return lambda w, v: _weighted.median(ranks, w)


def _parts(arrays: Columns, params: Mapping[str, float]) -> tuple[Floats, Floats]:
    return arrays["part"].astype(np.float64), arrays["whole"].astype(np.float64)


def _errors(arrays: Columns, params: Mapping[str, float]) -> tuple[Floats, Floats]:
    return 1.0 - arrays["correct"].astype(np.float64), 1.0 - arrays["before"].astype(np.float64)


def _kept(arrays: Columns, params: Mapping[str, float]) -> tuple[Floats, Floats]:
    return arrays["correct"].astype(np.float64), arrays["before"].astype(np.float64)


def _relative(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    top, bottom = (each["correct"].astype(np.float64) for each in (arrays, others))
    return lambda w, v: _weighted.ratio(_weighted.mean(top, w), _weighted.mean(bottom, v))


def _difference(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    """Share of right answers in the second sample minus that in the first."""
    first, second = (each["correct"].astype(np.float64) for each in (arrays, others))
    return lambda w, v: _weighted.mean(second, v) - _weighted.mean(first, w)


def _effective(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    """Of a shift and other images, or (`part`) of a part of some images and their rest: both samples move the expected accuracy."""
    right, other = (each["correct"].astype(np.float64) for each in (arrays, others))

    def weighed(w: Floats, v: Floats) -> Floats:
        n, hits = v.sum(axis=1), v @ other
        if params["part"]:
            n, hits = n + w.sum(axis=1), hits + w @ right
        overall = _weighted.ratio(hits, n)
        edge = _weighted.ratio(np.full(n.shape, 0.5), n)
        expected: Floats = expit(params["slope"] * logit(np.clip(overall, edge, 1 - edge)) + params["intercept"])
        return _weighted.mean(right, w) - expected

    return weighed


def _part_error_ratio(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    wrong, rest = (1.0 - each["correct"].astype(np.float64) for each in (arrays, others))
    return lambda w, v: _weighted.ratio(_weighted.mean(wrong, w), _weighted.ratio(w @ wrong + v @ rest, w.sum(axis=1) + v.sum(axis=1)))


def _ece(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _weighted.ece(arrays["confidence"], arrays["correct"], bins=int(params["bins"]))


def _adaptive_ece(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _weighted.adaptive_ece(arrays["confidence"], arrays["correct"], bins=int(params["bins"]))


def _mean_per_class(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    """Each image counts as the whole sample has it, one in K n_c: a resample that misses a rare class would else be of fewer classes.

    Measured on drops between equally good models, 100 of 110 classes with one image each: the upper 95 % bound covers 95 %, not 89 %.
    """
    _, which, sizes = np.unique(arrays["label"], return_inverse=True, return_counts=True)
    shares = arrays["correct"].astype(np.float64) * which.size / (sizes.size * sizes[which])
    return lambda w, v: _weighted.mean(shares, w)


def _auroc(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _weighted.auroc(arrays["score"], others["score"])


def _aupr_in(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _weighted.average_precision(arrays["score"], others["score"])


def _aupr_out(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _other_way_round(_weighted.average_precision(-others["score"], -arrays["score"]))


def _fpr95_id_positive(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _weighted.passed_at_95(arrays["score"], others["score"])


def _fpr95_ood_positive(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    return _other_way_round(_weighted.passed_at_95(-others["score"], -arrays["score"]))


def _other_way_round(weighing: Weighing) -> Weighing:
    return lambda w, v: weighing(v, w)


def _below_path(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    """`below_path.gap` of the shifted images here and the clean ones of the second sample."""
    path, clean = (each["path"].astype(np.float64) for each in (arrays, others))

    def weighed(w: Floats, v: Floats) -> Floats:
        moved, known = ((each @ right) / each.sum(axis=1, keepdims=True) for each, right in ((w, path), (v, clean)))
        as_good = known >= known[:, -1:] - params["margin"] - 1e-12
        gap: Floats = np.where(as_good, moved - moved[:, -1:], 0.0).max(axis=1)
        return gap

    return weighed


def columns(base: str, arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
    """The statistic `base` of each column of arrays [n, k] and [m, k]: a function of weights that gives [R, k]."""
    width = next(iter(arrays.values())).shape[1]
    each = [STATISTICS[base].of(_column(arrays, k), _column(others, k), params) for k in range(width)]
    return lambda w, v: np.stack([one(w, v) for one in each], axis=1)


def _over(base: str, reduce: Callable[[Floats], Floats], *, apart: bool = False) -> Statistic:
    """`base` of each column of arrays [n, k] (prompt sets, severities), then one number [R] of the k values [R, k]."""
    inner, each_of = STATISTICS[base], partial(columns, base)

    def of(arrays: Columns, others: Columns, params: Mapping[str, float]) -> Weighing:
        each = each_of(arrays, others, params)
        return lambda w, v: reduce(each(w, v))

    names = inner.reads, inner.reads_others, inner.params
    return Statistic(of, *names, reduce=reduce, apart=each_of) if apart else Statistic(of, *names, pushed=True)


def _column(arrays: Columns, k: int) -> Columns:
    return {name: array[:, k] for name, array in arrays.items()}


STATISTICS: dict[str, Statistic] = {
    "mean": _mean_of(_one, ()),
    "recall": _mean_of(_found, ("rank",), ("k",)),
    "median": Statistic(_median, ("rank",)),
    "share": _ratio_of(_parts, ("part", "whole")),
    "drop": _mean_of(_lost, ("before", "correct")),
    "error_ratio": _ratio_of(_errors, ("before", "correct")),
    "kept": _ratio_of(_kept, ("before", "correct")),
    "relative": Statistic(_relative, ("correct",), ("correct",)),
    "difference": Statistic(_difference, ("correct",), ("correct",)),
    "effective": Statistic(_effective, ("correct",), ("correct",), ("slope", "intercept", "part")),
    "part_error_ratio": Statistic(_part_error_ratio, ("correct",), ("correct",)),
    "mean_per_class": Statistic(_mean_per_class, ("correct", "label")),
    "lowest_group": _of_groups(lambda given: given["correct"].astype(np.float64), ("correct",), lambda each: np.nanmin(each, axis=1)),
    "largest_group_drop": _of_groups(lambda given: _lost(given, {}), ("before", "correct"), lambda each: np.nanmax(each, axis=1)),
    "group_gap": _gap_of_groups(),
    "largest_group_ece": _ece_of_groups(),
    "ece": Statistic(_ece, ("confidence", "correct"), (), ("bins",), pushed=True),
    "adaptive_ece": Statistic(_adaptive_ece, ("confidence", "correct"), (), ("bins",), pushed=True),
    "auroc": Statistic(_auroc, ("score",), ("score",)),
    "aupr_in": Statistic(_aupr_in, ("score",), ("score",)),
    "aupr_out": Statistic(_aupr_out, ("score",), ("score",)),
    "fpr95_id_positive": Statistic(_fpr95_id_positive, ("score",), ("score",)),
    "fpr95_ood_positive": Statistic(_fpr95_ood_positive, ("score",), ("score",)),
    "below_path": Statistic(_below_path, ("path",), ("path",), ("margin",)),
}
STATISTICS |= {
    "lowest_mean": _over("mean", lambda each: each.min(axis=1)),
    "highest_mean": _over("mean", lambda each: each.max(axis=1)),
    "largest_rise": _over("mean", lambda each: (each - np.minimum.accumulate(each, axis=1)).max(axis=1)),
    **{f"{base}_spread": _over(base, lambda each: each.max(axis=1) - each.min(axis=1), apart=True) for base in ("mean", "ece", "auroc")},
    **{f"{base}_std": _over(base, lambda each: each.std(axis=1), apart=True) for base in ("mean", "ece", "auroc")},
}
