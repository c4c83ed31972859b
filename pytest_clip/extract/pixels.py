"""Rendered pictures, made once by several processes and then read as memory-mapped arrays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data.imageset import ImageSet
from .store import aside, locked, publish

JOB = 96
"""Scenes a rendering process takes at a time."""

Pixels = NDArray[np.uint8]


def place(images: ImageSet, cache: Path) -> Path:
    """Where the pictures of a rendered set lie."""
    return cache / "pixels" / f"{images.data}-{images.name}-{images.fingerprint}.npy"


def frames(images: ImageSet, cache: Path) -> Pixels:
    """uint8 [n, 128, 128, 3] of a set that `ensure` has rendered, memory-mapped."""
    return np.load(place(images, cache), mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def ensure(sets: Sequence[ImageSet], cache: Path, *, processes: int, advance: Callable[[int], None] = lambda n: None) -> None:
    """Render those of `sets` whose pictures are missing; `advance` hears of every finished scene.

    Processes, not threads: the renderer is many small tensor operations, and a second thread in one process gains it nothing.
    """
    with locked(cache / "pixels" / "rendering"):
        missing = [s for s in sets if s.scenes is not None and not place(s, cache).exists()]
        parts = {s.name: aside(place(s, cache)) for s in missing}
        try:
            for s in missing:
                _blank(parts[s.name], len(s))
            jobs = [
                {"set": s.name, "rows": list((s.rows or range(len(s)))[i : i + JOB]), "start": i, "out": str(parts[s.name])}
                for s in missing
                for i in range(0, len(s), JOB)
            ]
            _work(jobs, processes=processes, advance=advance)
            for s in missing:
                publish(parts[s.name], place(s, cache))
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)


def _blank(path: Path, n: int) -> None:
    """A file for n pictures with all of its space taken: a full disk shows here and not as a killed process later."""
    from ..data.scenes.render import SIZE

    try:
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(n, SIZE, SIZE, 3)).flush()
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as out:
                os.posix_fallocate(out.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise ClipError(f"cannot write {path} ({error.strerror}); free space, or choose another place with --clip-cache-dir=DIR") from error


def _work(jobs: list[dict[str, Any]], *, processes: int, advance: Callable[[int], None]) -> None:
    """Deal the jobs out in turn to `processes` workers and count the lines they print, one a finished job."""
    if not jobs:
        return
    if processes <= 1:
        from .rendering import render_job

        for job in jobs:
            advance(render_job(job))
        return
    # Keeping freed memory made rendering about a tenth faster (158 -> 168 scenes a processor second, in chunks of 48).
    keep = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30), "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest_clip.extract.rendering"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **keep},
        )
        for _ in range(min(processes, len(jobs)))
    ]  # fmt: skip
    try:
        for k, worker in enumerate(workers):
            assert worker.stdin is not None
            with suppress(BrokenPipeError):  # it has died already; its status is asked for below
                worker.stdin.write(json.dumps(jobs[k :: len(workers)]))
                worker.stdin.close()
        for worker in workers:
            assert worker.stdout is not None
            for line in worker.stdout:
                advance(int(line))
        for worker in workers:
            if worker.wait() != 0:
                assert worker.stderr is not None
                last = worker.stderr.read().strip().splitlines()[-1:]
                raise ClipError(
                    f"a rendering process ended with status {worker.returncode}: {' '.join(last) or 'killed'}; "
                    "run again, or with --clip-workers=1"
                )
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
            for stream in (worker.stdin, worker.stdout, worker.stderr):
                if stream is not None:
                    with suppress(BrokenPipeError):
                        stream.close()
