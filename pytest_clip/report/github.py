"""What GitHub Actions shows of a run: the summary of the step, and annotations at the violated lines of the thresholds file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath, PurePosixPath
from typing import Any

from pytest_clip.gates.layers import SHIPPED
from pytest_clip.report import md
from pytest_clip.report import order as said
from pytest_clip.report.plain import plain

SUMMARY = 2**20
"""Bytes of the summary of a step; GitHub drops a longer one whole."""
SHOWN = 10
"""Annotations of one kind that GitHub shows for a step."""
LEVELS = {"error": ("fail", "insufficient"), "warning": ("warn",)}
MOST = 1000
"""Characters of one annotation."""

Row = Mapping[str, Any]


def summary(record: Mapping[str, Any], *, taken: int = 0) -> str:
    """The Markdown for $GITHUB_STEP_SUMMARY, of which other commands of the step have `taken` some bytes."""
    return md.text(record, limit=max(md.RESERVE, SUMMARY - taken - 1))


def commands(record: Mapping[str, Any]) -> list[str]:
    """Workflow commands, worst first: an error for each gate that failed, a warning for each that only warns, and what was left out."""
    rows, told, left = said.worst_first(said.own(record["gates"])), [], []
    many, where = said.several(rows), record["session"].get("repository")
    for level, verdicts in LEVELS.items():
        mine = [row for row in rows if row["verdict"] in verdicts]
        told += [_command(level, row, many, where) for row in mine[:SHOWN]]
        if len(mine) > SHOWN:
            left.append(f"{said.count(len(mine) - SHOWN, level)} more")
    if left:
        told.append(f"::notice title=pytest-clip::{SHOWN} annotations of a kind are shown; not shown: {', '.join(left)}")
    return told


def location(row: Row, repository: Mapping[str, Any] | None) -> tuple[str, int] | None:
    """The rule's file, from the root of the repository, and its line; None for a rule that lies outside (a shipped one)."""
    path, _, line = (said.source(row) or "").rpartition(":")
    if not path or not (line.isascii() and line.isdigit()) or path == SHIPPED:
        return None
    root, folder = (str((repository or {}).get(key) or "") for key in ("root", "folder"))
    if PurePath(path).is_absolute():
        if not root or not PurePath(path).is_relative_to(root):
            return None
        return PurePath(path).relative_to(root).as_posix(), int(line)
    return _joined(folder, path.replace("\\", "/"), int(line))


def _joined(folder: str, path: str, line: int) -> tuple[str, int] | None:
    parts: list[str] = []
    for part in PurePosixPath(folder, path).parts:
        if part == ".." and not parts:
            return None
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts), line


def _command(level: str, row: Row, many: bool, repository: Mapping[str, Any] | None) -> str:
    place = location(row, repository)
    on = f" ({row['model']}, {row['data']})" if many else ""
    at = {"file": place[0], "line": str(place[1])} if place is not None else {}
    facts = ",".join(f"{key}={_property(value)}" for key, value in {**at, "title": f"{row['gate']}{on}"}.items())
    return f"::{level} {facts}::{_data(_told(row))}"


def _told(row: Row) -> str:
    """The first line, the reason of the rule, and the command that measures it again."""
    lines: Sequence[str] = str(row["message"] or "").split("\n")[1:]
    more = [line.strip() for line in lines if line.strip().startswith(("why ", "rerun "))]
    return "\n".join([plain(said.headline(row), MOST), *(plain(line, MOST) for line in more)])


def _data(text: str) -> str:
    """Escaped as the runner reads it: one line, whatever is in it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(plain(text, 255)).replace(":", "%3A").replace(",", "%2C")
