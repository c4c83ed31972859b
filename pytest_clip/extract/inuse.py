"""Whether somebody works with a cache: every run holds a lock on it that others can hold, too, and who clears it needs it alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

NAME = ".in-use"
_held: dict[Path, IO[bytes]] = {}
"""The locks of this process, which end with it, however it ends."""


def hold(cache: Path) -> None:
    """Say that this process works with `cache` from now on; waits while it is cleared. Nothing where no file can be locked or written."""
    path = cache / NAME
    if path in _held:
        return
    with suppress(OSError, ImportError):  # a cache that can only be read, a network file system, Windows
        import fcntl

        cache.mkdir(parents=True, exist_ok=True)
        while True:
            stream = _opened(path)
            fcntl.flock(stream, fcntl.LOCK_SH)
            if path.exists() and os.fstat(stream.fileno()).st_ino == path.stat().st_ino:
                _held[path] = stream
                return
            stream.close()  # it was removed while this process waited


def release(cache: Path) -> None:
    """The work is done; the lock also ends with the process."""
    if (stream := _held.pop(cache / NAME, None)) is not None:
        stream.close()


@contextmanager
def alone(cache: Path) -> Iterator[bool]:
    """Whether nobody else works with `cache`; nobody begins before this ends. True where no file can be locked."""
    try:
        import fcntl

        stream = _opened(cache / NAME)
    except (OSError, ImportError):
        yield True
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    except OSError:
        yield True
    else:
        yield True
        with suppress(OSError):
            (cache / NAME).unlink()
    finally:
        stream.close()


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "wb")
