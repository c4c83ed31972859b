"""What the page opens with: the verdict of the run, its model, data and versions, and how many gates have which verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_clip.report.html import reading
from pytest_clip.report.html.reading import Row

BAD = ("fail", "insufficient")
NAMED = 4


@dataclass(frozen=True)
class Head:
    title: str
    tone: str
    """`good`, `bad` or `doubt`"""
    verdict: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str, int], ...]
    notes: tuple[str, ...]


def head(record: Mapping[str, Any], rows: Sequence[Row]) -> Head:
    """`rows` are those of the models under test."""
    session = record.get("session") or {}
    tone, verdict, headline = _compared(record) if record.get("comparison") else _verdict(session.get("exit_status"), rows)
    models = [each for each in record["models"] if not each.get("role")]
    baselines = sorted({str(row["baseline"]["run"]) for row in rows if row.get("baseline")})
    facts = [
        ("model" if len(models) == 1 else "models", _names([_with_print(each) for each in models])),
        ("data", _names([_with_print(each) for each in record["data"]])),
        *([("baseline", _names(baselines))] if baselines else []),
        ("pytest-clip", str((session.get("versions") or {}).get("pytest-clip", "unknown"))),
        ("torch", str((session.get("versions") or {}).get("torch", "unknown"))),
        *([("commit", str(session["commit"])[:12])] if session.get("commit") else []),
        *([("started", str(session["started"]).replace("T", " "))] if session.get("started") else []),
        *([("took", _time(session["duration"]))] if isinstance(session.get("duration"), int | float) else []),
    ]
    on = f"{_names([str(each['name']) for each in models])} on {_names([str(each['name']) for each in record['data']])}"
    return Head(f"{verdict}: {headline}, {on}", tone, verdict, headline, tuple(facts), tuple(reading.counts(rows)), tuple(_notes(rows)))


def _verdict(status: Any, rows: Sequence[Row]) -> tuple[str, str, str]:
    """Green only where the run was, and no gate says otherwise."""
    bad = [row for row in rows if row["verdict"] in BAD]
    if bad:
        return "bad", "Failed", f"{len(bad):,} of {reading.gates(len(rows))}"
    if not rows:
        return "doubt", "Empty", "no gate was measured"
    judged = [row for row in rows if row["verdict"] not in ("unjudged", "not_measured")]
    if status not in (0, None):
        return "bad", "Failed", f"no gate failed, but the run ended with exit status {status}"
    if not judged:
        return "doubt", "Not judged", f"none of {reading.gates(len(rows))} was held against a rule"
    warned = sum(row["verdict"] in ("warn", "waived") for row in rows)
    if warned:
        return "good", "Passed", f"{reading.gates(len(rows))}, {warned:,} of them only warned or waived"
    return "good", "Passed", f"{reading.gates(len(rows))}, {len(judged):,} judged"


def _compared(record: Mapping[str, Any]) -> tuple[str, str, str]:
    told = record["comparison"]
    between = f"{told['second']} against {told['first']}: {reading.gates(told['compared'])} compared"
    unknown = f", {told['unknown']} worse by an unknown certainty" if told["unknown"] else ""
    if told["sure"]:
        return "bad", "Worse", f"{told['sure']} by more than chance explains; {between}{unknown}"
    return ("doubt" if told["unknown"] else "good"), "Not worse" if not told["unknown"] else "Unknown", f"{between}{unknown}"


def _notes(rows: Sequence[Row]) -> list[str]:
    told = []
    if any(row.get("partial") for row in rows):
        told.append("Partial: --clip-limit let the run see only some of the images, so its numbers are rough.")
    if unjudged := sum(row["verdict"] == "unjudged" for row in rows):
        told.append(f"{reading.gates(unjudged)} measured and unjudged: no rule asks anything of {'it' if unjudged == 1 else 'them'}.")
    if lacking := sum(row["verdict"] == "not_measured" for row in rows):
        told.append(f"{reading.gates(lacking)} not measured: the reason stands at each.")
    return told


def _with_print(each: Mapping[str, Any]) -> str:
    print_ = each.get("fingerprint")
    return f"{each['name']} ({print_})" if print_ else str(each["name"])


def _names(names: Sequence[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
