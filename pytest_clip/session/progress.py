"""Progress of steps that take long enough to wonder about: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

EVERY = 10.0  # seconds between lines in a log
SOON = 1.0  # seconds until the first line of a run that says what remains
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

    Without an output it counts silently, so callers never ask whether anyone is watching. Also a context manager. `first`: seconds until
    its first line in a log.
    """

    def __init__(
        self, label: str, total: int, output: Output | None = None, *, first: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self.closed = False
        self._output = output
        self._clock = clock
        self._started = self._shown = clock()
        self._wait, self._begun = first, False
        self.estimated = False
        """whether a line in a log has said what remains"""

    def begin(self) -> Progress:
        """Say at once what begins: for what is one long step, such as loading a model, which takes 3 to 10 s without a batch."""
        self._begun = True
        if self._output is not None:
            (self._output.bar if self._output.tty else self._output.line)(f"{self.label} ...")
        return self

    def advance(self, n: int = 1) -> None:
        self.done += n
        if self._output is None:
            return
        now = self._clock()
        if self._output.tty:
            if now - self._shown >= BLINK:
                self._shown = now
                self._output.bar(self._bar(now))
        elif now - self._shown >= self._wait and self.done < self.total:
            self._shown, self._wait = now, EVERY
            self.estimated = True
            self._output.line(self.told())

    def told(self) -> str:
        """What is being done, and what remains."""
        return f"{self.label}: {self.done} of {self.total} ({self.share:.0%}, {self._left(self._clock())})"

    __call__ = advance

    def close(self) -> None:
        self.closed = True
        if self._output is None:
            return
        seconds = self._clock() - self._started
        if self._output.tty:
            self._output.bar("")
        if self.estimated or seconds >= PATIENCE:
            self._output.line(f"{self.label}: {'done' if self._begun else self.done} in {seconds:.1f} s")

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
