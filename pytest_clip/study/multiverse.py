"""Every reasonable way to ask the same question: a conclusion that depends on the way is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from pytest_clip.study.effects import Effect, Question, effects, needed
from pytest_clip.study.population import Population
from pytest_clip.study.trends import TENFOLD, trend

LEAST_SQUARES = 1e9
"""A tuning at which Huber's weights are all 1."""
AGREEMENT = 0.9
_LOWER_ENDS = (0.0, 0.3, 0.5, 0.6)


@dataclass(frozen=True)
class Multiverse:
    """Of `asked` ways those that could answer: how many have the main one's sign, are sure of it, are sure of the opposite."""

    asked: int
    answered: int
    agree: int
    sure: int
    opposite: int
    least: float
    most: float
    """smallest and largest contrast in shares"""

    @property
    def share(self) -> float:
        return self.agree / self.answered if self.answered else 0.0

    @property
    def settled(self) -> bool:
        """Whether the sign does not depend on the way: nine in ten agree, and none is sure of the opposite."""
        return self.answered >= 3 and self.share >= AGREEMENT and not self.opposite


def ways(question: Question, *, optional: tuple[str, ...], amounts: tuple[str, ...], cleans: tuple[tuple[str, ...], ...]) -> list[Question]:
    """The question on both axes, straight and curved, robust and not, on other clean sets, and beside fewer factors and other amounts."""
    found = []
    for axis, curved, tuning, clean in product(("logit", "probit"), (False, True), (question.tuning, LEAST_SQUARES), cleans):
        for beside in {question.beside, *(tuple(each for each in question.beside if each != left) for left in optional)}:
            for some in {question.amounts, (), *((each,) for each in amounts)}:
                asked = replace(question, curved=curved, tuning=tuning, clean=clean, beside=beside, amounts=some)
                found.append(replace(asked, axis="logit" if axis == "logit" else "probit"))
    return list(dict.fromkeys(found))


def answers(
    population: Population, asked: Effect, questions: list[Question], *, rows: dict[str, Callable[[Population], Population]]
) -> list[list[Effect]]:
    """All questions asked of all choices of `rows`, with errors by the jackknife: of each way what it says of every level."""
    found = []
    slim = replace(needed(population, questions), drawn={})
    for pick in rows.values():
        held = pick(slim)
        for question in questions:
            if asked.level == TENFOLD:
                found.append([trend(held, question, resamples=0)])
            else:
                found.append(effects(held, question, reference=asked.reference, resamples=0))
    return found


def multiverse(effect: Effect, told: list[list[Effect]]) -> Multiverse:
    """Holds what all ways say of one level against `effect`, which has an estimate."""
    assert effect.estimate is not None
    sign = np.sign(effect.estimate.value)
    own = [(each.estimate, each.points) for way in told for each in way if each.level == effect.level]
    open_ = [(estimate, points) for estimate, points in own if estimate is not None and points is not None]
    same = [bool(np.sign(estimate.value) == sign) for estimate, _ in open_]
    sure = [estimate.p <= 0.05 for estimate, _ in open_]
    shares = [points[0] for _, points in open_] or [float("nan")]
    return Multiverse(
        len(told), len(open_), sum(same), sum(a and b for a, b in zip(same, sure, strict=True)),
        sum(b and not a for a, b in zip(same, sure, strict=True)), min(shares), max(shares),
    )  # fmt: skip


def row_choices(clean: str) -> dict[str, Callable[[Population], Population]]:
    """All rows, those above some clean accuracies, and one model of each lineage (the one of best clean accuracy)."""

    def above(least: float) -> Callable[[Population], Population]:
        return lambda population: population.only(population.values[clean] >= least)

    def best(population: Population) -> Population:
        order = np.argsort(-population.values[clean], kind="stable")
        seen: set[str] = set()
        kept = [at for at in order if population.lineages[at] not in seen and not seen.add(population.lineages[at])]  # type: ignore[func-returns-value]
        return population.only(np.array(sorted(kept)))

    return {f"clean >= {least}": above(least) for least in _LOWER_ENDS} | {"one of each lineage": best}
