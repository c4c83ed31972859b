"""Gates in the reports of other plugins: what a person reads there, besides `user_properties`, which hold the numbers."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from pytest_clip.session.run import Row

TITLE = "clip gate"


def add(item: pytest.Item, report: pytest.TestReport, rows: Sequence[Row]) -> None:
    """Say in words what was measured: as a section of a report that passes (pytest-html, ``-rP``; one that fails says it already), and as
    an attachment in allure, which reads no sections."""
    told = [str(row["message"]) for row in rows if row["message"]]
    if not told:
        return
    if report.passed:
        report.sections.append((TITLE, "\n".join([*told, ""])))
    allure = sys.modules.get("allure")
    if allure is not None and item.config.pluginmanager.hasplugin("allure_listener"):
        allure.attach("\n".join(told), name=TITLE, attachment_type=allure.attachment_type.TEXT)
