"""The header line and the summary of verdicts, worst first. Text only: pure functions of the rows, so that they can be tested as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip import __version__
from pytest_clip.gates.digits import short
from pytest_clip.report import against, headlines, tables
from pytest_clip.report import order as said
from pytest_clip.report.plain import columns, fitting, plain

if TYPE_CHECKING:
    from pytest_clip.session.run import ClipSession

Row = Mapping[str, Any]

UNJUDGED_SHOWN = 6
INSET = "    "
"""In front of what goes on on another line."""
LONGEST = 1000
"""Characters of one line."""
_LABELS = {"fail": "FAILED", "insufficient": "INSUFFICIENT", "warn": "WARNED", "waived": "WAIVED"}
PAIRS = 6
"""Models and data sets of a run whose numbers are said without -v."""


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
    verbose: bool = False,
    width: int | None = None,
) -> list[str]:
    """What the terminal says after the run: failures by how far they missed, then what was not judged, then one line per suite, or with
    `verbose` a table. In at most `width` columns; None leaves each line whole, as a log wants it."""
    beside, rows = [row for row in rows if row.get("role")], said.own(rows)
    many = said.several(rows)
    lines = []
    for verdict, label in _LABELS.items():
        bad = said.worst_first([row for row in rows if row["verdict"] == verdict])
        lines += [f"{label} {plain(said.headline(row), LONGEST)}{_on(row) if many else ''}{_where(row)}" for row in bad]
    lacking = [row for row in rows if row["verdict"] == "not_measured"]
    lines += _named("NOT MEASURED {} with a rule, skipped (-rs says why)", [row for row in lacking if row["rule"]])
    lines += _named("NOT MEASURED {} without a rule (-rs says why)", [row for row in lacking if not row["rule"]])
    lines += _named("UNJUDGED {} without a rule", [row for row in rows if row["verdict"] == "unjudged"])
    idle = {row["waiver"]["source"]: row["gate"] for row in rows if row["verdict"] in ("unjudged", "not_measured") and row.get("waiver")}
    lines += [f"WAIVER {source} excuses nothing: no rule judges {gate}" for source, gate in sorted(idle.items())]
    suites = tables.lines(rows, width=width) if verbose and rows else _suites(rows)
    after = list(against.lines(rows, beside))
    if not_selected:
        by = f" (narrowed by {', '.join(narrowed_by)})" if narrowed_by else ""
        after.append(f"NOT SELECTED {said.count(not_selected, 'rule')} of these suites{by}")
    for model in sorted(models, key=_name):
        after.append(f"model {plain(model['name'])}: fingerprint {model.get('fingerprint') or 'unknown'}")
        after += [f"WARNING {text}" for text in model.get("warnings") or ()]
    if rows:
        partial = " (partial: --clip-limit)" if any(row.get("partial") for row in rows) else ""
        after.append(f"{said.counts(rows)}{partial}")
    if width is None:
        return [*lines, *suites, *after, *notes]
    kept = suites if verbose else fitted(suites, width)
    return [*fitted(lines, width), *kept, *fitted([*after, *notes], width)]


def fitted(lines: Sequence[str], width: int) -> list[str]:
    """Lines broken at spaces so that each fits into `width` columns; what goes on is set in, and what has no space is broken anywhere."""
    return [part for line in lines for part in _broken(line, max(width, 20))]


def _broken(line: str, width: int) -> list[str]:
    out, rest, inset = [], line, 0
    while columns(rest) > width:
        most = fitting(rest, width)
        at = rest.rfind(" ", inset + 1, most + 1)
        at = most if at < 0 else at
        out.append(rest[:at].rstrip())
        inset = len(INSET)
        rest = f"{INSET}{rest[at:].lstrip()}"
    return [*out, rest]


def _named(what: str, rows: Sequence[Row]) -> list[str]:
    """One line for gates of one kind, a few of them by name and with what was measured, if that is one number; none without any."""
    found: dict[str, list[float | None]] = {}
    for row in rows:
        found.setdefault(row["gate"], []).append(row["value"])
    gates = sorted(found)
    values = {gate: told[0] if len(told) == 1 else None for gate, told in found.items()}
    shown = [gate if (value := values[gate]) is None else f"{gate} {short(value)}" for gate in gates[:UNJUDGED_SHOWN]]
    more = f" and {len(gates) - UNJUDGED_SHOWN} more" if len(gates) > UNJUDGED_SHOWN else ""
    return [f"{what.format(said.count(len(gates), 'gate'))}: {', '.join(shown)}{more}"] if gates else []


def markup(line: str) -> dict[str, bool]:
    """How pytest's terminal shows a line of the summary."""
    word = line.partition(" ")[0]
    if word in ("FAILED", "INSUFFICIENT", "REGRESSED", "--clip-report:", "--clip-save:"):
        return {"red": True}
    return {"yellow": True} if word in ("WARNED", "WAIVED", "WAIVER", "UNJUDGED", "WORSE", "NOT", "WARNING") else {}


def _suites(rows: Sequence[Row]) -> list[str]:
    """Per suite: the numbers that one looks at first, its verdicts counted, and the passing gate that is nearest to its bound."""
    lines = []
    suites = sorted({row["suite"] for row in rows})
    width = max((len(suite) for suite in suites), default=0)
    for suite in suites:
        own = [row for row in rows if row["suite"] == suite]
        on = list(dict.fromkeys((row["model"], row["data"]) for row in own))
        first = headlines.headline(suite, own) if len(on) == 1 else ""
        text = f"suite {suite:<{width}}  {said.counts(own)}{f'; {first}' if first else ''}"
        if (found := said.closest(own)) is not None:
            room, key, bound, row = found
            text += f"; closest to its bound: {row['gate']} {row['value']:.4g} ({key} {bound:.4g}, {room:.1%} of it left)"
        lines.append(text)
        for model, data in on[:PAIRS] if len(on) > 1 else ():
            first = headlines.headline(suite, [row for row in own if (row["model"], row["data"]) == (model, data)])
            lines += [f"  {plain(model, 60)}, {plain(data, 60)}: {first}"] if first else []
        lines += [f"  and {len(on) - PAIRS} more models and data sets (-v shows all)"] if len(on) > PAIRS else []
    return lines


def _on(row: Row) -> str:
    return f" on {plain(row['model'], 80)}, {plain(row['data'], 80)}" if row["model"] else ""


def _where(row: Row) -> str:
    source = said.source(row)
    return f"  [{plain(source)}]" if source and source not in row["message"].partition("\n")[0] else ""


def _name(model: Row) -> str:
    return str(model["name"])
