"""A failed gate fails its test, whatever the test or the project makes of the failure; what excuses a gate is a waiver."""

from __future__ import annotations

import pytest

from pytest_clip.plugin.items import gate_of
from pytest_clip.plugin.rows import OK, rows_of


def make_final(item: pytest.Item, report: pytest.TestReport) -> None:
    """Turn the report of a test into a failure when its gate failed, or was expected to, and the test did not."""
    if report.failed or report.when == "teardown":
        return
    broken = [row for row in rows_of(item) if row["verdict"] not in OK]
    if hasattr(report, "wasxfail") and report.skipped and item.get_closest_marker("clip_gate") is not None:
        what = str(broken[0]["message"]) if broken else f"{gate_of(item)}: not measured"
        why = f" ({report.wasxfail})" if report.wasxfail else ""
        text = f"{what}\n  xfail        the test is marked xfail{why}, which excuses no gate; write a [[waiver]] into thresholds.toml"
    elif broken and report.when == "call":
        went = f"the test went on after its gate had failed, and ended as {report.outcome}; a verdict is final"
        text = f"{broken[0]['message']}\n  swallowed    {went}"
    else:
        return
    report.outcome, report.longrepr = "failed", text
    report.__dict__.pop("wasxfail", None)
