"""What the gates of the page refer to: the rules with file and line, the meaning of each metric, models, data and versions of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.report.html import docs, reading
from pytest_clip.report.html.gates import Titled
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, Table

UNITS = {
    "share": "a share, 0 to 1", "points": "a difference of two shares (0.02 is 2 percentage points)", "ratio": "a ratio", "nats": "nats",
    "degrees": "degrees", "cosine": "a cosine", "scale": "a factor", "score": "a score", "rank": "a rank, 1 is first",
    "amount": "in the unit of its slice",
}  # fmt: skip
SIDES = {"higher": "higher is better", "lower": "lower is better", "none": "neither side is the good one"}


@dataclass(frozen=True)
class Meaning:
    metric: str
    title: str
    told: str
    doc: str
    """an address"""


def meanings(rows: Sequence[Row]) -> list[Meaning]:
    """Of every shipped metric that the page has a gate of."""
    found = []
    for name in dict.fromkeys(reading.metric(row) for row in rows):
        if (known := CATALOG.get(name)) is None:
            continue
        chance = f" Guessing scores {known.chance}." if known.chance else ""
        told = f"{UNITS[known.unit][0].upper()}{UNITS[known.unit][1:]}; {SIDES[known.better]}.{chance}"
        found.append(Meaning(name, known.title, told, str(docs.link(name))))
    return found


def rules(rows: Sequence[Row]) -> Table | None:
    """One row a source, `FILE:LINE`, with what it asks, why, and of which gates."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for row in rows:
        rule = row.get("rule") or {}
        if not rule.get("source"):
            continue
        told = found.setdefault(str(rule["source"]), (reading.bound(row), str(rule.get("why") or DASH), []))
        told[2].append(str(row["gate"]))
    if not found:
        return None
    lines = [(source, asked, why, _few(list(dict.fromkeys(gates)))) for source, (asked, why, gates) in sorted(found.items(), key=_place)]
    return Table(("file:line", "asks", "why", "of"), tuple(lines))


def _place(each: tuple[str, Any]) -> tuple[str, int, str]:
    name, _, line = each[0].rpartition(":")
    return name, int(line) if line.isdecimal() and len(line) < 9 else 0, line


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def tables(record: Mapping[str, Any]) -> list[Titled]:
    """Models, data, versions and the command."""
    session = record.get("session") or {}
    host = session.get("host") or {}
    keys = ("name", "fingerprint", "architecture", "pretrained", "precision", "device", "role")
    models = Table(("model", *keys[1:]), tuple(tuple(_text(each.get(key)) for key in keys) for each in record["models"]))
    data = Table(
        ("data", "fingerprint", "image sets", "images", "limit", "prompts"),
        tuple(
            (
                _text(each["name"]), _text(each.get("fingerprint")), f"{len(_counts(each))}", f"{sum(_counts(each).values()):,}",
                _text(each.get("limit")), _text((each.get("prompts") or {}).get("name") if isinstance(each.get("prompts"), dict) else None),
            )
            for each in record["data"]
        ),
    )  # fmt: skip
    facts = [("command", f"pytest {' '.join(map(str, session['argv']))}")] if isinstance(session.get("argv"), list) else []
    facts += [
        (key.replace("_", " "), _text(session.get(key)))
        for key in ("started", "duration", "exit_status", "commit")
        if session.get(key) is not None
    ]
    facts += [(f"version of {name}", _text(version)) for name, version in (session.get("versions") or {}).items()]
    facts += [(key, _text(host[key])) for key in ("system", "machine", "cores") if key in host]
    told = [Titled("Models", models), Titled("Data", data), Titled("How it was run", Table(("what", "value"), tuple(facts)))]
    return [each for each in told if each.table.rows]


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    counts = data.get("n")
    return {name: n for name, n in counts.items() if isinstance(n, int)} if isinstance(counts, dict) else {}


def _text(thing: Any) -> str:
    if thing is None:
        return DASH
    return thing if isinstance(thing, str) else json.dumps(thing, ensure_ascii=False, default=str)
