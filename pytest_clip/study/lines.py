"""Lines of accuracy under shift against clean accuracy, of all models and of each group, and how far each model lies from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pytest_clip.metrics.robust import huber
from pytest_clip.study.axes import onto
from pytest_clip.study.clusters import Estimate
from pytest_clip.study.effects import in_shares
from pytest_clip.study.images import refitted
from pytest_clip.study.population import Floats, Population

FEWEST = 3
"""Families that a line needs beside that of the model that is held against it, and one more for each clean set but the first."""


@dataclass(frozen=True)
class Line:
    """Huber's line of `on` on `clean` (logit axes) over the models of `group` ("" for all): intercept and a slope of each clean set.

    `slope`: of the first clean set, with its interval over families. A line speaks from `lowest` to `highest` clean accuracy. `refused`
    says why there is none.
    """

    on: str
    clean: tuple[str, ...]
    group: str
    models: int
    families: int
    lowest: float = float("nan")
    highest: float = float("nan")
    coefficients: tuple[float, ...] = ()
    slope: Estimate | None = None
    covariance: tuple[tuple[float, ...], ...] = ()
    """of the coefficients, over families"""
    refused: str | None = None


@dataclass(frozen=True)
class Distance:
    """How far a model lies above the line of all other families, in shares: value, low, high of 95 %; or why nobody can tell."""

    model: str
    line: Line
    shares: tuple[float, float, float] | None
    images: bool
    """whether images were drawn again for it; else its own sampling error is that of a share"""
    refused: str | None = None


def line(population: Population, on: str, clean: Sequence[str], *, group: str = "") -> tuple[Line, list[Distance]]:
    """The line of these models, and the distance of each from the line of the other families (a model is no yardstick for itself).

    The interval of a distance is Student's t of families - columns degrees of freedom. Its variance has two parts: that of the line there,
    by the jackknife over families, and that of the images: where outcomes are known, of distances on images drawn again, the same ones for
    all models, lines fitted anew by the weights of the whole; elsewhere of shares of independent images.
    """
    held = population.only(np.isfinite(population.values[on]) & np.all([np.isfinite(population.values[each]) for each in clean], axis=0))
    lineages = list(dict.fromkeys(held.lineages))
    told = Line(on, tuple(clean), group, len(held), len(lineages))
    if len(lineages) < FEWEST + len(clean):
        few = f"{len(held)} models of {len(lineages)} families: a line on {_sets(clean)} takes at least {FEWEST + len(clean)}"
        return _without(told, few, held)
    x, y = _rows(held, clean), onto(held.values[on], "logit", n=held.counts[on])
    if np.linalg.matrix_rank(x - x.mean(axis=0), tol=1e-6) < len(clean):
        return _without(told, f"{_sets(clean)} of these models do not vary apart: no line can be told", held)
    without = np.array([[own != left for own in held.lineages] for left in lineages], dtype=np.float64)
    whole, others = huber(x, y), huber(x, y, weights=without)
    centred = others - others.mean(axis=0)
    spread = (len(lineages) - 1) / len(lineages) * centred.T @ centred
    df = float(len(lineages) - x.shape[1])
    xs = held.values[clean[0]]
    found = Line(
        on, tuple(clean), group, len(held), len(lineages), float(xs.min()), float(xs.max()), tuple(whole.tolist()),
        Estimate(float(whole[1]), float(np.sqrt(spread[1, 1])), df),
        tuple(map(tuple, spread.tolist())),
    )  # fmt: skip
    own = others[[lineages.index(each) for each in held.lineages]]
    level = (x * own).sum(axis=1)
    of_line = np.einsum("np,pq,nq->n", x, spread, x)
    of_images, drawn = _images(held, on, clean, whole, x, y)
    distances = []
    for at, name in enumerate(held.names):
        if beyond := _beyond(held, clean[0], at):
            distances.append(Distance(name, found, None, False, beyond))
            continue
        estimate = Estimate(float(y[at] - level[at]), float(np.sqrt(of_line[at] + of_images[at])), df)
        shares = in_shares(estimate, float(level[at]), "logit")
        distances.append(Distance(name, found, shares, bool(drawn[at])))
    return found, distances


def _images(held: Population, on: str, clean: Sequence[str], whole: Floats, x: Floats, y: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Variance [n] that the choice of images gives each distance on the logit axis, and whether they were drawn again [n]."""
    plain = of_share(held.values[on], held.counts[on])
    for number, each in enumerate(clean):
        plain = plain + whole[1 + number] ** 2 * of_share(held.values[each], held.counts[each])
    again = refitted(held, on, clean, x, y, whole)
    if again is None:
        return plain, np.zeros(len(held), dtype=bool)
    return np.where(again.known, again.left.var(axis=0, ddof=1), plain), again.known


def of_share(values: Floats, n: int) -> Floats:
    """Variance of a share's logit; nothing where nobody knows of how many images."""
    held = np.clip(values, 1 / (2 * n), 1 - 1 / (2 * n)) if n else values
    variance: Floats = 1 / (n * held * (1 - held)) if n else np.zeros(len(values))
    return variance


def _beyond(held: Population, clean: str, at: int) -> str | None:
    """A line says nothing of a model that no other family reaches."""
    xs = [value for value, own in zip(held.values[clean], held.lineages, strict=True) if own != held.lineages[at]]
    value = held.values[clean][at]
    if min(xs) <= value <= max(xs):
        return None
    return f"its {clean} of {value:.3f} is beyond the other families ({min(xs):.3f} to {max(xs):.3f})"


def _rows(held: Population, clean: Sequence[str]) -> Floats:
    return np.column_stack([np.ones(len(held)), *(onto(held.values[each], "logit", n=held.counts[each]) for each in clean)])


def _sets(clean: Sequence[str]) -> str:
    return " and ".join(clean)


def _without(told: Line, why: str, held: Population) -> tuple[Line, list[Distance]]:
    found = replace(told, refused=why)
    return found, [Distance(name, found, None, False, why) for name in held.names]
