"""What stands below the first line of a verdict: who asked for it and why, how sure the number is, and what to change."""

from __future__ import annotations

import json

from pytest_clip.gates.comparison import Comparison, flip_lines
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rules import Bound, Rule
from pytest_clip.gates.waivers import Waiver
from pytest_clip.gates.whys import filled


def rule_facts(
    measurement: Measurement, rule: Rule | None, waiver: Waiver | None, decided_by: Bound | None, status: str
) -> list[tuple[str, str]]:
    """Name and text of each line about the rule and the waiver."""
    bounds = [] if rule is None else list(rule.bounds.values())
    asked = [decided_by] if decided_by is not None else bounds
    facts = [("why", filled(why, measurement)) for why in dict.fromkeys(bound.why for bound in asked if bound.why)]
    if bounds:
        facts.append(("rule", ", ".join(f"{bound.key} {bound.text} ({bound.source})" for bound in bounds)))
    if measurement.ci is not None and measurement.value is not None:
        low, high = measurement.ci
        for bound in bounds:
            if bound.key in ("min", "max") and low <= bound.value <= high:
                interval = _interval(measurement.ci, bound.value)
                doubt = f"n = {measurement.n} is too few to be sure"
                facts.append(("note", f"the interval {interval} includes {bound.key} {bound.text}: {doubt}"))
    if measurement.value is not None and measurement.reason:
        facts.append(("note", measurement.reason))
    if waiver is not None:
        facts.append(("waiver", f"{waiver.source}, until {waiver.until}: {waiver.reason}"))
        if status == "fail" and waiver.model is None:
            facts.append(("fix", 'remove it, or limit it to what it is for with model = "NAME" or data = "NAME"'))
        if status in ("unjudged", "not_measured"):
            facts.append(("note", "the waiver excuses nothing: no rule judges this gate"))
    if status in ("unjudged", "not_measured") and not bounds:
        facts.append(("fix", f'give [gates."{measurement.gate}"] a min or a max in thresholds.toml'))
    return facts


def baseline_facts(rule: Rule | None, comparison: Comparison | None, outcome: str) -> list[tuple[str, str]]:
    """Name and text of each line about the baseline that `outcome`, the first line, has not said already."""
    if comparison is not None:
        told = [] if comparison.sentence in outcome else [("baseline", comparison.sentence)]
        return told + [("flips", line) for line in flip_lines(comparison.flips)]
    drop = rule.get("max_drop") if rule is not None else None
    return [] if drop is None else [("note", f"max_drop {drop.text} not judged: no baseline")]


def told(value: object) -> str:
    """A convention as the record writes it: what is nested as JSON, not as Python."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def no_bound(rule: Rule | None) -> str:
    return "no rule in any thresholds file" if rule is None else "its rule has no min and no max"


def basis(measurement: Measurement, *bounds: float) -> str:
    """``(n = 500, 95 % interval 0.8870..0.8990)``"""
    interval = "" if measurement.ci is None else f", 95 % interval {_interval(measurement.ci, *bounds)}"
    if measurement.no_interval is not None:
        interval = f", no interval: {measurement.no_interval}"
    return f"(n = {measurement.n}{interval})"


def _interval(ci: tuple[float, float], *bounds: float) -> str:
    """``0.8870..0.8990``, an end never printed like a bound that it does not touch; two ends may be."""
    low, high = (distinct(end, *bounds)[0] for end in ci)
    return f"{low}..{high}"
