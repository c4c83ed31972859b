"""Several makers fill one entry: each takes a span that nobody is at, makes its rows, puts them, and takes the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .entry import Entry

Maker = Callable[[range], Iterator[NDArray[Any]]]
"""The rows of a span, in order, a batch at a time."""


def run(entry: Entry, makers: Sequence[Maker], *, advance: Callable[[int], None]) -> None:
    """Let `makers` put what `entry` lacks; `advance` hears, in this thread, of rows as they are made. The first error stops all."""
    if len(makers) == 1:
        _Crew(entry).work(makers[0], advance)
        return
    crew = _Crew(entry)
    with ThreadPoolExecutor(len(makers), thread_name_prefix="pytest-clip stream") as pool:
        futures = [pool.submit(crew.work, maker, crew.heard) for maker in makers]
        try:
            crew.report(futures, advance)
        finally:
            crew.stopped.set()
    for future in futures:
        future.result()


class _Crew:
    """What the makers of one entry share."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.stopped = threading.Event()
        self._made = 0

    def work(self, maker: Maker, advance: Callable[[int], None]) -> None:
        """Make one missing span after another until there are none."""
        for span in self._entry.claims():
            parts = []
            for rows in maker(span):
                parts.append(rows)
                if self.stopped.is_set():
                    return
                advance(len(rows))
            self._entry.put(span, np.concatenate(parts))

    def heard(self, n: int) -> None:
        """Count the rows of any maker."""
        self._made += n

    def report(self, futures: list[Future[None]], advance: Callable[[int], None]) -> None:
        """Tell of the rows as they come, until all makers are through or one has failed."""
        said, pending = 0, set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.1, return_when=FIRST_EXCEPTION)
            if (now := self._made) > said:
                advance(now - said)
                said = now
            if any(future.exception() is not None for future in done):
                return
