"""The running side: turns measurements into failing or passing items and carries their rows to whoever writes the reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import pytest_clip.plugin.guarding as guarding
import pytest_clip.plugin.unmeasured as unmeasured
import pytest_clip.plugin.xdist as xdist
from pytest_clip import ClipError
from pytest_clip.plugin.collection import missing, put_in_order
from pytest_clip.plugin.invocation import Plan
from pytest_clip.plugin.items import gate_of
from pytest_clip.plugin.rows import reported, rows_of
from pytest_clip.report import junit, terminal
from pytest_clip.session import facts, updating
from pytest_clip.session.run import ClipSession, Row


class Gating:
    """Registered only when a model was named; without it none of these hooks exists."""

    NAME = "clip-gating"

    def __init__(self, config: pytest.Config, session: ClipSession, plan: Plan) -> None:
        self.config = config
        self.session = session
        self.plan = plan
        self.started = time.time()
        self.not_selected = 0
        self.elsewhere: list[str] = []
        self.notes: list[str] = []
        self.more: Callable[[], Row] = dict  # further parts of the JSON record
        self.updates: tuple[str, ...] = ()

    def pytest_report_header(self) -> str:
        return terminal.header(self.session, self.plan.suites)

    # Collection

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Around all others: what was collected before -k, -m and other plugins choose is compared with what they left."""
        before = list(items)
        yield
        if session.testsfailed:  # a suite could not be imported; pytest reports that
            return
        if not self._cache_decides_order():
            put_in_order(items, before, self.session)
        if problem := missing(self.plan, before, items, self.config):
            self._cannot_run(session, items, problem)
        elif not self.config.option.collectonly:
            self._never_measured(session, items)

    def _cannot_run(self, session: pytest.Session, items: list[pytest.Item], problem: str) -> None:
        if not xdist.is_worker(self.config):
            raise pytest.UsageError(problem)
        # A usage error in a worker reaches the user as a crash of that worker; a failing test reaches them as itself.
        suite = self.plan.suites[0] if self.plan.suites else "clip"
        items[:] = [unmeasured.NeverMeasured.of(session, suite=suite, name="not_collected", message=problem)]

    def _cache_decides_order(self) -> bool:
        """``--ff`` and ``--nf`` are wishes about the order."""
        return bool(getattr(self.config.option, "failedfirst", False) or getattr(self.config.option, "newfirst", False))

    def _never_measured(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        try:
            gates = [gate for item in items if (gate := gate_of(item)) is not None]
        except ClipError as error:
            self._cannot_run(session, items, str(error))
            return
        entries = unmeasured.entries(self.session, gates, self.plan.suites)
        if self.plan.narrowed_by:
            self.not_selected = len(entries)
            xdist.send(self.config, "clip_not_selected", len(entries))
            return
        items += [unmeasured.item_for(entry, session) for entry in entries]
        self.elsewhere = unmeasured.elsewhere(self.session, gates, self.plan.suites)
        xdist.send(self.config, "clip_elsewhere", self.elsewhere)

    # Running

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        if self.session.settings.limit is not None and (reason := guarding.emptied(item, self.session)):
            item.add_marker(pytest.mark.skip(reason=reason))
        yield from guarding.guarded(item, self.session)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        yield from guarding.guarded(item, self.session)
        gate = gate_of(item)
        if gate is not None and str(gate) not in [row["gate"] for row in rows_of(item)]:
            pytest.fail(f"{gate} was never measured: the test finished without calling gate({str(gate)!r}, ...)", pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        yield from guarding.guarded(item, self.session)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "call" or (call.when == "setup" and not report.passed):
            rows = reported(item, report, self.session)
            if rows:
                properties = [each for row in rows for each in junit.properties(row)]
                item.user_properties.extend(properties)
                report.user_properties.extend(properties)
                facts.refresh(self.session)
                # Attributes of a report travel from an xdist worker to the controller, so they hold builtins only.
                report.clip_rows = rows  # type: ignore[attr-defined]
                report.clip_facts = self.session.facts  # type: ignore[attr-defined]
        return report

    # Reporting, on the controller or in the only process

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """A gate that only warns passes its item, but neither its letter nor the last line of the run is green."""
        if report.when == "call" and report.passed and any(row["verdict"] == "warn" for row in getattr(report, "clip_rows", ())):
            return "warned", "w", ("WARNED", {"yellow": True})
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.session.note(report.nodeid, getattr(report, "clip_rows", ()))
        if (told := getattr(report, "clip_facts", None)) is not None:
            facts.merge(self.session, told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """An xdist worker has finished: all workers collect the same, so any one's count is the count."""
        said = getattr(node, "workeroutput", {})
        self.not_selected = max(self.not_selected, said.get("clip_not_selected", 0))
        self.elsewhere = said.get("clip_elsewhere", self.elsewhere)

    def record(self, exitstatus: int) -> Row:
        """The JSON record of the run so far."""
        from pytest_clip.report import json as json_report

        return json_report.record(
            rows=list(self.session.rows.values()),
            models=list(self.session.facts["models"].values()),
            data=list(self.session.facts["data"].values()),
            more=self.more(),
            session=json_report.session_facts(
                argv=[str(arg) for arg in self.config.invocation_params.args],
                started=self.started,
                exit_status=int(exitstatus),
                rootpath=self.config.rootpath,
            ),
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if xdist.is_worker(self.config) or self.config.option.collectonly:
            return
        from pytest_clip.report import json as json_report

        for request in self.session.settings.reports:
            record = self.record(exitstatus)
            try:
                json_report.write(request.dest, record)
            except OSError as error:
                self.notes.append(f"--clip-report: could not write {request.dest}: {error.strerror or error}")
                session.exitstatus = pytest.ExitCode.USAGE_ERROR
            else:
                self.notes.append(f"wrote {_shown(request.dest, self.config)}")
        if self.session.update is not None:
            self._update(session, int(exitstatus))

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
        if not (rows or doubts or self.notes or self.not_selected or self.elsewhere) or self.config.option.verbose < -1:
            return
        lines = terminal.summary_lines(
            rows,
            models=list(self.session.facts["models"].values()),
            not_selected=self.not_selected,
            narrowed_by=self.plan.narrowed_by,
            notes=[*self.elsewhere, *doubts, *self.notes],
        )
        terminalreporter.section("clip gates", sep="=")
        for line in lines:
            terminalreporter.write_line(line, **terminal.markup(line))


def _shown(path: Path, config: pytest.Config) -> Path:
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
