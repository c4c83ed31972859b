"""The ``clip.*`` properties of a testcase in ``--junitxml``: the row of the JSON record, flat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_PLAIN = ("gate", "suite", "metric", "slice", "model", "fingerprint", "data", "value", "n", "verdict", "reason")


def properties(row: Mapping[str, Any]) -> list[tuple[str, str | int | float]]:
    """Name and value pairs in a fixed order; what a row does not have is left out.

    Only exact builtins: xdist refuses anything else, and JUnit writes a dict as its Python repr, so nested parts are flat or JSON text.
    """
    pairs: list[tuple[str, Any]] = [(name, row.get(name)) for name in _PLAIN]
    low, high = row.get("ci") or (None, None)
    pairs += [("ci_low", low), ("ci_high", high)]
    rule = row.get("rule") or {}
    pairs += [(f"rule.{key}", rule.get(key)) for key in ("min", "max", "max_drop", "drop_test", "min_n", "severity", "source")]
    waiver = row.get("waiver") or {}
    pairs += [(f"waiver.{key}", waiver.get(key)) for key in ("reason", "until", "model", "data")]
    baseline = row.get("baseline") or {}
    pairs += [(f"baseline.{key}", baseline.get(key)) for key in ("run", "value", "drop", "p", "method", "status")]
    if row.get("flips"):
        pairs.append(("flips", row["flips"]["worse"]))
    if row.get("role"):
        pairs.append(("role", row["role"]))
    if row.get("partial"):
        pairs.append(("partial", "true"))
    if conventions := row.get("conventions"):
        pairs.append(("conventions", json.dumps(conventions, sort_keys=True, ensure_ascii=False)))
    return [(f"clip.{name}", value) for name, value in pairs if value is not None]
