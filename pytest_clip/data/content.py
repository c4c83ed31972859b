"""What a file holds, as a hash: an image set is its bytes, not the times at which a checkout or a copy wrote them.

A file is read again only when its size, times or place on the disk have changed: what was read is remembered in the cache.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import CacheError, ClipError
from ..store import read_sealed, write_sealed
from .layouts.found import kernel

THREADS = 8
"""Files read at a time: a disk is asked for several, and SHA-256 lets other threads run."""

LARGEST = 2**31
"""Bytes of a picture: the largest that is decoded has 89 million pixels."""
MOST = 500_000
"""Files that a process remembers, 250 bytes each: slices of a set, and other questions about it, need not read it again."""

_memory: Path | None = None
_seen: dict[str, str] = {}


def remember_in(folder: Path | None) -> None:
    """Where this process keeps what it has read; nowhere with None."""
    global _memory
    _memory = folder


def memory() -> Path | None:
    """That folder."""
    return _memory


def sha256(files: Sequence[Path], *, most: int | None = LARGEST) -> list[str]:
    """SHA-256 of each of `files`, 64 hex digits; of one that may not be read, or a link to nothing, that of the reason.

    Files of more than `most` bytes are not read, nor those of the kernel, which can be endless. ClipError for one that is gone.
    """
    if not files:
        return []
    marks = [_mark(path) for path in files]
    if any(mark not in _seen for mark in marks):
        _read(files, marks, most)
    return [_seen[mark] for mark in marks]


def _mark(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError as error:
        if path.is_symlink():
            return f"link {path.absolute()}"
        raise ClipError(f"{path}: the file was there and is not any more ({error.strerror}); start again") from None
    # The time of the last change of status cannot be set back by a program that keeps the time of the last writing.
    return f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _read(files: Sequence[Path], marks: Sequence[str], most: int | None) -> None:
    """Put into `_seen` what is not there yet, from the folder or from the files themselves."""
    place = _place(files)
    known = _known(place) | {mark: _seen[mark] for mark in marks if mark in _seen}
    missing = [k for k, mark in enumerate(marks) if mark not in known]
    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        known.update(zip((marks[k] for k in missing), pool.map(lambda k: _of(files[k], most), missing), strict=True))
    if missing and place is not None:
        keep(place, {mark: known[mark] for mark in marks if not known[mark].startswith(UNREADABLE)})
    if len(_seen) + len(marks) > MOST:
        _seen.clear()
    _seen.update((mark, known[mark].removeprefix(UNREADABLE)) for mark in marks)


UNREADABLE = "unreadable "


def _of(path: Path, most: int | None) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if (most is not None and stat.st_size > most) or stat.st_dev in kernel():
                return UNREADABLE + hashlib.sha256(b"too large").hexdigest()
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        return UNREADABLE + hashlib.sha256(f"{error.errno}".encode()).hexdigest()
    return digest.hexdigest()


def _place(files: Sequence[Path]) -> Path | None:
    if _memory is None:
        return None
    first = os.path.commonpath([path.absolute().parent for path in files])
    return _memory / f"{hashlib.sha256(f'{first} {len(files)}'.encode()).hexdigest()[:32]}.json"


def _known(place: Path | None) -> dict[str, str]:
    if place is None:
        return {}
    with suppress(OSError, ValueError, AttributeError):
        return {str(mark): str(content) for mark, content in read_sealed(place).items()}
    return {}


def keep(place: Path, known: Mapping[str, Any]) -> None:
    """Write what is known as JSON, at once or not at all."""
    with suppress(CacheError):  # a memory that cannot be written only costs time
        write_sealed(place, dict(known))
