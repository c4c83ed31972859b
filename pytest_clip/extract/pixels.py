"""Rendered pictures, made once and then read as memory-mapped arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data.imageset import ImageSet
from .rendering import Job, render_job
from .store import aside, locked, publish

JOB = 96
"""Scenes a rendering process takes at a time."""

Pixels = NDArray[np.uint8]


def place(images: ImageSet, cache: Path) -> Path:
    """Where the pictures of a rendered set lie."""
    return cache / "pixels" / f"{images.data}-{images.name}-{images.fingerprint}.npy"


def frames(images: ImageSet, cache: Path) -> Pixels:
    """uint8 [n, 128, 128, 3] of a set that has been rendered, memory-mapped."""
    return np.load(place(images, cache), mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def jobs(images: ImageSet, part: Path) -> Iterator[Job]:
    """The work of one set, a handful of scenes at a time."""
    scenes = images.scenes or ()
    for start in range(0, len(scenes), JOB):
        yield Job(scenes[start : start + JOB], start, str(part))


def blank(images: ImageSet, cache: Path) -> Path:
    """A file for the pictures with all of its space taken: a full disk shows here and not as a killed process later."""
    from ..data.scenes.render import SIZE

    path = aside(place(images, cache))
    try:
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(images), SIZE, SIZE, 3)).flush()
        if hasattr(os, "posix_fallocate"):
            with path.open("r+b") as out:
                os.posix_fallocate(out.fileno(), 0, path.stat().st_size)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ClipError(f"cannot write {path} ({error.strerror}); free space, or choose another place with --clip-cache-dir=DIR") from error
    return path


def render_here(images: ImageSet, cache: Path, *, advance: Callable[[int], None] = lambda n: None) -> None:
    """Render one set in this process, unless it is there; `advance` hears of every finished scene."""
    with locked(place(images, cache)):
        if place(images, cache).exists():
            return
        part = blank(images, cache)
        try:
            for job in jobs(images, part):
                advance(render_job(job))
            publish(part, place(images, cache))
        finally:
            part.unlink(missing_ok=True)
