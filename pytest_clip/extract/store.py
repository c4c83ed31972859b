"""Where finished work lies on disk: one file per key, written aside and renamed, guarded by a lock so that it is made once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import CacheError


class AbandonedError(Exception):
    """Nobody needs the lock any more."""


@contextmanager
def locked(path: Path, *, give_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Hold PATH.lock; the operating system frees it when its holder dies. AbandonedError when `give_up()` is true before it is free."""
    while True:
        with _lock(path, timeout=0.5) as mine:
            if mine:
                yield
                return
        if give_up():
            raise AbandonedError


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


def aside(path: Path) -> Path:
    """A name beside `path` for the unfinished file; only this thread uses it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")


def publish(part: Path, path: Path) -> None:
    """Make the finished file visible under its name, all at once."""
    part.replace(path)


def recall(path: Path, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The array stored at PATH (.npy), made and stored first where it is missing or cannot be read."""
    with locked(path):
        if path.exists():
            try:
                with path.open("rb") as stored:  # np.load would also take a zip or a pickle for what it says it is
                    return np.lib.format.read_array(stored, allow_pickle=False)
            except ValueError:
                path.unlink()
        array, part = make(), aside(path)
        try:
            with part.open("wb") as out:
                np.save(out, array, allow_pickle=False)
            publish(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CacheError(
                f"cannot write {path} ({error.strerror}); free space, or choose another place with --clip-cache-dir=DIR"
            ) from error
    return array
