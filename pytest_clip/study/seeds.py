"""Runs of one recipe with several seeds: what a factor changes, against what a seed changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from pytest_clip.metrics.holm import holm
from pytest_clip.study.axes import onto
from pytest_clip.study.clusters import Estimate
from pytest_clip.study.matched import different
from pytest_clip.study.population import Floats, Population
from pytest_clip.study.properties import CLEAN, FACTORS, PROPERTIES, SHIFT, THREE_D, TWO_D

SEED = "seed"
GAPS = (SHIFT, FACTORS, TWO_D, THREE_D)
"""Accuracies that are held against clean accuracy: what is compared is their distance to it on logit axes."""


Cell = tuple[Mapping[str, Any], list[int]]
"""Factors of a recipe, and the rows of its runs."""


@dataclass(frozen=True)
class Seeded:
    """What `level` less `reference` of a factor changes in a property, and its interval over seeds.

    In the property's own unit; of the accuracies in `GAPS` on logit axes after taking off that of clean accuracy. `seeds`: runs of each.
    """

    factor: str
    level: str
    reference: str
    what: str
    seeds: tuple[int, int]
    estimate: Estimate | None
    p_holm: float | None = None
    refused: str | None = None

    @property
    def sure(self) -> bool:
        return self.p_holm is not None and self.p_holm <= 0.05

    @property
    def gap(self) -> bool:
        return self.what in GAPS


def seeded(population: Population, told: Mapping[str, Mapping[str, Any]]) -> list[Seeded]:
    """Every two recipes that differ in one factor, one of which at least has several seeds; p by Holm over all of them and all properties.

    `told`: factors by the name of the model, one of them `seed`. Two recipes with several seeds each: Welch's interval. One with a single
    run: the spread of the other is taken for both. The null hypothesis: both recipes have the same mean over all seeds there are.
    """
    cells: list[Cell] = []
    for at, name in enumerate(population.names):
        own = {key: value for key, value in told.get(name, {}).items() if key != SEED}
        if told.get(name, {}).get(SEED) is None:
            continue
        home = next((rows for other, rows in cells if not different(other, own)), None)
        if home is None:
            cells.append((own, [at]))
        else:
            home.append(at)
    found: list[Seeded] = []
    for one, other in combinations(sorted(cells, key=lambda cell: -len(cell[1])), 2):
        factors = different(one[0], other[0])
        if len(factors) == 1 and len(one[1]) > 1:
            found += _contrasts(population, factors[0], one, other)
    corrected = holm({at: each.estimate.p for at, each in enumerate(found) if each.estimate is not None})
    return [replace(each, p_holm=corrected.get(at)) for at, each in enumerate(found)]


def _contrasts(population: Population, factor: str, one: Cell, other: Cell) -> list[Seeded]:
    found = []
    for what in (CLEAN, *(each.name for each in PROPERTIES)):
        if what not in population.values:
            continue
        column = _column(population, what)
        x, y = (column[rows][np.isfinite(column[rows])] for rows in (one[1], other[1]))
        said = Seeded(factor, str(other[0].get(factor)), str(one[0].get(factor)), what, (len(y), len(x)), None)
        if len(x) < 2 or not len(y):
            found.append(replace(said, refused=f"{len(x)} and {len(y)} runs have a number of it: a spread over seeds takes two"))
            continue
        found.append(replace(said, estimate=welch(x, y)))
    return found


def welch(reference: Floats, level: Floats) -> Estimate:
    """Mean of `level` less that of `reference` with its error; of a single `level` the spread is that of `reference`."""
    size, n = len(reference), len(level)
    one = float(reference.var(ddof=1)) / size
    if n == 1:
        return Estimate(float(level[0] - reference.mean()), float(np.sqrt(one * (size + 1))), float(size - 1))
    other = float(level.var(ddof=1)) / n
    total = one + other
    df = total**2 / (one**2 / (size - 1) + other**2 / (n - 1)) if total > 0 else float(size + n - 2)
    return Estimate(float(level.mean() - reference.mean()), float(np.sqrt(total)), df)


def _column(population: Population, what: str) -> Floats:
    if what not in GAPS or CLEAN not in population.values:
        return population.values[what]
    clean = onto(population.values[CLEAN], "logit", n=population.counts[CLEAN])
    return onto(population.values[what], "logit", n=population.counts[what]) - clean
