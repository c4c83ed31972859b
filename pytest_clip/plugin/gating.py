"""The running side: turns measurements into failing or passing items and carries their rows to whoever writes the reports."""

from __future__ import annotations

from collections.abc import Generator

import pytest

import pytest_clip.plugin.extras as extras
import pytest_clip.plugin.guarding as guarding
import pytest_clip.plugin.unmeasured as unmeasured
import pytest_clip.plugin.written as written
import pytest_clip.plugin.xdist as xdist
from pytest_clip import ClipError
from pytest_clip.plugin.collection import missing, put_in_order
from pytest_clip.plugin.invocation import Plan
from pytest_clip.plugin.items import gate_of, marked_gate, skip
from pytest_clip.plugin.reporting import Reporting
from pytest_clip.plugin.rows import begin, reported, rows_of
from pytest_clip.plugin.swallowed import make_final
from pytest_clip.report import junit
from pytest_clip.session import facts
from pytest_clip.session.run import ClipSession


class Gating:
    """Registered only when a model was named, and without a name, so that ``-p no:NAME`` cannot take away what judges."""

    def __init__(self, config: pytest.Config, session: ClipSession, plan: Plan, reporting: Reporting) -> None:
        self.config, self.session, self.plan, self.reporting = config, session, plan, reporting

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
        self.reporting.plan_for([item.nodeid for item in items if marked_gate(item) is not None])

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
        self.reporting.void = unmeasured.out_of_scope(self.session)
        xdist.send(self.config, "clip_void", self.reporting.void)
        if self.session.settings.strict_rules:
            items += [unmeasured.item_for(entry, session) for entry in unmeasured.void(self.session)]
        if (item := unmeasured.nothing_judged(self.session, items, session)) is not None:
            items.append(item)
        entries = unmeasured.entries(self.session, gates, self.plan.suites)
        if self.plan.narrowed_by:
            self.reporting.not_selected = len(entries)
            xdist.send(self.config, "clip_not_selected", len(entries))
            return
        items += [unmeasured.item_for(entry, session) for entry in entries]
        self.reporting.elsewhere = unmeasured.elsewhere(self.session, gates, self.plan.suites)
        xdist.send(self.config, "clip_elsewhere", self.reporting.elsewhere)

    # Running

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        if self.session.settings.limit is not None and (reason := guarding.emptied(item, self.session)):
            item.add_marker(skip(reason))
        if (reason := guarding.unloaded(item, self.session)) is not None:
            item.add_marker(skip(reason))
        begin(item)
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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        make_final(item, report)
        if call.when == "call" or (call.when == "setup" and not report.passed):
            rows = reported(item, report, self.session)
            if rows:
                html = written.of_type("html", self.config, self.session.settings.reports)
                many = len(self.session.judged) * len(self.session.data) > 1
                properties = [each for row in rows for each in junit.properties(row, html=html, many=many)]
                item.user_properties.extend(properties)
                report.user_properties.extend(properties)
                extras.add(item, report, rows)
                facts.refresh(self.session)
                # Attributes of a report travel from an xdist worker to the controller, so they hold builtins only.
                report.clip_rows = rows  # type: ignore[attr-defined]
                report.clip_facts = self.session.facts  # type: ignore[attr-defined]
        return report

    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """A gate that only warns passes its item, but neither its letter nor the last line of the run is green."""
        if report.when == "call" and report.passed and any(row["verdict"] == "warn" for row in getattr(report, "clip_rows", ())):
            return "warned", "w", ("WARNED", {"yellow": True})
        return None
