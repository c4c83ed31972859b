"""Rendering beside the run: processes of their own make the pictures of set after set while the model embeds finished ones."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .. import ClipError
from ..data.imageset import ImageSet
from .pixels import blank, jobs, place
from .rendering import Job
from .store import locked, publish

POLL = 0.02  # seconds between two looks at whether a set is finished

# Keeping freed memory made rendering about a tenth faster (158 -> 168 scenes a processor second, in chunks of 48).
_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "OMP_NUM_THREADS": "1"}


class Studio:
    """`Studio(sets, cache, processes=2)` starts at once; `wait(images)` returns when the pictures of one set are there.

    Processes, not threads: the renderer is many small tensor operations, and a second thread in one process gains it nothing. Sets are made
    in the order given. Two runs with one cache do not render the same set twice: the second waits, and finds what the first has made.
    """

    def __init__(self, sets: Sequence[ImageSet], cache: Path, *, processes: int) -> None:
        self._cache, self._processes = cache, processes
        self._sets = [s for s in sets if s.scenes is not None and not place(s, cache).exists()]
        self._finished: dict[str, int] = {s.name: 0 for s in self._sets}
        self._error: BaseException | None = None
        self._stopped = threading.Event()
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="pytest-clip rendering", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether there is still something to render."""
        return self._thread.is_alive()

    def wait(self, images: ImageSet, *, advance: Callable[[int], None] = lambda n: None) -> None:
        """Return when `images` is rendered; `advance` hears of finished scenes, in this thread. Raises what stopped the rendering."""
        said, path = 0, place(images, self._cache)
        while True:
            alive, there = self._thread.is_alive(), path.exists()  # in this order: what is made last is seen
            if (now := self._finished.get(images.name, 0)) > said:
                advance(now - said)
                said = now
            if there:
                return
            if not alive:
                raise self._error or ClipError(f"the pictures of {images.name} were not rendered; run again")
            time.sleep(POLL)

    def close(self) -> None:
        """Stop what is under way and remove what is unfinished; finished sets stay."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with locked(self._cache / "pixels" / "rendering", give_up=self._stopped.is_set):
                self._render([s for s in self._sets if not place(s, self._cache).exists()])
        except BaseException as error:
            self._error = error

    def _render(self, missing: Sequence[ImageSet]) -> None:
        parts: dict[str, Path] = {}
        try:
            for images in missing:
                parts[images.name] = blank(images, self._cache)
            queue = [(images, job) for images in missing for job in jobs(images, parts[images.name])]
            if self._stopped.is_set() or not queue:
                return
            queue.reverse()
            feeders = [
                threading.Thread(target=self._feed, args=(queue, parts), name=f"pytest-clip rendering {k}", daemon=True)
                for k in range(min(self._processes, len(queue)))
            ]
            for feeder in feeders:
                feeder.start()
            for feeder in feeders:
                feeder.join()
            if self._error is not None:
                raise self._error
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)

    def _feed(self, queue: list[tuple[ImageSet, Job]], parts: dict[str, Path]) -> None:
        """Hand jobs to one process until there are none; a set is published when its last job is done."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "pytest_clip.extract.rendering"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **_ENVIRONMENT},
        )  # fmt: skip
        try:
            while not self._stopped.is_set():
                with self._guard:
                    if not queue:
                        return
                    images, job = queue.pop()
                done = _ask(worker, job)
                with self._guard:
                    self._finished[images.name] += done
                    if self._finished[images.name] == len(images):
                        publish(parts[images.name], place(images, self._cache))
        except Exception as error:
            self._error = self._error or error
            self._stopped.set()
        finally:
            worker.kill()
            worker.wait()
            for stream in (worker.stdin, worker.stdout, worker.stderr):
                with suppress(BrokenPipeError):  # what was still to be written to the dead
                    stream.close()  # type: ignore[union-attr]


def _ask(worker: subprocess.Popen[bytes], job: Job) -> int:
    """Let the process do one job; ClipError with its last words when it dies over it."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stderr is not None
    with suppress(BrokenPipeError):  # it has died already; its status is asked for below
        pickle.dump(job, worker.stdin)
        worker.stdin.flush()
    if line := worker.stdout.readline():
        return int(line)
    with suppress(BrokenPipeError):
        worker.stdin.close()
    last = worker.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
    raise ClipError(
        f"a rendering process ended with status {worker.wait()}: {' '.join(last) or 'killed'}; run again, or with --clip-workers=1"
    )
