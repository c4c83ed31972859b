"""What ten times as much of something (parameters, samples seen) changes under a shift, at equal clean accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pytest_clip.metrics.resampling import seed_from
from pytest_clip.study.clusters import fit
from pytest_clip.study.effects import Effect, Question, complete, in_shares, regression, spread_of
from pytest_clip.study.images import refitted
from pytest_clip.study.population import Population

TENFOLD = "x10"
FEWEST_LINEAGES = 8
LEAST_RANGE = 0.5
"""Decades that an amount has to span: of less, ten times is far beyond the models."""


def trend(population: Population, question: Question, *, resamples: int = 1000) -> Effect:
    """The effect of ten times the amount `question.factor`; or why there is none. `question.amounts` are further amounts held equal."""
    asked = replace(question, amounts=(question.factor, *(each for each in question.amounts if each != question.factor)), factor="")
    known = complete(population, asked)
    lineages = len(set(known.lineages))
    told = Effect(question, TENFOLD, "x1", (len(known), 0), (lineages, 0))
    if lineages < FEWEST_LINEAGES:
        return replace(told, refused=f"{question.factor} is known of {lineages} families: a trend takes at least {FEWEST_LINEAGES}")
    logged = np.log10(known.amounts[question.factor])
    if np.ptp(logged) < LEAST_RANGE:
        return replace(told, refused=f"{question.factor} spans a factor of {10 ** float(np.ptp(logged)):.1f} only")
    made, y = regression(known, asked)
    contrast = np.array([1.0 if name == question.factor else 0.0 for name in made.columns])
    if not made.tells(contrast):
        return replace(told, refused=f"{question.factor} never changes without {' or '.join(asked.beside + asked.amounts[1:])}")
    seed = seed_from(f"study {question.factor} {question.on}")
    try:
        fitted = fit(
            made.rows, y, lineages=known.lineages, strata=[""] * len(known), seed=seed, resamples=resamples, tuning=question.tuning
        )
    except ValueError as error:
        return replace(told, refused=str(error))
    again = refitted(known, asked.on, asked.clean, made.rows, y, fitted.coefficients, axis=asked.axis) if resamples else None
    found = fitted.estimate(contrast).with_images(spread_of(again, contrast))
    level = float(np.median(made.rows, axis=0) @ fitted.coefficients)
    return replace(told, estimate=found, points=in_shares(found, level, question.axis))
