"""What is drawn of an OOD detector: its ROC curve with both points that are called FPR95, and how many images have which score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks, ood

Point = tuple[float, float]
"""Share of OOD accepted, share of ID accepted."""


@dataclass(frozen=True)
class Operating:
    """A threshold: the `value` that carries its name, and where it lies on the curve."""

    value: float
    threshold: float
    at: Point


def roc(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike, *, most: int = 200) -> tuple[Point, ...]:
    """The curve from (0, 0) to (1, 1) over falling thresholds, tied scores in one step, thinned to at most about `most` points.

    Inputs and errors as in `ood.auroc`, which is the area below all of its points; a thinned curve is for the eye.
    """
    ins, outs = ood.tally(id_scores, ood_scores)
    accepted = np.concatenate([[0], np.cumsum(outs[::-1])]) / outs.sum()
    kept = np.concatenate([[0], np.cumsum(ins[::-1])]) / ins.sum()
    chosen = np.arange(accepted.size)
    if chosen.size > most:
        steps = accepted + kept  # evenly along the curve, so that neither its steep nor its flat part is lost
        chosen = np.unique([0, *np.searchsorted(steps, np.linspace(0, 2, most)[1:-1]), chosen.size - 1])
    return tuple((float(accepted[k]), float(kept[k])) for k in chosen)


def fpr95(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> dict[str, Operating]:
    """The points behind `ood.fpr95_id_positive` and `ood.fpr95_ood_positive`, by `id_positive` and `ood_positive`."""
    known, unknown = _checks.finite(id_scores, name="id_scores", ndim=1), _checks.finite(ood_scores, name="ood_scores", ndim=1)
    keeps = np.sort(known)[known.size + (-95 * known.size // 100)]
    flags = np.sort(unknown)[-(-95 * unknown.size // 100) - 1]
    return {
        "id_positive": Operating(
            ood.fpr95_id_positive(known, unknown), float(keeps), (float(np.mean(unknown >= keeps)), float(np.mean(known >= keeps)))
        ),
        "ood_positive": Operating(
            ood.fpr95_ood_positive(known, unknown), float(flags), (float(np.mean(unknown > flags)), float(np.mean(known > flags)))
        ),
    }


def histogram(
    id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike, *, bins: int = 32
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
    """Edges of `bins` equal bins over all scores, and how many ID and how many OOD samples are in each; the last holds its upper edge."""
    known, unknown = _checks.finite(id_scores, name="id_scores", ndim=1), _checks.finite(ood_scores, name="ood_scores", ndim=1)
    edges = np.histogram_bin_edges(np.concatenate([known, unknown]), bins=bins)
    counts = [tuple(int(n) for n in np.histogram(each, edges)[0]) for each in (known, unknown)]
    return tuple(float(each) for each in edges), counts[0], counts[1]
