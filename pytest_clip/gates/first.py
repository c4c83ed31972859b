"""A first thresholds file: what one run measured as rules with their reasons, written to be read and edited by a person."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pytest_clip.gates import chance
from pytest_clip.gates.catalog import CATALOG, SUITES
from pytest_clip.gates.margins import TOLD, at_chance, bound
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.gates.toml_text import comment, header, quoted

Row = Mapping[str, Any]
OWN_RULES = ("checkpoint",)
"""Suites whose shipped rules hold for any model: a measured bound would say nothing more."""


def text(rows: Sequence[Row], *, models: Sequence[Mapping[str, Any]], today: str) -> str:
    """The file. A gate that cannot become a rule is there as a comment that says why.

    ValueError where the text would say anything else than the rules that were meant, whatever the names in the record are.
    """
    said = ", ".join(f"{each['name']} ({each.get('fingerprint') or 'no fingerprint'})" for each in models)
    data = ", ".join(dict.fromkeys(str(row["data"]) for row in rows))
    wanted: dict[str, Any] = {"schema": 1}
    out = [
        comment(f"# Rules for {data}, from a first run of {said} on {today} (pytest-clip init)."),
        f"# A bound is {TOLD}.",
        "# They say what this model reached, not what you need: go through them, raise what matters to you, delete what does not, and",
        "# say why in `why`, which is printed when a gate fails. Every gate also takes max_drop = 0.02 (against --clip-baseline),",
        '# min_n = 500 and severity = "warn". A later run keeps the file up: pytest --clip-update=create,fix,trim. More: docs/gates.md.',
        "schema = 1",
    ]
    for suite in dict.fromkeys(str(row["suite"]) for row in rows):
        mine = [row for row in rows if row["suite"] == suite]
        out += ["", f"# {'-' * 8} {suite}: {SUITES.get(suite, 'a suite of your own')}"]
        if suite in OWN_RULES:
            out += ["# The shipped rules hold for any model; pytest-clip list shows them."]
            continue
        for row in mine:
            lines, rule = _rule(row)
            out += ["", *lines]
            if rule is not None:
                wanted.setdefault("data", {}).setdefault(row["data"], {"gates": {}})["gates"][row["gate"]] = rule
    text = "\n".join(out) + "\n"
    if tomllib.loads(text) != wanted:
        raise ValueError("its names cannot be written into a thresholds file")
    return text


def _rule(row: Row) -> tuple[list[str], dict[str, Any] | None]:
    """The lines of a gate and the rule that they say."""
    metric = CATALOG.get(f"{row['suite']}/{row['metric']}")
    title = f"# {metric.title}." if metric is not None else "# A gate of your own."
    if reason := _not_a_rule(row):
        return [comment(f"# {row['gate']}: {reason}")], None
    assert metric is not None
    value, ci = float(row["value"]), row["ci"]
    key, limit = _bound(row)
    told = f"measured {value:.4f}" + (f", 95 % interval {ci[0]:.4f}..{ci[1]:.4f}" if _whole(ci) else "") + f", n = {row['n']}"
    guessed = f"; chance is {metric.chance}" if metric.chance else ""
    lines = [f"{title[:-1]}{guessed}.", header(("data", row["data"], "gates", row["gate"])), f"{key} = {limit!r}", f"why = {quoted(told)}"]
    return lines, {key: limit, "why": told}


def _not_a_rule(row: Row) -> str | None:
    metric = CATALOG.get(f"{row['suite']}/{row['metric']}")
    if row["value"] is None:
        told = str(row.get("reason") or row.get("message") or "").strip() or "not measured"
        return told.splitlines()[0].removeprefix(f"{row['gate']}: ")
    if metric is None:
        return f"measured {row['value']:.4f}; only you know which way is better: write min or max"
    if metric.better == "none":
        return f"measured {row['value']:.4f}; neither more nor less is better"
    if at_chance(row["ci"], row["conventions"]):
        return f"measured {row['value']:.4f}, which may as well be guessing; a rule would hold nothing"
    key, limit = _bound(row)
    if chance.is_met_by_guessing(limit, key, f"{row['suite']}/{row['metric']}", row["conventions"]):
        level = chance.of(f"{row['suite']}/{row['metric']}", row["conventions"])
        return f"measured {row['value']:.4f}, and its bound, {limit!r}, is kept by guessing ({level:.4g}); measure more images"
    return None


def ruled(rows: Sequence[Row]) -> set[str]:
    """The gates of `rows` that become rules."""
    return {str(row["gate"]) for row in rows if row["suite"] not in OWN_RULES and _not_a_rule(row) is None}


def _bound(row: Row) -> tuple[Literal["min", "max"], float]:
    metric = CATALOG[f"{row['suite']}/{row['metric']}"]
    key: Literal["min", "max"] = "min" if metric.better == "higher" else "max"
    step = row["conventions"].get("step", 0.0)
    if not isinstance(step, int | float) or not math.isfinite(step):
        raise ValueError(f"the step of {row['gate']} is no number")
    return key, bound(float(row["value"]), row["ci"], key=key, unit=metric.unit, step=float(step))


def _whole(ci: Any) -> bool:
    return ci is not None and all(end is not None and math.isfinite(end) for end in ci)
