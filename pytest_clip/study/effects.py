"""What one level of a factor changes under a shift at equal clean accuracy, with an interval over lineages; or why nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from pytest_clip.metrics.resampling import seed_from
from pytest_clip.study.axes import Axis, back, onto
from pytest_clip.study.clusters import Estimate, Fit, fit
from pytest_clip.study.design import Design, design, entangled, too_few
from pytest_clip.study.images import Refitted, refitted
from pytest_clip.study.population import Floats, Population


@dataclass(frozen=True)
class Question:
    """What is compared: levels of `factor` on the set `on`, at equal accuracy on the sets `clean`, beside other factors and amounts."""

    factor: str
    on: str
    clean: tuple[str, ...]
    beside: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    axis: Axis = "logit"
    curved: bool = False
    """a square of clean accuracy as well"""
    tuning: float = 1.345


@dataclass(frozen=True)
class Effect:
    """`level` less `reference`; `estimate` on the axis, `points` in shares (value, low, high) for a model of median clean accuracy."""

    question: Question
    level: str
    reference: str
    models: tuple[int, int]
    families: tuple[int, int]
    estimate: Estimate | None = None
    points: tuple[float, float, float] | None = None
    p_holm: float | None = None
    refused: str | None = None

    @property
    def sure(self) -> bool:
        return self.p_holm is not None and self.p_holm <= 0.05


def effects(population: Population, question: Question, *, reference: str | None = None, resamples: int = 1000) -> list[Effect]:
    """Every level of the factor against `reference` (the level with most families); refusals come last. `study` corrects their p."""
    known = complete(population, question)
    if not len(known):
        return []
    families, members = known.families(question.factor), known.members(question.factor)
    base = reference or next(iter(families), "")
    few = too_few(known, question.factor)
    told = [
        Effect(question, level, base, (members[level], members.get(base, 0)), (families[level], families.get(base, 0)))
        for level in families
        if level != base
    ]
    told = [replace(each, refused=_refusal(known, each, few)) for each in told]
    if open_ := [each for each in told if each.refused is None]:
        held = known.only([level not in few for level in known.factors[question.factor]])
        told = [each for each in told if each.refused is not None]
        told = _measured(held, open_, resamples) + told
    return sorted(told, key=lambda each: each.refused is not None)


def needed(population: Population, questions: Iterable[Question]) -> Population:
    """The same models with what these questions ask alone."""
    held = list(questions)
    return population.slim(
        values=sorted({name for each in held for name in (each.on, *each.clean)}),
        factors=sorted({name for each in held for name in (each.factor, *each.beside)}),
        amounts=sorted({name for each in held for name in (each.factor, *each.amounts)}),
    )


def complete(population: Population, question: Question) -> Population:
    """The models that have everything that a question needs."""
    kept = np.ones(len(population), dtype=bool)
    for column in [population.values[name] for name in (question.on, *question.clean)] + [population.amounts[a] for a in question.amounts]:
        kept &= np.isfinite(column)
    for factor in (question.factor, *question.beside) if question.factor else question.beside:
        kept &= np.array([level is not None for level in population.factors[factor]], dtype=bool)
    return population.only(kept)


def _no_overlap(population: Population, question: Question, level: str, reference: str) -> str | None:
    """A line says nothing where only one of both has models."""
    held = np.array(population.factors[question.factor], dtype=object)
    xs = population.values[question.clean[0]]
    one, other = xs[held == level], xs[held == reference]
    low, high = max(one.min(), other.min()), min(one.max(), other.max())
    if low <= high:
        return None
    return (
        f"{level} has clean accuracies of {one.min():.3f} to {one.max():.3f} and {reference} of {other.min():.3f} to {other.max():.3f}: "
        "there is no clean accuracy that both have, and a line says nothing beyond its models"
    )


def _refusal(population: Population, told: Effect, few: dict[str, str]) -> str | None:
    question = told.question
    return (
        few.get(told.level)
        or few.get(told.reference)
        or _no_overlap(population, question, told.level, told.reference)
        or entangled(population, question.factor, told.level, told.reference, question.beside)
    )


def _measured(population: Population, asked: list[Effect], resamples: int) -> list[Effect]:
    question = asked[0].question
    made, y = regression(population, question)
    strata, seed = [str(level) for level in population.factors[question.factor]], seed_from(f"study {question.factor} {question.on}")
    try:
        fitted = fit(made.rows, y, lineages=population.lineages, strata=strata, seed=seed, resamples=resamples, tuning=question.tuning)
    except ValueError as error:
        return [replace(each, refused=str(error)) for each in asked]
    again = None if question.curved or not resamples else _again(population, question, made, y, fitted)
    found = []
    for each in asked:
        contrast = made.contrast(question.factor, each.level, each.reference)
        estimate = fitted.estimate(contrast).with_images(spread_of(again, contrast))
        found.append(replace(each, estimate=estimate, points=_points(question, made, fitted, contrast, estimate)))
    return found


def _again(population: Population, question: Question, made: Design, y: Floats, fitted: Fit) -> Refitted | None:
    return refitted(population, question.on, question.clean, made.rows, y, fitted.coefficients, axis=question.axis)


def spread_of(again: Refitted | None, contrast: Floats) -> float:
    """Variance of a contrast over resamples of the images; 0 without outcomes."""
    return 0.0 if again is None else float((again.coefficients @ contrast).var(ddof=1))


def regression(population: Population, question: Question) -> tuple[Design, Floats]:
    """The design and the values on the axis."""
    clean = np.column_stack([onto(population.values[name], question.axis, n=population.counts[name]) for name in question.clean])
    if question.curved:
        clean = np.column_stack([clean, (clean[:, 0] - clean[:, 0].mean()) ** 2])
    made = design(
        population, clean, factors=(question.factor, *question.beside) if question.factor else question.beside, amounts=question.amounts
    )
    return made, onto(population.values[question.on], question.axis, n=population.counts[question.on])


def _points(question: Question, made: Design, fitted: Fit, contrast: Floats, found: Estimate) -> tuple[float, float, float]:
    """At the median clean accuracies, other factors as the models have them on average; the reference level is the start."""
    start, cleans = made.rows.mean(axis=0), 1 + len(question.clean) + question.curved
    start[:cleans] = np.median(made.rows[:, :cleans], axis=0)
    for at, name in enumerate(made.columns):
        if name.startswith(f"{question.factor}="):
            start[at] = 0.0
    start[contrast < 0] = 1.0
    return in_shares(found, float(start @ fitted.coefficients), question.axis)


def in_shares(found: Estimate, level: float, axis: Axis) -> tuple[float, float, float]:
    """A contrast on the axis as a difference of shares from `level`: value, low, high."""
    ends = back(np.array([level, level + found.value, *(level + end for end in found.interval)]), axis)
    return float(ends[1] - ends[0]), float(ends[2] - ends[0]), float(ends[3] - ends[0])
