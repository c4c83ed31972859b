"""Verdicts: a measurement held against its rule, and the sentence that explains the outcome."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_clip.gates.comparison import Comparison
from pytest_clip.gates.digits import distinct
from pytest_clip.gates.explanation import baseline_facts, basis, no_bound, rule_facts, told
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rerun import rerun_command
from pytest_clip.gates.rules import Bound, Rule
from pytest_clip.gates.waivers import Waiver

Status = Literal["pass", "fail", "insufficient", "unjudged", "not_measured", "waived", "warn"]
#: The verdicts with which a test item passes.
OK: tuple[Status, ...] = ("pass", "waived", "unjudged", "not_measured", "warn")
#: Somebody asked something of the gate, and it was held against that.
JUDGED: tuple[Status, ...] = ("pass", "fail", "insufficient", "waived", "warn")

_SIDES: dict[str, tuple[Callable[[float, float], bool], str, str]] = {"min": (operator.ge, ">=", "<"), "max": (operator.le, "<=", ">")}


@dataclass(frozen=True)
class Verdict:
    """What a gate's test item reports. ``message`` begins with a line that is complete in itself, the rest says where and how.

    ``decided_by`` is the bound that decided: the broken one, or ``min_n`` when too few images were measured. ``outside`` is whether it only
    warns because the model does not know the data at all.
    """

    measurement: Measurement
    rule: Rule | None
    status: Status
    message: str
    waiver: Waiver | None = None
    decided_by: Bound | None = None
    comparison: Comparison | None = None
    outside: bool = False

    @property
    def ok(self) -> bool:
        """Whether the test item passes. A gate with a rule that cannot be judged is not green, so ``insufficient`` fails like ``fail``;
        ``unjudged`` (measured, and no rule asks anything of it) and ``not_measured`` (no number) pass the item and are counted in the
        report; so is ``warn``, because its
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
    facts = rule_facts(measurement, rule, waiver, decided_by, status) + baseline_facts(rule, comparison, outcome)
    facts.append(("model", " ".join([measurement.model, *([f"fingerprint {fingerprint}"] if fingerprint else [])])))
    facts.append(("data", measurement.data))
    if measurement.conventions:
        facts.append(("conventions", ", ".join(f"{key}={told(value)}" for key, value in measurement.conventions.items())))
    facts.append(("rerun", rerun_command(measurement, spec, options, test)))
    lines = [f"{measurement.gate}: {outcome}", *(f"  {name:<12} {text}" for name, text in facts)]
    return Verdict(measurement, rule, status, "\n".join(lines), waiver, decided_by, comparison)


def as_baseline(measurement: Measurement) -> Verdict:
    """The verdict on a gate of the model that others are held against: measured, and nothing asked of it."""
    value = f"no value: {measurement.reason}" if measurement.value is None else f"{distinct(measurement.value)[0]} {basis(measurement)}"
    return Verdict(measurement, None, "unjudged", f"{measurement.gate}: {value}: measured as the baseline, not judged")


def _compared(status: Status, outcome: str, decided_by: Bound | None, comparison: Comparison | None) -> tuple[Status, str, Bound | None]:
    """The verdict once the baseline has been heard: a regression fails a gate whose bounds hold, and a held ``max_drop`` judges one
    that has no bounds."""
    if comparison is None or comparison.status is None or comparison.bound is None:
        return status, outcome, decided_by
    weight = ("not_measured", "unjudged", "pass", "insufficient", "fail")
    if weight.index(comparison.status) > weight.index(status):
        measured = outcome.partition(f": {status.replace('_', ' ')}")[0]
        outcome = f"{comparison.sentence}; value {measured}"
        return comparison.status, outcome, None if comparison.status == "pass" else comparison.bound
    return status, outcome, decided_by


def _outcome(measurement: Measurement, rule: Rule | None, *, compared: bool) -> tuple[Status, str, Bound | None]:
    """The verdict without waivers, in words that complete the headline, and the bound that decided."""
    sides = [bound for key in _SIDES if rule is not None and (bound := rule.get(key)) is not None]
    few = rule.get("min_n") if rule is not None else None
    asked = " and ".join(f"{bound.key} {text}" for bound, text in zip(sides, distinct(*(bound.value for bound in sides)), strict=True))
    if measurement.value is None:
        text = f"no value: {measurement.reason} ({', '.join([*([asked] if asked else []), f'n = {measurement.n}'])})"
        if rule is None or (compared and set(rule.bounds) == {"max_drop"}):  # the baseline tells whether a lost value is a regression
            return "not_measured", f"{text}: not measured, {no_bound(rule)}", None
        return "fail", text, sides[0] if sides else None
    value, *bounds = distinct(measurement.value, *(bound.value for bound in sides))
    known_by = basis(measurement, *(bound.value for bound in sides))
    if few is not None and measurement.n < few.value:
        return "insufficient", f"insufficient: n = {measurement.n} < min_n {few.text} (value {value}{', ' + asked if asked else ''})", few
    if not sides:
        return "unjudged", f"{value} {known_by}: unjudged, {no_bound(rule)}", None
    held = []
    for bound, text in zip(sides, bounds, strict=True):
        holds, yes, no = _SIDES[bound.key]
        if not holds(measurement.value, bound.value):
            return "fail", f"{value} {no} {bound.key} {text} {known_by}", bound
        held.append(f"{yes} {bound.key} {text}")
    return "pass", f"{value} {' and '.join(held)} {known_by}", None
