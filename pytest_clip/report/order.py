"""What every report says alike of the rows of the record: how far a gate missed, the order from the worst, counts, severities."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.gates.digits import short

Row = Mapping[str, Any]

WORDS = {
    "fail": "failed",
    "insufficient": "insufficient",
    "warn": "warned",
    "waived": "waived",
    "unjudged": "unjudged",
    "not_measured": "not measured",
    "pass": "passed",
}
"""The verdicts in the order of how much they matter, as a person says them."""
_PLACE = {verdict: at for at, verdict in enumerate(WORDS)}
BAD = ("fail", "insufficient")
SPARKS = "▁▂▃▄▅▆▇█"
_SEVERITY = re.compile(r"(.+)-([1-5])")


def rooms(row: Row) -> list[tuple[float, str, float]]:
    """For each bound, how much room the value has to it, relative to the bound; below 0 where it is broken."""
    rule = row.get("rule") or {}
    found = []
    for key, sign in (("min", 1), ("max", -1)):
        bound = rule.get(key)
        if isinstance(bound, int | float) and not isinstance(bound, bool) and row["value"] is not None:
            found.append((sign * (row["value"] - bound) / max(abs(bound), 1e-6), key, float(bound)))
    return found


def room(row: Row) -> float | None:
    """The least room that a value has to a bound, or its drop to what is allowed, relative to the bound or to the value that dropped; below
    0 it is broken. None where nothing is asked, or there is no value."""
    if row["value"] is None:
        return None
    found = [left for left, _, _ in rooms(row)]
    baseline = row.get("baseline") or {}
    if baseline.get("allowed") is not None and baseline.get("drop") is not None:
        found.append((baseline["allowed"] - baseline["drop"]) / max(abs(baseline["value"] or 0.0), 1e-6))
    return min(found, default=None)


def rank(row: Row) -> tuple[int, float, str, str, str]:
    """The key of every list that begins with the worst: by verdict, then what has no value, then by how far it missed or how little room
    is left, then by name."""
    left = room(row)
    near = -math.inf if row["value"] is None else math.inf if left is None else left
    return _PLACE.get(row["verdict"], len(_PLACE)), near, str(row["gate"]), str(row["model"]), str(row["data"])


def worst_first(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=rank)


def own(rows: Sequence[Row]) -> list[Row]:
    """Those of the models under test, not of a baseline measured beside them."""
    return [row for row in rows if not row.get("role")]


def closest(rows: Sequence[Row]) -> tuple[float, str, float, Row] | None:
    """Of the gates that pass the one that is nearest to its bound: the room that is left, the key, the bound, the row."""
    found = [(room, key, bound, row) for row in rows if row["verdict"] == "pass" for room, key, bound in rooms(row)]
    return min(found, key=lambda each: (each[0], each[3]["gate"], each[3]["model"])) if found else None


def counts(rows: Sequence[Row]) -> str:
    """``22 gates: 1 failed, 21 passed``"""
    told = Counter(row["verdict"] for row in rows)
    return f"{count(len(rows), 'gate')}: {', '.join(f'{told[verdict]} {word}' for verdict, word in WORDS.items() if told[verdict])}"


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def several(rows: Sequence[Row]) -> bool:
    """Whether a gate is not named by its id alone."""
    return len({(row["model"], row["data"]) for row in rows if row["model"]}) > 1


def headline(row: Row) -> str:
    """The first line of the message, with the gate in front."""
    text = str(row["message"] or row.get("reason") or measured(row)).partition("\n")[0]
    return text if row["gate"] in text else f"{row['gate']}: {text}"


def measured(row: Row) -> str:
    """What a row says that has no message, as that of a packed run: ``0.9380 (n = 1,900, 95 % interval 0.9262..0.9480), passed``"""
    word = WORDS.get(row["verdict"], str(row["verdict"]))
    if row["value"] is None:
        return word
    ends = [] if not row.get("ci") else [f"95 % interval {'..'.join('open' if end is None else short(end) for end in row['ci'])}"]
    known = [*([f"n = {row['n']:,}"] if row.get("n") is not None else []), *ends]
    told = f" ({', '.join(known)})" if known else ""
    return f"{short(row['value'])}{told}, {word}"


def outcome(row: Row) -> str:
    """The first line of the message without the gate."""
    return headline(row).removeprefix(f"{row['gate']}: ")


def source(row: Row) -> str | None:
    """``thresholds.toml:14`` of the bound that decided."""
    found = (row["rule"] or {}).get("source")
    return str(found) if found else None


def severities(rows: Sequence[Row]) -> list[tuple[str, str, str, str, list[float | None]]]:
    """Suite, kind, model and data of each corruption that was measured at two severities or more, with its accuracies from 1 to 5."""
    found: dict[tuple[str, str, str, str], list[float | None]] = {}
    for row in rows:
        match = _SEVERITY.fullmatch(str(row["slice"])) if row["metric"] == "accuracy" else None
        if match is not None and str(row["suite"]).startswith("corruptions"):
            key = (row["suite"], match[1], row["model"], row["data"])
            found.setdefault(key, [None] * 5)[int(match[2]) - 1] = row["value"]
    return [(*key, values) for key, values in sorted(found.items()) if sum(each is not None for each in values) > 1]


def spark(values: Sequence[float | None], *, top: float = 1.0) -> str:
    """Values from 0 to `top` as bars of a line of text; a middle dot where there is none."""
    return "".join(chr(183) if v is None else SPARKS[round(min(max(v / top, 0.0), 1.0) * (len(SPARKS) - 1))] for v in values)
