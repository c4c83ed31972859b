"""Verdicts: a measurement held against its rule, and the sentence that explains the outcome."""

from __future__ import annotations

import math
import operator
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pytest_clip.gates.catalog import SUITES
from pytest_clip.gates.comparison import Comparison, flip_lines
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rules import Bound, Rule
from pytest_clip.gates.waivers import Waiver
from pytest_clip.gates.whys import filled

Status = Literal["pass", "fail", "insufficient", "unjudged", "waived", "warn"]
#: The verdicts with which a test item passes.
OK: tuple[Status, ...] = ("pass", "waived", "unjudged", "warn")

_SIDES: dict[str, tuple[Callable[[float, float], bool], str, str]] = {"min": (operator.ge, ">=", "<"), "max": (operator.le, "<=", ">")}


@dataclass(frozen=True)
class Verdict:
    """What a gate's test item reports. ``message`` begins with a line that is complete in itself, the rest says where and how.

    ``decided_by`` is the bound that decided: the broken one, or ``min_n`` when too few images were measured.
    """

    measurement: Measurement
    rule: Rule | None
    status: Status
    message: str
    waiver: Waiver | None = None
    decided_by: Bound | None = None
    comparison: Comparison | None = None

    @property
    def ok(self) -> bool:
        """Whether the test item passes. A gate with a rule that cannot be judged is not green, so ``insufficient`` fails like ``fail``;
        ``unjudged`` passes the item and is counted in the report, because nobody asked anything of the gate; so is ``warn``, because its
        rule says ``severity = "warn"``."""
        return self.status in OK

    @property
    def headline(self) -> str:
        return self.message.partition("\n")[0]


def judge(
    measurement: Measurement,
    rule: Rule | None,
    waiver: Waiver | None = None,
    *,
    spec: str | None = None,
    fingerprint: str | None = None,
    options: Sequence[str] = (),
    test: str | None = None,
    comparison: Comparison | None = None,
) -> Verdict:
    """Hold ``measurement`` against ``rule``: the value itself must satisfy ``>= min`` and ``<= max`` exactly.

    The interval decides nothing, but a bound inside it is said aloud. A waiver turns ``fail`` into ``waived``, and a pass into a failure,
    so that it leaves the file once its reason is gone; it does not excuse having measured too little. ``severity = "warn"`` turns what
    would fail the test item into ``warn``, but not a stale waiver. ``spec``, ``fingerprint``, ``options`` (of this run's command line) and
    ``test`` (the node id, of a test that is in no shipped suite) only go into the message.
    """
    status, outcome, decided_by = _compared(*_outcome(measurement, rule, compared=comparison is not None), comparison)
    if waiver is not None and status == "fail":
        status, outcome = "waived", f"{outcome}: waived until {waiver.until}: {waiver.reason}"
    elif waiver is not None and status == "pass":
        status = "fail"
        outcome = f"{outcome}: stale waiver, the gate passes; remove {waiver.source} ({waiver.reason})"
    elif rule is not None and rule.severity is not None and rule.warns and status in ("fail", "insufficient"):
        status, outcome = "warn", f'{outcome}: no failure, {rule.severity.source} says severity = "warn"'
    facts = _facts(measurement, rule, waiver, decided_by, status) + _baseline_facts(rule, comparison, outcome)
    facts.append(("model", " ".join([measurement.model, *([f"fingerprint {fingerprint}"] if fingerprint else [])])))
    facts.append(("data", measurement.data))
    if measurement.conventions:
        facts.append(("conventions", ", ".join(f"{key}={value}" for key, value in measurement.conventions.items())))
    facts.append(("rerun", rerun_command(measurement, spec, options, test)))
    lines = [f"{measurement.gate}: {outcome}", *(f"  {name:<12} {text}" for name, text in facts)]
    return Verdict(measurement, rule, status, "\n".join(lines), waiver, decided_by, comparison)


def as_baseline(measurement: Measurement) -> Verdict:
    """The verdict on a gate of the model that others are held against: measured, and nothing asked of it."""
    value = f"no value: {measurement.reason}" if measurement.value is None else f"{distinct(measurement.value)[0]} {_basis(measurement)}"
    return Verdict(measurement, None, "unjudged", f"{measurement.gate}: {value}: measured as the baseline, not judged")


def _compared(status: Status, outcome: str, decided_by: Bound | None, comparison: Comparison | None) -> tuple[Status, str, Bound | None]:
    """The verdict once the baseline has been heard: a regression fails a gate whose bounds hold, and a held ``max_drop`` judges one
    that has no bounds."""
    if comparison is None or comparison.status is None or comparison.bound is None:
        return status, outcome, decided_by
    weight = ("unjudged", "pass", "insufficient", "fail")
    if weight.index(comparison.status) > weight.index(status):
        measured = outcome.partition(": unjudged")[0]
        outcome = f"{comparison.sentence}; value {measured}"
        return comparison.status, outcome, None if comparison.status == "pass" else comparison.bound
    return status, outcome, decided_by


def _baseline_facts(rule: Rule | None, comparison: Comparison | None, outcome: str) -> list[tuple[str, str]]:
    if comparison is not None:
        told = [] if comparison.sentence in outcome else [("baseline", comparison.sentence)]
        return told + [("flips", line) for line in flip_lines(comparison.flips)]
    drop = rule.get("max_drop") if rule is not None else None
    return [] if drop is None else [("note", f"max_drop {drop.text} not judged: no baseline")]


def _outcome(measurement: Measurement, rule: Rule | None, *, compared: bool) -> tuple[Status, str, Bound | None]:
    """The verdict without waivers, in words that complete the headline, and the bound that decided."""
    sides = [bound for key in _SIDES if rule is not None and (bound := rule.get(key)) is not None]
    few = rule.get("min_n") if rule is not None else None
    asked = " and ".join(f"{bound.key} {text}" for bound, text in zip(sides, distinct(*(bound.value for bound in sides)), strict=True))
    if measurement.value is None:
        text = f"no value: {measurement.reason} ({', '.join([*([asked] if asked else []), f'n = {measurement.n}'])})"
        if rule is None or (compared and set(rule.bounds) == {"max_drop"}):  # the baseline tells whether a lost value is a regression
            return "unjudged", f"{text}: unjudged, {_no_bound(rule)}", None
        return "fail", text, sides[0] if sides else None
    value, *bounds = distinct(measurement.value, *(bound.value for bound in sides))
    basis = _basis(measurement, *(bound.value for bound in sides))
    if few is not None and measurement.n < few.value:
        return "insufficient", f"insufficient: n = {measurement.n} < min_n {few.text} (value {value}{', ' + asked if asked else ''})", few
    if not sides:
        return "unjudged", f"{value} {basis}: unjudged, {_no_bound(rule)}", None
    held = []
    for bound, text in zip(sides, bounds, strict=True):
        holds, yes, no = _SIDES[bound.key]
        if not holds(measurement.value, bound.value):
            return "fail", f"{value} {no} {bound.key} {text} {basis}", bound
        held.append(f"{yes} {bound.key} {text}")
    return "pass", f"{value} {' and '.join(held)} {basis}", None


def _facts(
    measurement: Measurement, rule: Rule | None, waiver: Waiver | None, decided_by: Bound | None, status: Status
) -> list[tuple[str, str]]:
    bounds = [] if rule is None else list(rule.bounds.values())
    asked = [decided_by] if decided_by is not None else bounds
    facts = [("why", filled(why, measurement)) for why in dict.fromkeys(bound.why for bound in asked if bound.why)]
    if bounds:
        facts.append(("rule", ", ".join(f"{bound.key} {bound.text} ({bound.source})" for bound in bounds)))
    if measurement.ci is not None and measurement.value is not None:
        low, high = measurement.ci
        for bound in bounds:
            if bound.key in _SIDES and low <= bound.value <= high:
                interval = _interval(measurement.ci, bound.value)
                doubt = f"n = {measurement.n} is too few to be sure"
                facts.append(("note", f"the interval {interval} includes {bound.key} {bound.text}: {doubt}"))
    if measurement.value is not None and measurement.reason:
        facts.append(("note", measurement.reason))
    if waiver is not None:
        facts.append(("waiver", f"{waiver.source}, until {waiver.until}: {waiver.reason}"))
        if status == "fail" and waiver.model is None:
            facts.append(("fix", 'remove it, or limit it to what it is for with model = "NAME" or data = "NAME"'))
        if status == "unjudged":
            facts.append(("note", "the waiver excuses nothing: no rule judges this gate"))
    if status == "unjudged" and not bounds:
        facts.append(("fix", f'give [gates."{measurement.gate}"] a min or a max in thresholds.toml'))
    return facts


def _no_bound(rule: Rule | None) -> str:
    return "no rule in any thresholds file" if rule is None else "its rule has no min and no max"


def _basis(measurement: Measurement, *bounds: float) -> str:
    """``(n = 500, 95 % interval 0.8870..0.8990)``"""
    interval = "" if measurement.ci is None else f", 95 % interval {_interval(measurement.ci, *bounds)}"
    return f"(n = {measurement.n}{interval})"


def _interval(ci: tuple[float, float], *bounds: float) -> str:
    """``0.8870..0.8990``, an end never printed like a bound that it does not touch; two ends may be."""
    low, high = (distinct(end, *bounds)[0] for end in ci)
    return f"{low}..{high}"


def rerun_command(measurement: Measurement, spec: str | None = None, options: Sequence[str] = (), test: str | None = None) -> str:
    """The command that measures just this gate again, under the same ``options``."""
    parts = [f"--clip-model={shlex.quote(spec or measurement.model)}", *(_quoted(option) for option in options)]
    if test is not None:
        return f"pytest {' '.join(parts)} {shlex.quote(test)}"
    if measurement.gate.suite == "mutants":
        return f"pytest {' '.join(parts)} --clip-mutants={measurement.gate.slice or 'all'}"
    if measurement.gate.suite in SUITES:
        parts.append(f"--clip-suite={measurement.gate.suite}")
    return f'pytest {" ".join(parts)} -k "{measurement.gate}"'


def _quoted(option: str) -> str:
    """``--clip-data='/d/im net'``: only the value in quotes, as a person would type it."""
    name, sign, value = option.partition("=")
    return f"{name}{sign}{shlex.quote(value)}" if sign else shlex.quote(option)


def to_row(verdict: Verdict) -> dict[str, Any]:
    """The row of the JSON record: builtins only, NaN as None with a reason, an infinite end of an interval as None."""
    measurement, gate = verdict.measurement, verdict.measurement.gate
    return {
        "gate": str(gate),
        "suite": gate.suite,
        "metric": gate.metric,
        "slice": gate.slice,
        "model": measurement.model,
        "data": measurement.data,
        "value": measurement.value,
        "ci": None if measurement.ci is None else [end if math.isfinite(end) else None for end in measurement.ci],
        "n": measurement.n,
        "reason": measurement.reason,
        "verdict": verdict.status,
        "rule": None if verdict.rule is None else _rule_row(verdict.rule, verdict.decided_by),
        "waiver": None if verdict.waiver is None else _waiver_row(verdict.waiver),
        "baseline": None if verdict.comparison is None else verdict.comparison.row,
        "flips": None if verdict.comparison is None else verdict.comparison.flips,
        "conventions": dict(measurement.conventions),
        "message": verdict.message,
    }


def _rule_row(rule: Rule, decided_by: Bound | None) -> dict[str, Any]:
    """Every key with its value, ``source`` of the key that decided (else of the first), and ``sources`` of all."""
    bounds = list(rule.bounds.values())
    first = decided_by or bounds[0]
    row: dict[str, Any] = {bound.key: bound.text if bound.relative else bound.value for bound in bounds}
    if rule.severity is not None:
        row["severity"] = rule.severity.level
    return {**row, "why": first.why, "source": first.source, "sources": {bound.key: bound.source for bound in bounds}}


def _waiver_row(waiver: Waiver) -> dict[str, Any]:
    row: dict[str, Any] = {"reason": waiver.reason, "until": waiver.until.isoformat(), "source": waiver.source}
    return row | {key: name for key, name in (("model", waiver.model), ("data", waiver.data)) if name is not None}
