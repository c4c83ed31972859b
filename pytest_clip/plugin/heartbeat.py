"""A line now and then while a run says nothing, for a log that somebody watches or that a CI system gives up on when it is silent."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from contextlib import suppress

import pytest

from pytest_clip.session.progress import Progress

EVERY = 9.0
"""Seconds of silence after which a line is said."""
STEP = 0.5


class Heartbeat:
    """Says what is being done and what remains, from a thread of its own: whatever is silent is busy. Only into a log; a terminal has bars.

    It writes to a copy of the standard output that was made before pytest began to capture it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.steps: list[Progress] = []
        self._total, self._done = 0, 0
        self._now, self._since = "", time.monotonic()
        self._begun = self._heard = time.monotonic()
        self._open = "\n"
        self._over = threading.Event()
        self._out = -1
        self._thread = threading.Thread(target=self._watch, name="pytest-clip heartbeat", daemon=True)

    def begin(self) -> None:
        with suppress(AttributeError, OSError, ValueError, io.UnsupportedOperation):  # an output that is no file
            self._out = os.dup(sys.stdout.fileno())
        if self._out >= 0:
            self._thread.start()

    def heard(self) -> None:
        """Something was said, and a line of dots may be open."""
        self._heard, self._open = time.monotonic(), "\n"

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._total = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._now, self._since, self._open = nodeid.partition("::")[2] or nodeid, time.monotonic(), "\n"

    def pytest_runtest_logfinish(self) -> None:
        self._done += 1
        self.heard()

    def pytest_unconfigure(self) -> None:
        self.end()

    def end(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._out >= 0:
            os.close(self._out)
            self._out = -1

    def _watch(self) -> None:
        while not self._over.wait(STEP):
            if time.monotonic() - self._heard >= EVERY:
                with suppress(OSError):  # whoever read it has gone
                    os.write(self._out, f"{self._open}clip: {self.line()}\n".encode())
                self._heard, self._open = time.monotonic(), ""

    def line(self) -> str:
        """``12 of 363 tests, 2 min; now test_top1[...] for 14 s: scenes-rn on scenes/near: 96 of 500``"""
        now = time.monotonic()
        if not self._total:
            return f"getting ready for {_seconds(now - self._begun)}: data, suites and rules are looked at"
        told = f"{self._done} of {self._total} tests, {_seconds(now - self._begun)}"
        if getattr(self.config.option, "numprocesses", None):
            return f"{told}; {self._total - self._done} are still to come from the workers"
        if self._done >= self._total:
            return f"{told}; the reports are made"
        self.steps = [step for step in self.steps if not step.closed]
        step = f": {self.steps[-1].told()}" if self.steps else ""
        return f"{told}; now {self._now[:150]} for {_seconds(now - self._since)}{step}"


def begin(config: pytest.Config) -> Heartbeat | None:
    """Where nobody has a bar to look at and nobody asked for silence."""
    quiet = getattr(config.option, "verbose", 0) < 0 or config.option.collectonly or not config.pluginmanager.has_plugin("terminal")
    if quiet or hasattr(config, "workerinput") or sys.stdout.isatty():
        return None
    made = Heartbeat(config)
    config.pluginmanager.register(made)
    config.add_cleanup(made.end)  # also when the run never begins
    made.begin()
    return made


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
