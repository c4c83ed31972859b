"""Progress of steps that take long enough to wonder about: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pytest

EVERY = 10.0  # seconds between lines in a log
BLINK = 0.1  # seconds between redraws of a bar
PATIENCE = 2.0  # steps shorter than this leave no line in a log
BAR = 24


class Output(Protocol):
    """Where progress goes. ``line`` is kept, ``bar`` is drawn over by the next bar and wiped by an empty one."""

    tty: bool

    def line(self, text: str) -> None: ...
    def bar(self, text: str) -> None: ...


class Progress:
    """``Progress("scenes: rendering clean", 1900, output)``, then ``advance(n)`` as work gets done and ``close()`` at the end.

    Without an output it counts silently, so callers never ask whether anyone is watching. Also a context manager.
    """

    def __init__(self, label: str, total: int, output: Output | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._output = output
        self._clock = clock
        self._started = self._shown = clock()
        self._said_something = False

    def advance(self, n: int = 1) -> None:
        self.done += n
        if self._output is None:
            return
        now = self._clock()
        if self._output.tty:
            if now - self._shown >= BLINK:
                self._shown = now
                self._output.bar(self._bar(now))
        elif now - self._shown >= EVERY and self.done < self.total:
            self._shown = now
            self._said_something = True
            self._output.line(f"{self.label}: {self.done} of {self.total} ({self.share:.0%}, {self._left(now)})")

    __call__ = advance

    def close(self) -> None:
        if self._output is None:
            return
        seconds = self._clock() - self._started
        if self._output.tty:
            self._output.bar("")
        if self._said_something or seconds >= PATIENCE:
            self._output.line(f"{self.label}: {self.done} in {seconds:.1f} s")

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0

    def _left(self, now: float) -> str:
        if not self.done:
            return "time unknown"
        return f"about {(now - self._started) * (self.total - self.done) / self.done:.0f} s left"

    def _bar(self, now: float) -> str:
        filled = min(BAR, round(BAR * self.share))
        return f"{self.label} [{'#' * filled}{'.' * (BAR - filled)}] {self.done}/{self.total} {self._left(now)}"

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


ProgressFactory = Callable[[str, int], Progress]


def silent(label: str, total: int) -> Progress:
    return Progress(label, total)


def terminal_progress(config: pytest.Config) -> ProgressFactory:
    """Progress through pytest's own terminal; silent with ``-q``, in xdist workers and without a terminal plugin."""
    if getattr(config.option, "verbose", 0) < 0 or hasattr(config, "workerinput"):
        return silent

    def make(label: str, total: int) -> Progress:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        return Progress(label, total, _Terminal(config, reporter) if reporter is not None else None)

    return make


def terminal_line(config: pytest.Config) -> Callable[[str], None]:
    """Says one line through pytest's own terminal; silent where progress is."""

    def say(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and config.option.verbose >= 0 and not hasattr(config, "workerinput"):
            _Terminal(config, reporter).line(text)

    return say


class _Terminal:
    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self._config = config
        self._reporter = reporter
        self._width = 0  # of the bar on the screen
        self.tty = bool(reporter.isatty)

    def line(self, text: str) -> None:
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
