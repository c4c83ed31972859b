"""A gate's item run aside, inside another item: through pytest's own hooks, with the fixtures of the run, and without reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_clip.session.run import Row


def rows(item: pytest.Item, after: Callable[[], pytest.Item]) -> Sequence[Row]:
    """Set up, call and tear down a gate's item, ``after()`` being the next one; its rows, from a report that nobody else sees."""
    hook, found = item.ihook, list[Row]()

    def step(when: Any, run: Callable[[], Any]) -> pytest.TestReport:
        call = pytest.CallInfo.from_call(run, when=when, reraise=(pytest.exit.Exception, KeyboardInterrupt))
        report: pytest.TestReport = hook.pytest_runtest_makereport(item=item, call=call)
        found.extend(getattr(report, "clip_rows", ()))
        return report

    try:
        if step("setup", lambda: hook.pytest_runtest_setup(item=item)).passed:
            step("call", lambda: hook.pytest_runtest_call(item=item))
    finally:
        step("teardown", lambda: hook.pytest_runtest_teardown(item=item, nextitem=after()))
        item.__dict__.pop("funcargs", None)  # what a gate was given may be large, and nobody asks for it again
    return found
