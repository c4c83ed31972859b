"""What ``--clip-update`` would do with a measured gate, and why it leaves it alone nevertheless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pytest_clip.gates import chance, margins
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.rules import Bound, Rule

Row = Mapping[str, Any]
Category = Literal["create", "fix", "trim"]
Key = Literal["min", "max"]
SIDES: tuple[Key, ...] = ("min", "max")

NO_VALUE = "no value was measured"
GUESSING = "the model may as well be guessing: chance is inside the interval"
KEPT = "a model that guesses would keep the bound"
OPEN = "its interval has no end on that side: too few images"
_EXCUSES = {"waived": "waived", "warn": 'severity = "warn" in the rule', "insufficient": "insufficient: too few images"}


def wanted_of(row: Row, rule: Rule | None) -> tuple[Category | None, str | None]:
    """The category that a row falls under (None: nothing to update), and the reason to leave it alone nevertheless."""
    verdict = row["verdict"]
    if verdict in ("unjudged", "not_measured"):
        has_rule = rule is not None and any(key in rule.bounds for key in SIDES)  # and was skipped
        return (None, None) if has_rule else ("create", _not_created(row))
    if verdict == "pass":
        return "trim", _too_little(row)
    return ("fix", _not_fixed(row, rule)) if verdict in ("fail", *_EXCUSES) else (None, None)


def _not_created(row: Row) -> str | None:
    if row["value"] is None:
        return NO_VALUE
    if row["waiver"]:
        return _EXCUSES["waived"]
    if row.get("better") is None:
        known = GateId.parse(row["gate"]).metric_id in CATALOG
        return "more is neither better nor worse" if known else 'no better side is known; give gate(..., better="higher") or "lower"'
    return _too_little(row)


def _not_fixed(row: Row, rule: Rule | None) -> str | None:
    if row["verdict"] == "fail" and row["waiver"]:
        return "stale waiver: remove the waiver"
    if row["value"] is None:
        return NO_VALUE
    if (excuse := _EXCUSES.get(row["verdict"])) is not None:
        return excuse
    return _guessing(row) if broken(row, rule) else "failed, but no min or max is broken"


def broken(row: Row, rule: Rule | None) -> list[Bound]:
    """The bounds that the value breaks."""
    value = row["value"]
    if rule is None or value is None:
        return []
    low, high = rule.get("min"), rule.get("max")
    return [bound for bound in (low, high) if bound is not None and (value < bound.value if bound is low else value > bound.value)]


def bound_of(row: Row, key: Key) -> float:
    """The bound that the measurement asks for."""
    metric = CATALOG.get(f"{row['suite']}/{row['metric']}")
    step = row["conventions"].get("step", 0.0)
    return margins.bound(row["value"], row["ci"], key=key, unit=None if metric is None else metric.unit, step=step)


def _too_little(row: Row) -> str | None:
    open_ended = row["ci"] is not None and row["ci"][0 if row["better"] == "higher" else 1] is None
    return OPEN if open_ended else _guessing(row)


def _guessing(row: Row) -> str | None:
    """Why its bound would say nothing: its interval holds what guessing reaches, or guessing keeps the bound."""
    if margins.at_chance(row["ci"], row["conventions"]):
        return GUESSING
    if row["value"] is None or row.get("better") not in ("higher", "lower"):
        return None
    key: Key = "min" if row["better"] == "higher" else "max"
    kept = chance.is_met_by_guessing(bound_of(row, key), key, GateId.parse(row["gate"]).metric_id, row["conventions"])
    return KEPT if kept else None
