"""A study of many models: where lines are straight, what each factor changes, whether that depends on the way of asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_clip.metrics.holm import holm
from pytest_clip.study.correlations import Correlation, correlation
from pytest_clip.study.effects import Effect, Question, effects
from pytest_clip.study.multiverse import Multiverse, answers, multiverse, row_choices, ways
from pytest_clip.study.plan import Plan
from pytest_clip.study.population import Population
from pytest_clip.study.straight import Range, straight_range
from pytest_clip.study.trends import TENFOLD, trend


@dataclass(frozen=True)
class Told:
    """An effect and what other ways of asking say of it (None where it was refused, or nobody is sure of it)."""

    effect: Effect
    ways: Multiverse | None

    @property
    def verdict(self) -> str:
        """higher, lower, or cannot tell."""
        effect = self.effect
        if effect.estimate is None or not effect.sure or self.ways is None or not self.ways.settled:
            return "cannot tell"
        return "higher" if effect.estimate.value > 0 else "lower"

    @property
    def why(self) -> str:
        """Why nobody can tell, or what the verdict stands on."""
        if self.effect.refused is not None:
            return self.effect.refused
        if not self.effect.sure:
            return "the interval, corrected for the levels that were compared, holds 0"
        assert self.ways is not None
        told = f"{self.ways.agree} of {self.ways.answered} ways to ask agree"
        return told if self.ways.settled else f"it depends on how one asks: {told}, {self.ways.opposite} are sure of the opposite"


@dataclass(frozen=True)
class Study:
    """Everything that was found; `ranges` by shift: where the line is straight (None: nowhere) and what was tried."""

    population: Population
    plan: Plan
    ranges: dict[str, tuple[Range | None, tuple[Range, ...]]]
    effects: tuple[Told, ...]
    correlations: tuple[Correlation, ...]


def study(population: Population, plan: Plan, *, resamples: int = 1000) -> Study:
    """All of the plan that the population has figures for; p corrected by Holm over the levels and shifts of each factor."""
    shifts = [each for each in plan.shifts if each in population.values]
    factors = {name: beside for name, beside in plan.factors.items() if name in population.factors}
    ranges = {shift: straight_range(population, shift, clean=plan.clean, factors=list(factors)[:1]) for shift in shifts}
    told: list[Told] = []
    for name, beside in {**factors, **{name: each for name, each in plan.amounts.items() if name in population.amounts}}.items():
        held = tuple(each for each in beside if each in population.factors)
        asked = {
            shift: _asked(population, plan, ranges[shift][0], Question(name, shift, plan.cleans[0], held), resamples) for shift in shifts
        }
        told += _judged(population, plan, asked)
    pairs = [correlation(population, one, other, resamples=resamples) for one, other in plan.pairs if _has(population, (one, other))]
    return Study(population, plan, ranges, tuple(told), tuple(pairs))


def _asked(population: Population, plan: Plan, straight: Range | None, question: Question, resamples: int) -> list[Effect]:
    amount = question.factor in plan.amounts
    if straight is None:
        found = effects(population, question, resamples=0) if not amount else [trend(population, question, resamples=0)]
        why = f"{question.on} against {plan.clean} is no straight line on {question.axis} axes in any range that was tried"
        return [replace(each, estimate=None, points=None, refused=each.refused or why) for each in found]
    held = population.only(population.values[plan.clean] >= straight.lowest)
    return [trend(held, question, resamples=resamples)] if amount else effects(held, question, resamples=resamples)


def _judged(population: Population, plan: Plan, asked: dict[str, list[Effect]]) -> list[Told]:
    """p over all levels and shifts, and other ways of asking where somebody is sure."""
    p = {(shift, at): each.estimate.p for shift, found in asked.items() for at, each in enumerate(found) if each.estimate is not None}
    corrected, told = holm(p), []
    for shift, found in asked.items():
        found = [replace(each, p_holm=corrected.get((shift, at))) for at, each in enumerate(found)]
        ways_: list[list[Effect]] = []
        if sure := [each for each in found if each.sure]:
            held = () if sure[0].level == TENFOLD else plan.sizes
            questions = ways(sure[0].question, optional=plan.optional, amounts=held, cleans=plan.cleans)
            ways_ = answers(population, sure[0], questions, rows=row_choices(plan.clean))
        told += [Told(each, multiverse(each, ways_) if each.sure else None) for each in found]
    return told


def _has(population: Population, names: Sequence[str]) -> bool:
    return all(name in population.values or name in population.amounts for name in names)
