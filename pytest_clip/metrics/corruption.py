"""Corruptions: errors by kind and severity, and their means with and without a reference model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks
from .alexnet import ALEXNET_IMAGENET_3DCC as ALEXNET_IMAGENET_3DCC
from .alexnet import ALEXNET_IMAGENET_C as ALEXNET_IMAGENET_C
from .alexnet import Reference as Reference


@dataclass(frozen=True)
class Monotonicity:
    """Whether errors grow with severity: `largest_fall` is max over s < t of E_s - E_t (0 if none), `between` those two severities,
    counted from 1; `span` is E_last - E_first."""

    monotone: bool
    largest_fall: float
    between: tuple[int, int] | None
    span: float


def error_table(correct: npt.ArrayLike) -> _checks.Floats:
    """Error rate per kind and severity: E_ks = 1 - mean_i correct_ksi.

    correct: bool or 0/1 [kinds, severities, n], every cell over the same n images. Returns float64 [kinds, severities] in [0, 1], lower is
    better. ValueError for other values and wrong shapes.
    """
    right = _checks.finite(correct, name="correct", ndim=3)
    bad = int(np.count_nonzero((right != 0) & (right != 1)))
    if bad:
        raise ValueError(f"correct must be True/False or 0/1; {bad} of {right.size} values are neither")
    wrong: _checks.Floats = np.count_nonzero(right == 0, axis=2) / right.shape[2]
    return wrong


def mean_corruption_error_rate(errors: npt.ArrayLike) -> float:
    """Mean of all errors, kinds and severities weighted equally: (1 / K S) sum_ks E_ks. *Not* normalised, so not the "mCE" of the papers.

    errors: float [kinds, severities] in [0, 1] (`error_table`). Returns 0 to 1, lower is better. ValueError for NaN and values outside
    [0, 1]. Called "mCE" in shift-happens.
    """
    return float(np.mean(_errors(errors)))


def corruption_errors(errors: npt.ArrayLike, *, kinds: Sequence[str], reference: Reference) -> dict[str, float]:
    """Corruption error of each kind: CE_k = sum_s E_ks / sum_s E_ks(reference), from the reference's means over the severities.

    errors: float [kinds, severities] in [0, 1]; kinds: the names of the rows, each known to `reference`. Returns the kinds in their order;
    0 or more, 1 = as bad as the reference (papers print 100), lower is better. ValueError for unknown or repeated kinds and for another
    number of severities than the reference was averaged over.
    """
    means = _means(errors, kinds, reference)
    return {kind: mean / _checks.positive(reference.errors[kind], name=f"reference error of {kind}") for kind, mean in means.items()}


def mce(errors: npt.ArrayLike, *, kinds: Sequence[str], reference: Reference = ALEXNET_IMAGENET_C) -> float:
    """Mean corruption error: mean over *all* kinds of the reference of `corruption_errors`.

    Inputs and errors as there, and ValueError when a kind of the reference is missing: a mean over fewer kinds is another number. Only for
    ImageNet classes with the shipped AlexNet errors, and only for answers to the files that AlexNet answered: corruptions made in memory
    and the JPEGs of ImageNet-C differ by up to 10 points of accuracy a kind (hendrycks/robustness#14, #16). Source: Hendrycks & Dietterich
    2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", section 3.
    """
    each = corruption_errors(errors, kinds=kinds, reference=reference)
    _all_kinds(each, reference)
    return math.fsum(each.values()) / len(each)


def relative_mce(errors: npt.ArrayLike, *, clean_error: float, kinds: Sequence[str], reference: Reference = ALEXNET_IMAGENET_C) -> float:
    """Relative mean corruption error: mean over kinds of sum_s (E_ks - E_clean) / sum_s (E_ks(reference) - E_clean(reference)).

    What corruption adds to the clean error, compared with what it adds for the reference. clean_error: in [0, 1]; the rest as in `mce`.
    Lower is better, 1 = as the reference; below 0 = corruptions help. A model that is bad on clean images looks good here: read it
    beside the clean error. ValueError as in `mce`, and for a reference that does not lose by a kind. Source: as `mce`.
    """
    means, clean = _means(errors, kinds, reference), _checks.share(clean_error, name="clean_error")
    _all_kinds(means, reference)
    lost = {kind: reference.errors[kind] - reference.clean for kind in means}
    unharmed = [kind for kind, loss in lost.items() if loss <= 0]
    if unharmed:
        raise ValueError(f"{reference.name} loses nothing by {', '.join(unharmed)}: no relative error exists")
    return math.fsum((mean - clean) / lost[kind] for kind, mean in means.items()) / len(means)


def over_reference(
    correct: npt.ArrayLike, *, kinds: Sequence[str], reference: Reference, clean: npt.ArrayLike | None = None
) -> _checks.Floats:
    """What each image contributes to `mce`, or with `clean` to `relative_mce`: their mean over images is that number.

    correct: bool or 0/1 [kinds, severities, n] as in `error_table`; clean: bool or 0/1 [n], the same images uncorrupted. Both numbers are
    linear in the errors of an image, so intervals of a mean of the result are theirs. Returns float64 [n]. ValueError as in `mce`.
    """
    wrong = 1 - _checks.finite(correct, name="correct", ndim=3).mean(1)
    _all_kinds(_means(error_table(correct), kinds, reference), reference)
    if clean is None:
        base, scale = np.zeros(wrong.shape[1]), [reference.errors[kind] for kind in kinds]
    else:
        base, scale = 1 - _checks.finite(clean, name="clean", ndim=1), [reference.errors[kind] - reference.clean for kind in kinds]
    each: _checks.Floats = ((wrong - base) / np.array(scale)[:, None]).mean(0)
    return each


def monotonicity(errors: npt.ArrayLike, *, tolerance: float = 0.0) -> tuple[Monotonicity, ...]:
    """For each kind, whether the error never falls by more than `tolerance` from one severity to any later one.

    errors: float [kinds, severities] in [0, 1], at least 2 severities, rising; tolerance: 0 to 1, for example the sampling error of one
    cell. Several small falls add up: severities are compared with all later ones, not only the next. Returns one entry per row.
    """
    table, allowed = _errors(errors), _checks.share(tolerance, name="tolerance")
    if table.shape[1] < 2:
        raise ValueError("monotonicity needs at least 2 severities; errors have 1")
    return tuple(_trend(row, allowed) for row in table)


def _trend(row: _checks.Floats, allowed: float) -> Monotonicity:
    peaks = np.maximum.accumulate(row)
    end = int(np.argmax(peaks - row))
    fall = float(peaks[end] - row[end])
    between = (int(np.argmax(row[: end + 1])) + 1, end + 1) if fall > 0 else None
    return Monotonicity(fall <= allowed, fall, between, float(row[-1] - row[0]))


def _errors(errors: npt.ArrayLike) -> _checks.Floats:
    table = _checks.finite(errors, name="errors", ndim=2)
    if table.min() < 0 or table.max() > 1:
        raise ValueError(f"errors must be shares in [0, 1]; found {table.min():.6g} to {table.max():.6g}")
    return table


def _means(errors: npt.ArrayLike, kinds: Sequence[str], reference: Reference) -> dict[str, float]:
    table = _errors(errors)
    if table.shape[1] != reference.severities:
        raise ValueError(f"errors have {table.shape[1]} severities; the errors of {reference.name} are means over {reference.severities}")
    if len(kinds) != table.shape[0] or len(set(kinds)) != len(kinds):
        raise ValueError(f"kinds must name each of the {table.shape[0]} rows of errors once; got {', '.join(kinds)}")
    unknown = [kind for kind in kinds if kind not in reference.errors]
    if unknown:
        raise ValueError(f"{reference.name} has no errors for {', '.join(unknown)}; known: {', '.join(reference.errors)}")
    return {kind: float(row.mean()) for kind, row in zip(kinds, table, strict=True)}


def _all_kinds(found: Mapping[str, float], reference: Reference) -> None:
    missing = [kind for kind in reference.errors if kind not in found]
    if missing:
        raise ValueError(f"a mean corruption error needs all {len(reference.errors)} kinds; missing: {', '.join(missing)}")
