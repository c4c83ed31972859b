"""Progress and single lines through pytest's own terminal."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pytest_clip.plugin.heartbeat import Heartbeat
from pytest_clip.session.progress import EVERY, SOON, Progress, ProgressFactory, silent


def terminal_progress(config: pytest.Config, beat: Heartbeat | None = None) -> ProgressFactory:
    """Progress through pytest's own terminal; silent with ``-q``, in xdist workers and without a terminal plugin. `beat` tells of steps
    that are silent for long."""
    if getattr(config.option, "verbose", 0) < 0 or hasattr(config, "workerinput"):
        return silent

    early: list[Progress] = []  # steps until one has said what remains: a line for each step of a second would be hundreds

    def make(label: str, total: int) -> Progress:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        first = EVERY if any(step.estimated for step in early) else SOON
        step = Progress(label, total, _Terminal(config, reporter, beat) if reporter is not None else None, first=first)
        if first < EVERY:
            early.append(step)
        if beat is not None:
            beat.steps.append(step)
        return step

    return make


def terminal_line(config: pytest.Config) -> Callable[[str], None]:
    """Says one line through pytest's own terminal; silent where progress is."""

    def say(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and config.option.verbose >= 0 and not hasattr(config, "workerinput"):
            _Terminal(config, reporter).line(text)

    return say


class _Terminal:
    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter, beat: Heartbeat | None = None) -> None:
        self._beat = beat
        self._config = config
        self._reporter = reporter
        self._width = 0  # of the bar on the screen
        self.tty = bool(reporter.isatty)

    def line(self, text: str) -> None:
        if self._beat is not None:
            self._beat.heard()
        with self._uncaptured():
            self._reporter.ensure_newline()
            self._reporter.write_line(f"clip: {text}")

    def bar(self, text: str) -> None:
        columns = shutil.get_terminal_size().columns - 1
        with self._uncaptured():
            if not self._width:
                self._reporter.ensure_newline()  # pytest may be in the middle of its line of dots; it starts a new one afterwards
            shown = text[:columns]
            self._reporter.write("\r" + shown.ljust(self._width) + ("" if shown else "\r"), flush=True)
            self._width = len(shown)

    @contextmanager
    def _uncaptured(self) -> Iterator[None]:
        """While a test or fixture runs, pytest keeps what is written for the failure report; progress must reach the screen."""
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is None:
            yield
            return
        with capture.global_and_fixture_disabled():
            yield
