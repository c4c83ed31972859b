"""A study as CSV and as JSON."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from pytest_clip.runs.changes import row
from pytest_clip.study.lines import Distance, Line
from pytest_clip.study.seeds import Seeded
from pytest_clip.study.study import Study, Told
from pytest_clip.study.told import Everything
from pytest_clip.study.watch import Watch

HEADER = (
    "shift", "factor", "level", "reference", "families", "reference_families", "models", "points", "low", "high", "p_holm", "ways", "agree",
    "opposite", "verdict", "why",
)  # fmt: skip


def table(told: Everything) -> str:
    """CSV, a line an effect."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(each).values() for each in (told.study.effects if told.study else ()))
    return out.getvalue()


def document(told: Everything) -> dict[str, Any]:
    """Everything in builtins; no number is NaN."""
    found = {"schema": 1, **({} if told.study is None else _study(told.study))}
    return {
        **found,
        "findings": [asdict(each) for each in told.findings],
        "placed": [asdict(each) for each in told.placed],
        "watches": [_watch(each) for each in told.watches],
        "pairs_not_compared": told.uncompared,
    }


def _study(study: Study) -> dict[str, Any]:
    held = study.population
    return {
        "models": [
            {"name": name, "family": lineage, "factors": {key: levels[at] for key, levels in held.factors.items()}}
            for at, (name, lineage) in enumerate(zip(held.names, held.lineages, strict=True))
        ],
        "lines": {
            shift: {"straight": None if found is None else asdict(found), "tried": [asdict(each) for each in tried]}
            for shift, (found, tried) in study.ranges.items()
        },
        "fits": [_line(each) for each in study.lines],
        "distances": [_distance(each) for each in study.distances],
        "effects": [_row(each) for each in study.effects],
        "correlations": [asdict(each) for each in study.correlations],
        "pairs": [
            {
                "factor": pair.factor, "levels": list(pair.levels), "runs": [pair.first, pair.second],
                "gates": [row(each) for each in pair.changes],
            }
            for pair in study.pairs
        ],
        "seeds": [_seeded(each) for each in study.seeded],
    }  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    told = {"on": line.on, "clean": list(line.clean), "group": line.group, "models": line.models, "families": line.families}
    if line.slope is None:
        return {**told, "refused": line.refused}
    return {
        **told, "lowest": line.lowest, "highest": line.highest, "coefficients": list(line.coefficients),
        "slope": line.slope.value, "interval": list(line.slope.interval),
    }  # fmt: skip


def _distance(each: Distance) -> dict[str, Any]:
    told = {"model": each.model, "on": each.line.on, "clean": list(each.line.clean), "group": each.line.group}
    return {**told, "shares": None if each.shares is None else list(each.shares), "images": each.images, "refused": each.refused}


def _seeded(each: Seeded) -> dict[str, Any]:
    found = (
        None if each.estimate is None else {"value": each.estimate.value, "interval": list(each.estimate.interval), "p": each.estimate.p}
    )
    return {
        "factor": each.factor, "level": each.level, "reference": each.reference, "what": each.what, "logits": each.gap,
        "seeds": list(each.seeds), "estimate": found, "p_holm": each.p_holm, "refused": each.refused,
    }  # fmt: skip


def _watch(watch: Watch) -> dict[str, Any]:
    return {
        "run": watch.run, "clean": watch.clean,
        "epochs": [{"epoch": epoch, "model": name, "clean": value} for epoch, name, value in watch.epochs],
        "moves": [
            {
                "epoch": each.epoch, "gate": each.gate, "property": each.what, "value": each.value, "first": each.first,
                "mixed": each.mixed,
                "change": None if each.change is None else each.change.row, "p_holm": each.p_holm, "falls": each.falls,
            }
            for each in watch.moves
        ],
        "first_falls": watch.first_falls,
        "mixtures": [{"alpha": alpha, "clean": value} for alpha, value, _ in watch.mixtures],
    }  # fmt: skip


def _row(told: Told) -> dict[str, Any]:
    effect, ways = told.effect, told.ways
    points = effect.points or (None, None, None)
    asked = (effect.question.on, effect.question.factor, effect.level, effect.reference)
    other = (None, None, None) if ways is None else (ways.answered, ways.agree, ways.opposite)
    values = (*asked, *effect.families, effect.models[0], *points, effect.p_holm, *other, told.verdict, told.why)
    return dict(zip(HEADER, values, strict=True))
