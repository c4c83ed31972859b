"""A study of many models: where lines are straight, what each factor changes, whether that depends on the way of asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_clip.metrics.holm import holm
from pytest_clip.study.correlations import Correlation, correlation
from pytest_clip.study.effects import Effect, Question, effects, needed
from pytest_clip.study.lines import Distance, Line, line
from pytest_clip.study.matched import Pair
from pytest_clip.study.multiverse import Multiverse, answers, multiverse, row_choices, ways
from pytest_clip.study.plan import Plan
from pytest_clip.study.population import Population
from pytest_clip.study.seeds import Seeded
from pytest_clip.study.straight import TOO_FEW, Range, straight_range
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
    """Everything that was found; `ranges` by shift: where the line is straight (None: nowhere) and what was tried.

    `lines`: of all models, of each group, and on several clean sets; `distances` of models from them. `pairs` and `seeded` are of runs.
    """

    population: Population
    plan: Plan
    ranges: dict[str, tuple[Range | None, tuple[Range, ...]]]
    effects: tuple[Told, ...]
    correlations: tuple[Correlation, ...]
    lines: tuple[Line, ...] = ()
    distances: tuple[Distance, ...] = ()
    pairs: tuple[Pair, ...] = ()
    seeded: tuple[Seeded, ...] = ()


def study(population: Population, plan: Plan, *, resamples: int = 1000, pairs: Sequence[Pair] = (), seeded: Sequence[Seeded] = ()) -> Study:
    """All of the plan that the population has figures for; p corrected by Holm over the levels and shifts of each factor."""
    shifts = [each for each in (*plan.shifts, *plan.properties) if each in population.values]
    factors = {name: beside for name, beside in plan.factors.items() if name in population.factors}
    ranges = {shift: straight_range(population, shift, clean=plan.clean, factors=list(factors)[:1]) for shift in shifts}
    told: list[Told] = []
    for name, beside in {**factors, **{name: each for name, each in plan.amounts.items() if name in population.amounts}}.items():
        held = tuple(each for each in beside if each in population.factors)
        asked = {shift: _asked(population, plan, ranges[shift], Question(name, shift, plan.cleans[0], held), resamples) for shift in shifts}
        told += _judged(population, plan, asked)
    found = [correlation(population, one, other, resamples=resamples) for one, other in plan.pairs if _has(population, (one, other))]
    found += [
        correlation(population, one, other, within=within, resamples=resamples)
        for one, other, within in plan.within
        if _has(population, (one, other)) and within in population.factors
    ]
    drawn = [_lines(population, plan, shift, ranges[shift][0]) for shift in shifts]
    return Study(
        population, plan, ranges, tuple(told), tuple(found), tuple(each for lines, _ in drawn for each in lines),
        tuple(each for _, distances in drawn for each in distances), tuple(pairs), tuple(seeded),
    )  # fmt: skip


def _lines(population: Population, plan: Plan, shift: str, straight: Range | None) -> tuple[list[Line], list[Distance]]:
    """Of all models, on several clean sets, and of each group; none where nothing is straight."""
    if straight is None:
        return [], []
    held = population.only(population.values[plan.clean] >= straight.lowest)
    asked = [("", held, clean) for clean in plan.cleans if all(each in held.values for each in clean)]
    if plan.group in held.factors:
        levels = held.factors[plan.group]
        asked += [(level, held.only([each == level for each in levels]), plan.cleans[0]) for level in held.families(plan.group)]
    found = [line(models, shift, clean, group=group) for group, models, clean in asked]
    return [each for each, _ in found], [each for _, distances in found for each in distances]


def _asked(
    population: Population, plan: Plan, ranges: tuple[Range | None, tuple[Range, ...]], question: Question, resamples: int
) -> list[Effect]:
    straight, tried = ranges
    population = needed(population, [question])
    amount = question.factor in plan.amounts
    if straight is None:
        found = effects(population, question, resamples=0) if not amount else [trend(population, question, resamples=0)]
        why = f"{question.on} against {plan.clean} is no straight line on {question.axis} axes in any range that was tried"
        if all(each.p is None for each in tried):
            why = f"{question.on} against {plan.clean}: {TOO_FEW}"
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
