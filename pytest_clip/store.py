"""Where finished work lies on disk: one file per key, written aside and renamed, guarded by a lock so that it is made once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from . import CacheError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold PATH.lock, however long that takes to be free; the operating system frees it when its holder dies."""
    with _lock(path, timeout=-1):
        yield


@contextmanager
def locked_now(path: Path) -> Iterator[bool]:
    """Hold PATH.lock if it is free this moment; whether it is held. The lock's file goes when PATH is there: nobody needs it then."""
    with _lock(path, timeout=0) as mine:
        yield mine
        if mine and path.exists():
            Path(f"{path}.lock").unlink(missing_ok=True)


@contextmanager
def _lock(path: Path, *, timeout: float) -> Iterator[bool]:
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        lock.acquire(timeout=timeout)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise CacheError(
            f"the cache at {path.parent} cannot be written ({error.strerror}); "
            "choose another with --clip-cache-dir=DIR, or use --clip-no-cache"
        ) from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which only this thread uses; becomes `path` all at once, or is gone after an error.

    What the disk refuses is a CacheError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise CacheError(
            f"cannot write {path} ({error.strerror}); free space, or choose another place with --clip-cache-dir=DIR"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def recall(path: Path, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The array stored at PATH (.npy), made and stored first where it is missing or cannot be read."""
    with locked(path):
        if path.exists():
            try:
                with path.open("rb") as stored:  # np.load would also take a zip or a pickle for what it says it is
                    return np.lib.format.read_array(stored, allow_pickle=False)
            except ValueError:
                path.unlink()
        array = make()
        with writing(path) as part, part.open("wb") as out:
            np.save(out, array, allow_pickle=False)
    return array
