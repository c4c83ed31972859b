"""Testcases of ``--junitxml`` on their way to the file: pytest writes them, and what CI systems read besides is put in here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip.plugin.xdist import is_worker
from pytest_clip.report import json as json_report
from pytest_clip.report import junit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from pytest_clip.session.run import Row


class Testcases:
    """Registered with a model. pytest has no public way to a testcase: where the private one is gone, its file stays as it is."""

    __test__ = False

    def __init__(self, config: pytest.Config, kind: str) -> None:
        self.config, self.kind = config, kind
        self._rows: dict[int, Sequence[Row]] = {}
        self._held: list[Any] = []

    def _file(self) -> Any:
        if is_worker(self.config):
            return None
        try:
            from _pytest.junitxml import xml_key
        except ImportError:
            return None
        return self.config.stash.get(xml_key, None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which testcase holds the rows of this report: when the run ends, only their order is left."""
        rows, file = getattr(report, "clip_rows", ()), self._file()
        if rows and hasattr(file, "node_reporter"):
            case = file.node_reporter(report)
            self._held.append(case)
            self._rows[id(case)] = rows

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before pytest writes the file."""
        file = self._file()
        repository = json_report.repository(Path(self.config.invocation_params.dir))
        for case in getattr(file, "node_reporters_ordered", ()):
            element = _element(case)
            if element is not None:
                junit.complete(element, self._rows.get(id(case), ()), repository=repository, strict=self.kind == "schema")


def _element(case: Any) -> Element | None:
    """The element that will be written, which a test that was interrupted has not got yet."""
    if "to_xml" not in vars(case):
        if not case.attrs:
            case.add_attribute("name", case.id)
        case.finalize()
    element: Element = case.to_xml()
    return element if element is case.to_xml() else None
