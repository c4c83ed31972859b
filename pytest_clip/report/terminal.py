"""The header line and the summary of verdicts, worst first. Text only: pure functions of the rows, so that they can be tested as such."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip import __version__
from pytest_clip.report import against

if TYPE_CHECKING:
    from pytest_clip.session.run import ClipSession

Row = Mapping[str, Any]

UNJUDGED_SHOWN = 6
_LABELS = {"fail": "FAILED", "insufficient": "INSUFFICIENT", "warn": "WARNED", "waived": "WAIVED"}
_COUNTED = {
    "fail": "failed",
    "insufficient": "insufficient",
    "warn": "warned",
    "waived": "waived",
    "unjudged": "unjudged",
    "not_measured": "not measured",
    "pass": "passed",
}


def header(session: ClipSession, suites: Sequence[str]) -> str:
    """One line from what was asked for; nothing is loaded for it."""
    from pytest_clip.gates.catalog import CATALOG

    gates = sum(
        len(session.reach.gates(metric, data)) * len(session.models)
        for metric in CATALOG
        if metric.partition("/")[0] in suites
        for data in session.data
    )
    rules = " + ".join(["defaults", *(path.name for path in session.threshold_files)])
    parts = [
        f"clip: {__version__}",
        f"model {', '.join(choice.label for choice in session.judged)}",
        f"data {', '.join(choice.label for choice in session.data)}",
        f"device {session.settings.device}",
        f"rules {rules}",
    ]
    if session.regressions is not None and session.regressions.baseline is not None:
        parts.append(f"baseline {session.regressions.baseline.name}")
    if session.prompts_option is not None:
        parts.append(f"prompts {session.prompts_option}")
    if suites:
        parts.append(f"{gates} gates")
    if session.settings.mutants:
        parts.append(f"mutants {len(session.settings.mutants)}")
    if session.settings.limit is not None:
        parts.append(f"partial: at most {session.settings.limit} images per set")
    return "; ".join(parts)


def summary_lines(
    rows: Sequence[Row],
    *,
    models: Sequence[Row] = (),
    not_selected: int = 0,
    narrowed_by: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> list[str]:
    """What the terminal says after the run: failures by how far they missed, then what was not judged, then one line per suite."""
    beside, rows = [row for row in rows if row.get("role")], [row for row in rows if not row.get("role")]
    many = len({(row["model"], row["data"]) for row in rows if row["model"]}) > 1
    lines = []
    for verdict, label in _LABELS.items():
        bad = [row for row in rows if row["verdict"] == verdict]
        bad.sort(key=lambda row: (-miss(row), row["gate"], row["model"], row["data"]))
        lines += [f"{label} {_headline(row)}{_on(row) if many else ''}{_where(row)}" for row in bad]
    lacking = [row for row in rows if row["verdict"] == "not_measured"]
    lines += _named("NOT MEASURED {} with a rule, skipped (-rs says why)", [row for row in lacking if row["rule"]])
    lines += _named("NOT MEASURED {} without a rule (-rs says why)", [row for row in lacking if not row["rule"]])
    lines += _named("UNJUDGED {} without a rule", [row for row in rows if row["verdict"] == "unjudged"])
    idle = {row["waiver"]["source"]: row["gate"] for row in rows if row["verdict"] in ("unjudged", "not_measured") and row.get("waiver")}
    lines += [f"WAIVER {source} excuses nothing: no rule judges {gate}" for source, gate in sorted(idle.items())]
    lines += _suites(rows)
    lines += against.lines(rows, beside)
    if not_selected:
        by = f" (narrowed by {', '.join(narrowed_by)})" if narrowed_by else ""
        lines.append(f"NOT SELECTED {_count(not_selected, 'rule')} of these suites{by}")
    for model in sorted(models, key=_name):
        lines.append(f"model {model['name']}: fingerprint {model.get('fingerprint') or 'unknown'}")
        lines += [f"WARNING {text}" for text in model.get("warnings") or ()]
    if rows:
        partial = " (partial: --clip-limit)" if any(row.get("partial") for row in rows) else ""
        lines.append(f"{_counts(rows)}{partial}")
    return [*lines, *notes]


def _named(what: str, rows: Sequence[Row]) -> list[str]:
    """One line for gates of one kind, a few of them by name; none without any."""
    gates = sorted({row["gate"] for row in rows})
    more = f" and {len(gates) - UNJUDGED_SHOWN} more" if len(gates) > UNJUDGED_SHOWN else ""
    return [f"{what.format(_count(len(gates), 'gate'))}: {', '.join(gates[:UNJUDGED_SHOWN])}{more}"] if gates else []


def markup(line: str) -> dict[str, bool]:
    """How pytest's terminal shows a line of the summary."""
    word = line.partition(" ")[0]
    if word in ("FAILED", "INSUFFICIENT", "REGRESSED", "--clip-report:", "--clip-save:"):
        return {"red": True}
    return {"yellow": True} if word in ("WARNED", "WAIVED", "WAIVER", "UNJUDGED", "WORSE", "NOT", "WARNING") else {}


def miss(row: Row) -> float:
    """How far beyond its bound a value lies, relative to the bound; infinite when there is no value, 0 when no bound is broken."""
    if row["value"] is None:
        return math.inf
    return max([0.0, *(-room for room, _, _ in _rooms(row))])


def _rooms(row: Row) -> list[tuple[float, str, float]]:
    """For each bound, how much room the value has to it, relative to the bound."""
    rule = row["rule"] or {}
    rooms = []
    for key, sign in (("min", 1), ("max", -1)):
        bound = rule.get(key)
        if isinstance(bound, int | float) and row["value"] is not None:
            rooms.append((sign * (row["value"] - bound) / max(abs(bound), 1e-6), key, float(bound)))
    return rooms


def _suites(rows: Sequence[Row]) -> list[str]:
    """Per suite: its verdicts counted, and the passing gate that is nearest to its bound."""
    lines = []
    suites = sorted({row["suite"] for row in rows})
    width = max((len(suite) for suite in suites), default=0)
    for suite in suites:
        own = [row for row in rows if row["suite"] == suite]
        text = f"suite {suite:<{width}}  {_counts(own)}"
        closest = [(room, key, bound, row) for row in own if row["verdict"] == "pass" for room, key, bound in _rooms(row)]
        if closest:
            room, key, bound, row = min(closest, key=lambda each: (each[0], each[3]["gate"], each[3]["model"]))
            text += f"; closest to its bound: {row['gate']} {row['value']:.4g} ({key} {bound:.4g}, {room:.1%} of it left)"
        lines.append(text)
    return lines


def _counts(rows: Sequence[Row]) -> str:
    counts = Counter(row["verdict"] for row in rows)
    told = [f"{counts[verdict]} {word}" for verdict, word in _COUNTED.items() if counts[verdict]]
    return f"{_count(len(rows), 'gate')}: {', '.join(told)}"


def _headline(row: Row) -> str:
    text: str = row["message"].partition("\n")[0]
    return text if row["gate"] in text else f"{row['gate']}: {text}"


def _on(row: Row) -> str:
    return f" on {row['model']}, {row['data']}" if row["model"] else ""


def _where(row: Row) -> str:
    source = (row["rule"] or {}).get("source")
    return f"  [{source}]" if source and source not in row["message"].partition("\n")[0] else ""


def _name(model: Row) -> str:
    return str(model["name"])


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
