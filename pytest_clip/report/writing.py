"""Reports as files: which types there are, and how each is written from the record, all of it or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_clip.report import github, md
from pytest_clip.report import json as json_report
from pytest_clip.store import put

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""Where GitHub says which file a step's summary is read from."""

Record = Mapping[str, Any]


def write(kind: str, record: Record, path: Path | None) -> tuple[Path | None, list[str]]:
    """Write the report of type `kind`; gives the file (None: there was none to write) and lines about what could not be kept. OSError."""
    if path is None:
        return _summary(record), []
    return path, WRITERS[kind](record, path)


def _text(of: Callable[[Record], str]) -> Callable[[Record, Path], list[str]]:
    def write(record: Record, path: Path) -> list[str]:
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, of(record))
        return []

    return write


def _html(record: Record) -> str:
    from pytest_clip.report.html.page import render  # jinja2 is for those who ask for a page

    return render(json.loads(json_report.as_text(record)[0]))  # of a run and of its record the same bytes: JSON has no infinity


def _summary(record: Record) -> Path | None:
    """Behind what other commands of the step have written there."""
    named = os.environ.get(STEP_SUMMARY)
    if not named:
        return None
    path = Path(named)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(github.summary(record, taken=stream.tell()))
    return path


WRITERS: Mapping[str, Callable[[Record, Path], list[str]]] = {
    "json": lambda record, path: json_report.write(path, record),
    "html": _text(_html),
    "md": _text(md.text),
    "github": _text(md.text),
}
