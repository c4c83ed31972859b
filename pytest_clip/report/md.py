"""A run as Markdown, for a comment in a pull request or the summary of a step: a function of the record. No pictures, no host facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_clip.gates.digits import short
from pytest_clip.gates.verdicts import JUDGED
from pytest_clip.report import against
from pytest_clip.report import order as said
from pytest_clip.report.plain import code, plain

COMMENT = 65_535
"""Bytes of a comment on GitHub, which takes 65,536 characters."""
RESERVE = 400
"""Bytes that are kept for saying what was cut."""
NAMED = 20
"""Models and data sets that the head names."""
MARKS = {"fail": "❌", "insufficient": "❓", "warn": "⚠️", "waived": "🟡", "unjudged": "▫️", "not_measured": "▫️", "pass": "✅"}
_HARMLESS = re.compile(r"(?!.*(?:://|www\.))[A-Za-z0-9 .,:;=%()+/'\"<>-]*", re.DOTALL)

Row = Mapping[str, Any]


def text(record: Mapping[str, Any], *, limit: int = COMMENT) -> str:
    """The whole page in at most `limit` bytes of UTF-8; what does not fit is counted at its end.

    The order is that of use: the verdict, what failed and by which rule, what warns, the suites, what nobody judges, severities, the rest.
    """
    rows = said.own(record["gates"])
    page = Page(limit)
    page.lines([f"## pytest-clip: {title(record, rows)}", "", *_head(record), ""])
    many = said.several(rows)
    ordered = said.worst_first(rows)
    told = {verdict: [row for row in ordered if row["verdict"] == verdict] for verdict in said.WORDS}
    page.table("### What is not green", *_judged([row for v in ("fail", "insufficient", "warn", "waived") for row in told[v]], many))
    page.table("### Suites", ("suite", "gates", "closest to its bound"), _suites(rows))
    page.lines([f"- {_prose(each)}" for each in against.lines(rows, [row for row in record["gates"] if row.get("role")])])
    page.table("### Not judged: no rule asks anything of these", *_judged(told["unjudged"] + told["not_measured"], many))
    page.table("### Severities", *_severities(rows))
    page.table("<details><summary>Passed</summary>", *_judged(told["pass"], many), end="</details>")
    return page.whole()


def title(record: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """One line that says how the run ended."""
    bad, status = sum(row["verdict"] in said.BAD for row in rows), record["session"].get("exit_status")
    if not rows:
        return "❓ no gate was measured"
    if bad:
        return f"❌ {bad:,} of {said.count(len(rows), 'gate')} failed"
    if status not in (0, None):
        return f"❌ exit status {plain(status, 20)}, though no gate failed: the log of the run says why"
    judged = any(row["verdict"] in JUDGED for row in rows)
    return f"✅ {said.counts(rows)}" if judged else f"❓ nothing was judged: {said.counts(rows)}"


def _head(record: Mapping[str, Any]) -> list[str]:
    session, rows = record["session"], said.own(record["gates"])
    versions = session.get("versions") or {}
    told = [f"{said.counts(rows)}"] if rows else []
    for noun, many in (("model", record["models"]), ("data", record["data"])):
        named = [f"{code(each['name'], 80)}{_print(each)}" for each in many[:NAMED]]
        more = f" and {len(many) - NAMED} more" if len(many) > NAMED else ""
        told += [f"{noun} {', '.join(named)}{more}"] if named else []
    if any(row.get("partial") for row in rows):
        told.append("**partial**: measured with `--clip-limit`")
    known = [f"{name} {versions[name]}" for name in ("pytest-clip", "torch", "open_clip_torch") if name in versions]
    told += [_prose(", ".join(known))] if known else []
    if session.get("commit"):
        told.append(f"commit {code(session['commit'], 40)}")
    return [f"- {each}" for each in told]


def _print(each: Mapping[str, Any]) -> str:
    return f" ({code(each['fingerprint'], 40)})" if each.get("fingerprint") else ""


def _judged(rows: Sequence[Row], many: bool) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("", "gate", *(("on",) if many else ()), "what", "rule")
    return head, [
        (
            f"{MARKS[row['verdict']]} {said.WORDS[row['verdict']]}",
            code(row["gate"]),
            *((" ".join(code(each, 60) for each in (row["model"], row["data"]) if each),) if many else ()),
            _prose(said.outcome(row)),
            code(said.source(row), 120) if said.source(row) else "",
        )
        for row in rows
    ]


def _suites(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    told: list[tuple[str, ...]] = []
    for suite in sorted({str(row["suite"]) for row in rows}):
        mine = [row for row in rows if row["suite"] == suite]
        near = ""
        if (found := said.closest(mine)) is not None:
            room, key, bound, row = found
            near = f"{code(row['gate'])} {short(row['value'])} ({key} {short(bound)}, {room:.1%} of it left)"
        told.append((code(suite), said.counts(mine), near))
    return told


def _severities(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    many = said.several(rows)
    head = ("corruption", *(("on",) if many else ()), "1 to 5", "accuracy at 1", "at 5")
    return head, [
        (
            code(kind),
            *((f"{code(model, 60)} {code(data, 60)}",) if many else ()),
            said.spark(values),
            *("" if values[k] is None else short(values[k]) for k in (0, 4)),  # type: ignore[arg-type]
        )
        for _, kind, model, data, values in said.severities(rows)
    ]


def _prose(text: str) -> str:
    """A sentence; as code where something in it could mean more than itself."""
    line = plain(text, 400)
    return line.replace("<", "&lt;").replace(">", "&gt;") if _HARMLESS.fullmatch(line) else code(text, 400)


class Page:
    """Lines until the limit is reached; rows that do not fit are counted."""

    def __init__(self, limit: int) -> None:
        self._lines: list[str] = []
        self._left, self._cut = limit - RESERVE, 0

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            if not self._fits(line):
                self._cut += 1

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, end: str = "") -> None:
        """A table under its title, whose `end` is always written with it; nothing without rows."""
        if not rows:
            return
        frame = [title, "", _row(head), _row(["---"] * len(head))]
        needed = sum(len(line.encode()) + 1 for line in (*frame, _row(rows[0]), end, ""))
        if needed > self._left:
            self._cut += len(rows)
            return
        self._left -= len(end.encode()) + 2  # kept for it
        self.lines(frame)
        for at, row in enumerate(rows):
            if not self._fits(_row(row)):
                self._cut += len(rows) - at
                break
        self._lines += ["", *([end, ""] if end else [])]
        self._left -= 1

    def whole(self) -> str:
        told = f"**{said.count(self._cut, 'row')} cut**: no more fit here; the JSON record has all of them." if self._cut else ""
        return "\n".join([*self._lines, told]).strip("\n") + "\n"

    def _fits(self, line: str) -> bool:
        size = len(line.encode()) + 1
        if size > self._left:
            return False
        self._left -= size
        self._lines.append(line)
        return True


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
