"""The reports of a run at its end: files, and what GitHub Actions reads from the log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_clip.session.run import Row
from pytest_clip.session.settings import ReportRequest


def reports(asked: Sequence[ReportRequest], record: Row, config: pytest.Config) -> tuple[list[str], bool]:
    """Write them; gives lines for the end of the run, and whether all could be written."""
    from pytest_clip.report import github
    from pytest_clip.report.writing import STEP_SUMMARY, write

    notes, whole = [], True
    for request in asked:
        try:
            path, lost = write(request.type, record, request.dest)
        except Exception as error:  # a fault of ours in one page must not take the record of a long run with it
            why = (error.strerror or error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}, a fault of pytest-clip"
            notes.append(f"--clip-report: could not write {request.dest or f'${STEP_SUMMARY}'}: {why}")
            whole = False
            continue
        notes += [f"wrote {_shown(path, config)}"] if path is not None else []
        notes += [f"--clip-report: {what}" for what in lost]
    if any(request.type == "github" for request in asked):
        _say(github.commands(record), config)
    return notes, whole


def of_type(kind: str, config: pytest.Config, asked: Sequence[ReportRequest]) -> str | None:
    """Where the first report of a type will be, as one would write it; None where nobody asked for one."""
    path = next((each.dest for each in asked if each.type == kind and each.dest is not None), None)
    return None if path is None else _shown(path, config).as_posix()


def _say(lines: Sequence[str], config: pytest.Config) -> None:
    """Each at the beginning of a line of its own, or the runner does not see it; with ``-qq`` and without a terminal plugin, too."""
    if not lines:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        print("\n".join(["", *lines]), flush=True)
        return
    for line in ("", *lines):  # with -q a line of dots is still open, which `ensure_newline` does not know
        reporter.write_line(line)


def _shown(path: Path, config: pytest.Config) -> Path:
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
