"""The reporting side, on the controller or in the only process: rows and facts are gathered from the items' reports, then told."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

import pytest_clip.plugin.written as written
import pytest_clip.plugin.xdist as xdist
from pytest_clip.plugin.invocation import Plan
from pytest_clip.report import terminal
from pytest_clip.session import evidence, facts, following, updating
from pytest_clip.session.closing import Heard
from pytest_clip.session.run import ClipSession, Row


class Reporting:
    """Registered beside `gating.Gating`. ``notes`` are lines for the end of the run, ``more`` gives further parts of the JSON record.

    ``void`` are lines about rules that speak of no model and no data of the run, ``contradictions`` those that fail it at its end.
    """

    def __init__(self, config: pytest.Config, session: ClipSession, plan: Plan) -> None:
        self.config, self.session, self.plan = config, session, plan
        self.started = time.time()
        self.not_selected = 0
        self.elsewhere: list[str] = []
        self.notes: list[str] = []
        self.more: Callable[[], Row] = dict
        self.updates: tuple[str, ...] = ()
        self.void: list[str] = []
        self.contradictions: list[str] = []
        self.heard = Heard()

    def pytest_report_header(self) -> list[str]:
        asked = [] if self.session.settings.lmm is None else self._asked()  # what it costs is said before it begins
        return [terminal.header(self.session, self.plan.suites), *asked]

    def _asked(self) -> list[str]:
        from pytest_clip.report import listing

        return [
            f"clip: on {data.label}: {each}" for data in self.session.data for each in listing.lmm(self.session, self.plan.suites, data)
        ]

    def plan_for(self, nodeids: list[str]) -> None:
        """Remember, here and for the controller, which tests measure a gate."""
        self.heard.planned = set(nodeids)
        xdist.send(self.config, "clip_planned", nodeids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.heard.seen.add(report.nodeid)
        if report.failed:
            self.heard.failed.add(report.nodeid)
        self.session.note(report.nodeid, getattr(report, "clip_rows", ()))
        if (told := getattr(report, "clip_facts", None)) is not None:
            facts.merge(self.session, told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """An xdist worker has finished: all workers collect the same, so any one's count is the count."""
        said = getattr(node, "workeroutput", {})
        self.not_selected = max(self.not_selected, said.get("clip_not_selected", 0))
        self.elsewhere = said.get("clip_elsewhere", self.elsewhere)
        self.void = said.get("clip_void", self.void)
        if "clip_planned" in said:
            self.heard.planned = set(said["clip_planned"])

    def record(self, exitstatus: int) -> Row:
        """The JSON record of the run so far."""
        from pytest_clip.report import json as json_report

        return json_report.record(
            rows=list(self.session.rows.values()),
            models=list(self.session.facts["models"].values()),
            data=list(self.session.facts["data"].values()),
            more={**self.more(), **({"evidence": found} if (found := evidence.record(list(self.session.rows.values()))) else {})},
            session=json_report.session_facts(
                argv=[str(arg) for arg in self.config.invocation_params.args],
                started=self.started,
                exit_status=int(exitstatus),
                rootpath=self.config.rootpath,
                here=self.config.invocation_params.dir,
            ),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if xdist.is_worker(self.config) or self.config.option.collectonly:
            return
        exitstatus = int(session.exitstatus)  # which `closing` may have changed since pytest asked
        if self.session.settings.reports:
            notes, whole = written.reports(self.session.settings.reports, self.record(exitstatus), self.config)
            self.notes += notes
            if not whole:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
        if self.session.update is not None:
            self._update(session, exitstatus)

    def _update(self, session: pytest.Session, exitstatus: int) -> None:
        from pytest_clip.gates.update import Context

        run = self.session
        assert run.update is not None
        context = Context(
            rulebook=run.rulebook,
            layer=run.update.layer,
            names=run.model_names,
            model_scope=lambda label: (run.model_spec(label) or label) if len(run.judged) > 1 else None,
            narrowed=bool(self.plan.narrowed_by or session.shouldfail or session.shouldstop),
            today=date.today().isoformat(),
        )
        rows = [row for row in run.rows.values() if run.role_of(row["model"]) is None]
        outcome = updating.finish(
            run.update, rows, run.settings.update, context, files=run.threshold_files, known=run.sets, exit_status=exitstatus
        )
        self.updates = outcome.lines
        if outcome.failed:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._summary(terminalreporter)
        for line in self.contradictions:  # with -qq too: nothing else says why the run is red
            terminalreporter.write_line(line, red=True)
        if self.updates:  # with -qq too: a file that changes is never changed in silence
            terminalreporter.section("clip update", sep="=")
            for line in self.updates:
                terminalreporter.write_line(line, **updating.markup(line))

    def _doubts(self) -> list[str]:
        """What names and counts leave in doubt, and what was seen of the pictures by whoever read them."""
        seen = {label: row["doubts"] for label, row in self.session.facts["data"].items()}
        said = {label: dict.fromkeys([*self.session.doubts.get(label, ()), *seen.get(label, ())]) for label in self._labels()}
        return [f"data {label}: {what}" for label, each in said.items() for what in each]

    def _labels(self) -> list[str]:
        return [choice.label for choice in self.session.data]

    def _summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        rows, doubts = list(self.session.rows.values()), self._doubts()
        if not (rows or doubts or self.notes or self.not_selected or self.elsewhere or self.void) or self.config.option.verbose < -1:
            return
        lines = terminal.summary_lines(
            rows,
            models=list(self.session.facts["models"].values()),
            not_selected=self.not_selected,
            narrowed_by=self.plan.narrowed_by,
            notes=[*self.elsewhere, *self.void, *doubts, *self.notes, *following.lines(rows, self.session)],
            verbose=self.config.option.verbose > 0,
            width=_width(terminalreporter),
        )
        terminalreporter.section("clip gates", sep="=")
        for line in lines:
            terminalreporter.write_line(line, **terminal.markup(line))


def _width(reporter: pytest.TerminalReporter) -> int | None:
    """Columns of the terminal; None for a log that nobody gave a width, where a line is best whole."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return shutil.get_terminal_size().columns if reporter.isatty else None
