"""Rendering beside the run: processes of their own make the pictures of set after set while the model embeds finished ones."""

from __future__ import annotations

import itertools
import os
import pickle
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from .. import CacheError, ClipError
from ..data.imageset import ImageSet
from . import children
from .entry import POLL
from .pixels import place, render_here
from .rendering import Job

# Keeping freed memory made rendering about a tenth faster (158 -> 168 scenes a processor second, in chunks of 48).
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "OMP_NUM_THREADS": "1"}


class Studio:
    """`Studio(sets, cache, processes=2)` starts with the first set; `wait(images)` returns when the pictures of one set are there.

    Processes, not threads: the renderer is many small tensor operations, and a second thread in one process gains it nothing. Sets are made
    in the order given; `sets` may be a generator, so that the first is rendered while the last is drawn up. Two runs with one cache share
    the work: each renders what the other is not at.
    """

    def __init__(self, sets: Iterable[ImageSet], cache: Path, *, processes: int) -> None:
        self._cache, self._processes = cache, processes
        self._sets: list[ImageSet] = []
        self._known = threading.Condition()
        self._complete = False
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._workers: list[subprocess.Popen[bytes]] = []
        self._feeders: list[threading.Thread] = []
        try:
            for images in sets:
                self._add(images)
        except BaseException:
            self._no_more()
            self.close()
            raise
        self._no_more()

    def _no_more(self) -> None:
        with self._known:
            self._complete = True
            self._known.notify_all()

    def _add(self, images: ImageSet) -> None:
        if images.drawn is None or (entry := place(images, self._cache)).complete:
            return
        with self._known:
            self._sets.append(images)
            self._known.notify_all()
        for _ in range(min(self._processes - len(self._feeders), len(entry.spans))):
            feeder = threading.Thread(target=self._feed, name=f"pytest-clip rendering {len(self._feeders)}", daemon=True)
            self._feeders.append(feeder)
            feeder.start()

    def _in_order(self) -> Iterator[ImageSet]:
        """The sets as they become known, to the last one."""
        for k in itertools.count():
            with self._known:
                self._known.wait_for(lambda k=k: self._complete or len(self._sets) > k)  # type: ignore[misc]
                if len(self._sets) <= k:
                    return
            yield self._sets[k]

    @property
    def busy(self) -> bool:
        """Whether there is still something to render."""
        return any(feeder.is_alive() for feeder in self._feeders)

    def wait(self, images: ImageSet, *, advance: Callable[[int], None] = lambda n: None) -> None:
        """Return when `images` is rendered; `advance` hears of finished scenes, in this thread. Raises what stopped the rendering."""
        entry, said = place(images, self._cache), 0
        while True:
            busy = self.busy  # asked first: what is made last is seen
            if (now := sum(len(span) for k, span in enumerate(entry.spans) if entry.path(k).exists())) > said:
                advance(now - said)
                said = now
            if now == len(images):
                return
            if self._error is not None:
                raise self._error
            if not busy:  # another run had begun some of it and died, or it was not among the sets
                render_here(images, self._cache)
            time.sleep(POLL)

    def close(self) -> None:
        """Stop at once; finished parts stay."""
        self._stopped.set()
        for worker in self._workers:
            worker.kill()
        for feeder in self._feeders:
            feeder.join()

    def _feed(self) -> None:
        """Let one process make the spans that nobody else is making."""
        worker: subprocess.Popen[bytes] | None = None
        try:
            for images in self._in_order():
                entry, scenes = place(images, self._cache), images.drawn or ()
                for span in entry.claims(patient=False):
                    if worker is None:
                        worker = _worker()
                        self._workers.append(worker)
                    if self._stopped.is_set():
                        return
                    _ask(worker, Job(scenes[span.start : span.stop], entry, span))
        except BaseException as error:
            if not self._stopped.is_set():
                self._error = error
                self._stopped.set()
        finally:
            if worker is not None:
                _end(worker)


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        children.command("pytest_clip.extract.rendering"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **_ENVIRONMENT},
    )  # fmt: skip


def _ask(worker: subprocess.Popen[bytes], job: Job) -> None:
    """Let the process do one job; ClipError with its last words when it dies over it."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stderr is not None
    with suppress(BrokenPipeError):  # it has died already; its status is asked for below
        pickle.dump(job, worker.stdin)
        worker.stdin.flush()
    if worker.stdout.readline():
        return
    with suppress(BrokenPipeError):
        worker.stdin.close()
    last = worker.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
    if last and last[0].startswith(f"{CacheError.__module__}.{CacheError.__name__}: "):
        worker.wait()
        raise CacheError(last[0].partition(": ")[2])
    raise ClipError(
        f"a rendering process ended with status {worker.wait()}: {' '.join(last) or 'killed'}; run again, or with --clip-workers=1"
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()
    for stream in (worker.stdin, worker.stdout, worker.stderr):
        with suppress(BrokenPipeError):  # what was still to be written to the dead
            stream.close()  # type: ignore[union-attr]
