"""A study as lines for a terminal, as CSV, and as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pytest_clip.runs.changes import row
from pytest_clip.study.findings import findings
from pytest_clip.study.matched import Pair
from pytest_clip.study.study import Study, Told

HEADER = (
    "shift", "factor", "level", "reference", "families", "reference_families", "models", "points", "low", "high", "p_holm", "ways", "agree",
    "opposite", "verdict", "why",
)  # fmt: skip


def lines(study: Study, pairs: Sequence[Pair] = ()) -> list[str]:
    """Findings first, then lines, then every effect, then runs that differ in one factor alone."""
    held = study.population
    told = [f"{len(held)} models in {len(set(held.lineages))} families (architecture x training set)", "", "findings"]
    told += [f"  {each.answer.upper():12} {each.statement}\n{'':15}{each.why}" for each in findings(study)]
    told += ["", f"lines of accuracy under shift against {study.plan.clean}"]
    for shift, (found, tried) in study.ranges.items():
        if found is None:
            told.append(f"  {shift}: curved in every range that was tried ({_tried(tried)}); nothing is read off a line")
        else:
            told.append(f"  {shift}: straight from {found.lowest:.3f} to {found.highest:.3f} ({found.models} models; {_tried(tried)})")
    told += ["", "effects at equal clean accuracy, points of accuracy under shift (95 % interval over families)"]
    told += [f"  {_effect(each)}" for each in study.effects]
    told += [line for pair in pairs for line in _pair(pair)]
    told += ["", "rank correlations"]
    for each in study.correlations:
        what = each.refused or f"rho {each.rho:.3f} ({each.interval[0]:.3f} to {each.interval[1]:.3f})" if each.interval else each.refused
        told.append(f"  {each.one} and {each.other}: {what}, {each.models} models in {each.lineages} families")
    return told


def table(study: Study) -> str:
    """CSV, a line an effect."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(each).values() for each in study.effects)
    return out.getvalue()


def document(study: Study, pairs: Sequence[Pair] = ()) -> dict[str, Any]:
    """Everything in builtins."""
    return {
        "schema": 1,
        "models": [
            {"name": name, "family": lineage, "factors": {key: levels[at] for key, levels in study.population.factors.items()}}
            for at, (name, lineage) in enumerate(zip(study.population.names, study.population.lineages, strict=True))
        ],
        "findings": [asdict(each) for each in findings(study)],
        "lines": {
            shift: {"straight": None if found is None else asdict(found), "tried": [asdict(each) for each in tried]}
            for shift, (found, tried) in study.ranges.items()
        },
        "effects": [_row(each) for each in study.effects],
        "correlations": [asdict(each) for each in study.correlations],
        "pairs": [
            {
                "factor": pair.factor,
                "levels": list(pair.levels),
                "runs": [pair.first, pair.second],
                "gates": [row(each) for each in pair.changes],
            }
            for pair in pairs
        ],
    }


def _pair(pair: Pair) -> list[str]:
    """What the second run has lost by more than chance explains, most sure first."""
    both = sum(each.found.change is not None for each in pair.changes)
    head = f"{pair.first} and {pair.second} differ in {pair.factor} alone ({pair.levels[0]}, {pair.levels[1]})"
    told = ["", f"{head}: of {both} gates {len(pair.worse)} are worse in {pair.second}, all pairs and gates considered"]
    return told + [f"  {each.gate}: drop {each.found.change.drop:.4f}" for each in pair.worse if each.found.change is not None]


def _tried(tried: Any) -> str:
    return ", ".join(f"from {each.lowest:.2f} {'too few' if each.p is None else f'p = {each.p:.2g}'}" for each in tried)


def _effect(told: Told) -> str:
    effect = told.effect
    name = f"{effect.question.on}: {effect.question.factor} {effect.level} against {effect.reference}"
    if effect.points is None:
        return f"{name}: cannot tell: {told.why}"
    value, low, high = (100 * each for each in effect.points)
    families = f"{effect.families[0]}{f' and {effect.families[1]}' if effect.families[1] else ''} families"
    return f"{name}: {value:+.1f} ({low:+.1f} to {high:+.1f}), {families}: {told.verdict}: {told.why}"


def _row(told: Told) -> dict[str, Any]:
    effect, ways = told.effect, told.ways
    points = effect.points or (None, None, None)
    asked = (effect.question.on, effect.question.factor, effect.level, effect.reference)
    other = (None, None, None) if ways is None else (ways.answered, ways.agree, ways.opposite)
    values = (*asked, *effect.families, effect.models[0], *points, effect.p_holm, *other, told.verdict, told.why)
    return dict(zip(HEADER, values, strict=True))
