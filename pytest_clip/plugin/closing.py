"""The last word on a run: a contradiction between verdicts, tests and rules fails it, whoever set the exit status."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from pytest_clip.plugin.reporting import Reporting
from pytest_clip.plugin.xdist import is_worker
from pytest_clip.session import closing
from pytest_clip.session.run import ClipSession


class Closing:
    """Registered last and without a name, so that ``-p no:NAME`` cannot take it away; before all others at the end, and after them."""

    def __init__(self, config: pytest.Config, session: ClipSession, reporting: Reporting) -> None:
        self.config, self.session, self.reporting = config, session, reporting

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        option = self.config.option
        asked_for_none = option.collectonly or getattr(option, "setuponly", False) or getattr(option, "setupplan", False)
        if is_worker(self.config) or asked_for_none:
            yield
            return
        heard, rows = self.reporting.heard, self.session.rows
        if session.exitstatus == pytest.ExitCode.OK:
            told = closing.contradictions(rows, heard)
            if (nothing := closing.nothing_judged(rows, self.session.settings)) is not None:
                told.append(nothing)
            if told:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
                self.reporting.contradictions = told
        elif (text := closing.stopped(heard)) is not None:
            self.reporting.notes.append(text)
        before = session.exitstatus
        yield
        if session.exitstatus == pytest.ExitCode.OK and before != pytest.ExitCode.OK:  # somebody's hook would make it green
            session.exitstatus = before
