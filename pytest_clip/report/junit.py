"""What ``--junitxml`` says of a gate: the row of the JSON record, flat, and the testcase as CI systems read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from pytest_clip.report import order as said
from pytest_clip.report.github import location
from pytest_clip.report.html.reading import link
from pytest_clip.report.plain import plain

_PLAIN = ("gate", "suite", "metric", "slice", "model", "fingerprint", "data", "value", "n", "verdict", "reason")
MESSAGE = 500
"""Characters of the message of a failure, which viewers show in lists; the whole text is in the element."""
PICTURES = 3
"""Pictures of one gate that are attached."""


def properties(row: Mapping[str, Any], *, html: str | None = None, many: bool = False) -> list[tuple[str, str | int | float]]:
    """Name and value pairs in a fixed order; what a row does not have is left out. `html` is the path of the HTML report of the run,
    which tells its gates apart by model and data where they are `many`.

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
    if html is not None:
        pairs.append(("report", f"{html}#{link(row, many=many)}"))
    return [(f"clip.{name}", value) for name, value in pairs if value is not None]


def complete(case: Element, rows: Sequence[Mapping[str, Any]], *, repository: Mapping[str, Any] | None, strict: bool) -> None:
    """Make of the testcase that pytest wrote what viewers show well: a message of one line, the place of the rule, pictures as attachments.

    `strict` keeps to the schema of Jenkins' xUnit plugin, which knows neither properties nor places of a testcase and skips a file with
    them: properties become lines of its output then.
    """
    broken = next((row for row in rows if row["verdict"] in said.BAD), None)
    for found in [*case.findall("failure"), *case.findall("error")]:
        if broken is not None and str(found.get("message", "")).removeprefix("Failed: ").startswith(str(broken["gate"])):
            found.set("message", plain(said.headline(broken), MESSAGE))
    place = location(broken or rows[0], repository) if rows else None
    if strict:
        told = [f"[[PROPERTY|{each.get('name')}={plain(each.get('value'), 10_000)}]]" for each in case.iter("property")]
        for each in case.findall("properties"):
            case.remove(each)
        for name in ("file", "line", "url"):
            case.attrib.pop(name, None)
    else:
        told = []
        if place is not None:
            case.set("file", plain(place[0], MESSAGE))
            case.set("line", str(place[1]))
    told += [f"[[ATTACHMENT|{plain(each, MESSAGE)}]]" for each in _pictures(case, told, repository)]
    if told:
        out = case.find("system-out")
        out = SubElement(case, "system-out") if out is None else out
        out.text = "\n".join([*([out.text] if out.text else []), *told, ""])


def _pictures(case: Element, lines: Sequence[str], repository: Mapping[str, Any] | None) -> list[str]:
    """Files that a suite has kept beside the run (`clip.flips` names their folder), by the way from the repository where they lie in it."""
    folders = [str(each.get("value")) for each in case.iter("property") if each.get("name") == "clip.flips"]
    folders += [line[len("[[PROPERTY|clip.flips=") : -2] for line in lines if line.startswith("[[PROPERTY|clip.flips=")]
    root = Path(str((repository or {}).get("root") or "/nowhere"))
    found = [
        file for folder in folders if "/" in folder and Path(folder).is_dir() for file in sorted(Path(folder).glob("*.png"))[:PICTURES]
    ]
    return [file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file) for file in found]
