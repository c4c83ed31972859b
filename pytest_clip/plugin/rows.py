"""Rows of gates on their way from the item that measures them to its report."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_clip.plugin.items import data_label_of, gate_of, model_label_of
from pytest_clip.session.judge import rule_for
from pytest_clip.session.run import ClipSession, Row

ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
FIRST: pytest.StashKey[tuple[list[Row], list[tuple[str, object]]]] = pytest.StashKey()
OK = ("pass", "waived", "unjudged", "not_measured", "warn")  # gates.verdicts.OK, which is not imported at start-up


def rows_of(item: pytest.Item) -> list[Row]:
    return item.stash.setdefault(ROWS, [])


def begin(item: pytest.Item) -> None:
    """A test that is run again (pytest-rerunfailures) has measured nothing yet; what was true of the item before it ran stays."""
    if FIRST not in item.stash:
        item.stash[FIRST] = list(rows_of(item)), list(item.user_properties)
    rows, properties = item.stash[FIRST]
    item.stash[ROWS] = list(rows)
    item.user_properties[:] = properties


def reported(item: pytest.Item, report: pytest.TestReport, session: ClipSession) -> list[Row]:
    """What the report of an item carries: its gates as measured, or why the one that it is marked with was not."""
    rows = item.stash.get(ROWS, [])
    gate = gate_of(item) if item.get_closest_marker("clip_gate") is not None else None
    text = _first_line(report).removeprefix(f"{gate}: ").removeprefix("not measured: ")
    if gate is not None and str(gate) not in [row["gate"] for row in rows]:
        model, data = model_label_of(item, session), data_label_of(item, session)
        row = without_value(gate, model, data, "fail" if report.failed else "not_measured", f"{gate}: not measured: {text}")
        rows = [*rows, row | {"rule": _rule_row(gate, model, data, session)}]
    elif report.failed and all(row["verdict"] in OK for row in rows):
        note = f"the test failed after its gate was judged {{}}: {text}"
        rows = [row | {"verdict": "fail", "message": f"{row['gate']}: {note.format(row['verdict'])}"} for row in rows]
    return [row | {"nodeid": item.nodeid, "partial": session.settings.limit is not None} for row in rows]


def _rule_row(gate: Any, model: str, data: str, session: ClipSession) -> Row | None:
    rule = rule_for(session, gate, model, data)
    if rule is None:
        return None
    bounds = list(rule.bounds.values())
    return {bound.key: bound.text if bound.relative else bound.value for bound in bounds} | {
        "why": bounds[0].why,
        "source": bounds[0].source,
    }


def _first_line(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message.removeprefix("Failed: ") if crash is not None else str(report.longrepr or "")
    return next((line for line in text.splitlines() if line.strip()), "the test gave no reason")


def without_value(gate: Any, model: str, data: str, verdict: str, message: str) -> Row:
    """The row of a gate that has no measurement, in the shape of those that have one."""
    return {
        "gate": str(gate),
        "suite": gate.suite,
        "metric": gate.metric,
        "slice": gate.slice,
        "model": model,
        "data": data,
        "value": None,
        "ci": None,
        "n": None,
        "reason": message,
        "verdict": verdict,
        "rule": None,
        "waiver": None,
        "baseline": None,
        "conventions": {},
        "message": message,
    }
