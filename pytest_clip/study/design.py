"""What a set of models can tell about a factor at all: levels with enough families, and factors that do not always change together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_clip.metrics.robust import estimable
from pytest_clip.study.population import Floats, Population

FEWEST = 3
"""Families that a level needs: of two, nobody can say what is the level's and what is the family's."""


@dataclass(frozen=True)
class Design:
    """Rows [n, p] of a regression of models on factors, and the names of its columns: intercept, clean accuracies, amounts, levels."""

    rows: Floats
    columns: tuple[str, ...]

    def contrast(self, factor: str, level: str, reference: str) -> Floats:
        """Coefficients that make level - reference of a factor."""
        found = np.zeros(len(self.columns))
        for name, sign in ((level, 1.0), (reference, -1.0)):
            if (column := column_of(factor, name)) in self.columns:
                found[self.columns.index(column)] = sign
        return found

    def tells(self, contrast: Floats) -> bool:
        """Whether the rows determine this contrast."""
        return bool(contrast.any()) and estimable(self.rows, contrast)


def column_of(factor: str, level: str) -> str:
    return f"{factor}={level}"


def design(population: Population, clean: Floats, *, factors: Sequence[str], amounts: Sequence[str] = ()) -> Design:
    """Intercept, clean columns [n, k] (on their axes), amounts as log10, a 0/1 column for each level of a factor but its most frequent one.

    Every model of the population must have a level of each factor and each amount.
    """
    columns, names = [np.ones(len(population)), *clean.T], ["1", *(f"clean{k}" for k in range(clean.shape[1]))]
    for amount in amounts:
        logged = np.log10(population.amounts[amount])
        columns.append(logged - logged.mean())
        names.append(amount)
    for factor in factors:
        members = population.members(factor)
        for level in sorted(members, key=lambda each: (-members[each], each))[1:]:
            columns.append(np.array([each == level for each in population.factors[factor]], dtype=np.float64))
            names.append(column_of(factor, level))
    return Design(np.column_stack(columns), tuple(names))


def too_few(population: Population, factor: str) -> dict[str, str]:
    """Levels that cannot be compared, each with the sentence that says why."""
    sentence = "{level} has {families} ({models}): no effect of a level is told from fewer than three families"
    members = population.members(factor)
    return {
        level: sentence.format(
            level=level, families=counted(families, "family", "families"), models=counted(members[level], "model", "models")
        )
        for level, families in population.families(factor).items()
        if families < FEWEST
    }


def entangled(population: Population, factor: str, level: str, reference: str, others: Sequence[str]) -> str | None:
    """The sentence that says with what a contrast changes, where other factors always change with it; None where it can be told apart."""
    ones = np.zeros((len(population), 0))

    def told(beside: Sequence[str]) -> bool:
        made = design(population, ones, factors=[factor, *beside])
        return made.tells(made.contrast(factor, level, reference))

    if told(others):
        return None
    alone = [other for other in others if not told([other])]
    with_ = " and ".join(alone) if alone else f"a combination of {', '.join(others)}"
    return f"{factor} {level} and {reference} never differ without {with_} changing as well, so their effects cannot be told apart"


def counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
