"""What a file holds, as a hash: an image set is its bytes, not the times at which a checkout or a copy wrote them.

A file is read again only when its size, times or place on the disk have changed: what was read is remembered in the cache.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

THREADS = 8
"""Files read at a time: a disk is asked for several, and SHA-256 lets other threads run."""

_memory: Path | None = None


def remember_in(folder: Path | None) -> None:
    """Where this process keeps what it has read; nowhere with None."""
    global _memory
    _memory = folder


def sha256(files: Sequence[Path]) -> list[str]:
    """SHA-256 of each of `files`, 64 hex digits; OSError where one cannot be read."""
    if not files:
        return []
    stats = [path.stat() for path in files]
    # The time of the last change of status cannot be set back by a program that keeps the time of the last writing.
    marks = [f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" for stat in stats]
    place = _place(files)
    known = _known(place)
    missing = [k for k, mark in enumerate(marks) if mark not in known]
    with ThreadPoolExecutor(min(THREADS, len(files))) as pool:
        known.update(zip((marks[k] for k in missing), pool.map(_of, (files[k] for k in missing)), strict=True))
    if missing and place is not None:
        _keep(place, {mark: known[mark] for mark in marks})
    return [known[mark] for mark in marks]


def _of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
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
        return {str(mark): str(content) for mark, content in json.loads(place.read_text(encoding="utf-8")).items()}
    return {}


def _keep(place: Path, known: dict[str, str]) -> None:
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    with suppress(OSError):  # a memory that cannot be written only costs time
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known), encoding="utf-8")
        part.replace(place)
