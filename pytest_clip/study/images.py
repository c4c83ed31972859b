"""Images drawn again, the same ones for all models: how much of the difference of models is which images were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pytest_clip.metrics.resampling import seed_from
from pytest_clip.metrics.robust import TUNING
from pytest_clip.study.axes import Axis, onto
from pytest_clip.study.members import Member
from pytest_clip.study.population import Floats, Population

RESAMPLES = 200


def drawn(held: Sequence[Member], *, resamples: int = RESAMPLES) -> dict[str, Floats]:
    """By gate the numbers [R, m] of all members on resamples of its images, NaN for a member without outcomes on the usual images.

    Gates on the same images see the same resamples. Two gates on images of the same scenes under another name are drawn apart.
    """
    found: dict[str, Floats] = {}
    times: dict[str, Floats] = {}
    for gate in dict.fromkeys(gate for each in held for gate in each.outcomes):
        lists = [each.outcomes[gate][0] for each in held if gate in each.outcomes]
        ids = max(dict.fromkeys(lists), key=lists.count)
        if ids not in times:
            n = next(len(each.outcomes[gate][1]) for each in held if gate in each.outcomes and each.outcomes[gate][0] == ids)
            rng = np.random.default_rng(seed_from(f"study images {ids}"))
            times[ids] = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
        known = np.array([gate in each.outcomes and each.outcomes[gate][0] == ids for each in held])
        values = np.full((resamples, len(held)), np.nan)
        answers = [each.outcomes[gate][1] for each, there in zip(held, known, strict=True) if there]
        values[:, known] = times[ids] @ np.column_stack(answers)
        found[gate] = values
    return found


@dataclass(frozen=True)
class Refitted:
    """A regression on each resample of the images, by the robust weights of the whole: coefficients [R, p] and what they leave [R, n].

    `known` [n]: models whose images were drawn again; the others keep their numbers.
    """

    coefficients: Floats
    left: Floats
    known: npt.NDArray[np.bool_]


def refitted(
    population: Population, on: str, clean: Sequence[str], rows: Floats, y: Floats, coefficients: Floats, *, axis: Axis = "logit"
) -> Refitted | None:
    """The regression of y [n] on rows [n, p], whose columns after the first are `clean`, again on all resamples; None without outcomes."""
    if not {on, *clean} <= population.drawn.keys():
        return None
    count = 1 + len(clean)
    sets = np.stack([onto(population.drawn[each], axis, n=population.counts[each]) for each in clean], axis=2)
    values = onto(population.drawn[on], axis, n=population.counts[on])
    known = np.isfinite(sets).all(axis=(0, 2)) & np.isfinite(values).all(axis=0)
    known = np.asarray(known, dtype=bool)
    if not known.any():
        return None
    again = np.repeat(rows[None], len(values), axis=0)
    again[:, known, 1:count] = sets[:, known]
    values = np.where(known, values, y)
    away = np.abs(y - rows @ coefficients)
    w = np.minimum(1.0, TUNING * max(float(np.median(away)) / 0.6745, 1e-12) / np.maximum(away, 1e-300))
    gram = np.matmul(np.swapaxes(again * w[:, None], 1, 2), again)
    fitted = np.einsum("rpq,rq->rp", np.linalg.pinv(gram, rcond=1e-10, hermitian=True), np.einsum("rnp,rn->rp", again, w * values))
    return Refitted(np.asarray(fitted), values - np.einsum("rnp,rp->rn", again, fitted), known)
