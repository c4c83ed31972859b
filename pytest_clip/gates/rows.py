"""Verdicts as rows of the JSON record."""

from __future__ import annotations

import math
from typing import Any

from pytest_clip.gates.rules import Bound, Rule
from pytest_clip.gates.verdicts import Verdict
from pytest_clip.gates.waivers import Waiver


def to_row(verdict: Verdict) -> dict[str, Any]:
    """The row of the JSON record: builtins only, NaN as None with a reason, an infinite end of an interval as None.

    ``outside`` is for the end of the run and not in the record.
    """
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
        "reason": measurement.reason if measurement.no_interval is None else f"no interval: {measurement.no_interval}",
        "verdict": verdict.status,
        "rule": None if verdict.rule is None else _rule_row(verdict.rule, verdict.decided_by),
        "waiver": None if verdict.waiver is None else _waiver_row(verdict.waiver),
        "baseline": None if verdict.comparison is None else verdict.comparison.row,
        "flips": None if verdict.comparison is None else verdict.comparison.flips,
        "conventions": dict(measurement.conventions),
        "message": verdict.message,
        **({"outside": True} if verdict.outside else {}),
    }


def _rule_row(rule: Rule, decided_by: Bound | None) -> dict[str, Any]:
    """Every key with its value, ``source`` of the key that decided (else of the first), and ``sources`` of all."""
    bounds = list(rule.bounds.values())
    first = decided_by or bounds[0]
    row: dict[str, Any] = {bound.key: bound.text if bound.relative else bound.value for bound in bounds}
    if rule.severity is not None:
        row["severity"] = rule.severity.level
    if rule.drop_test is not None:
        row["drop_test"] = rule.drop_test.name
    return {**row, "why": first.why, "source": first.source, "sources": {bound.key: bound.source for bound in bounds}}


def _waiver_row(waiver: Waiver) -> dict[str, Any]:
    row: dict[str, Any] = {"reason": waiver.reason, "until": waiver.until.isoformat(), "source": waiver.source}
    return row | {key: name for key, name in (("model", waiver.model), ("data", waiver.data)) if name is not None}
