"""What lies in the cache: how much, whether it is whole, and what goes when it grows too large."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..models import bundled
from ..store import read_sealed
from ..store import stored as arrays
from . import shards
from .entry import MANIFEST, digest

PLACES = ("answers", "texts", "pixels", "depth", "truths", "found", "models", "flips", "content", "rates")
"""The folders of a cache; nothing else in it is ever touched."""
ABANDONED = 24 * 3600.0
"""Seconds after which nobody can still be writing what has no name yet."""


@dataclass(frozen=True)
class Stored:
    """One entry: a folder with a manifest."""

    folder: Path
    facts: Mapping[str, Any]
    bytes: int
    used: float
    """seconds since the epoch when it was last used"""

    @property
    def kind(self) -> str:
        """image, dense or text (answers); pixels, render (pictures)."""
        return str(self.facts.get("kind", "unknown"))

    @property
    def what(self) -> str:
        """In words, for a list."""
        names = ("model", "data", "set", "view", "n")
        return " ".join(f"{name}={self.facts[name]}" for name in names if self.facts.get(name) is not None)


def entries(cache: Path) -> Iterator[Stored]:
    """Everything in the cache that has a manifest, in the order of folders."""
    for manifest in sorted(path for place in PLACES for path in (cache / place).glob(f"*/{MANIFEST}")):
        try:
            facts, used = json.loads(manifest.read_text(encoding="utf-8")), manifest.stat().st_mtime
            size = sum(path.stat().st_size for path in manifest.parent.iterdir())
        except FileNotFoundError:  # another run is clearing up
            continue
        except ValueError:
            facts, used, size = {}, 0.0, 0
        yield Stored(manifest.parent, facts, size, used)


def total(cache: Path) -> int:
    """Bytes in the folders of the cache, with what has no manifest."""
    return sum(path.stat().st_size for place in PLACES for path in (cache / place).rglob("*") if path.is_file())


def torn(cache: Path) -> Iterator[tuple[Path, str]]:
    """Every part that a run would read back and that is not what was written, and why.

    The pictures in `flips` are for people: no run reads them.
    """
    for stored in entries(cache):
        for path in sorted(stored.folder.glob(f"*{shards.SUFFIX}")):
            if (why := _damage(path, entry=stored.folder.name)) is not None:
                yield path, why
        facts = dict(stored.facts)
        if "kind" not in facts or facts.pop("sha256", None) not in (None, digest(facts)):  # None: older versions wrote none
            yield stored.folder / MANIFEST, "not the manifest that was written"
    sealed_files = [path for place in ("models/known", "content", "found") for path in (cache / place).rglob("*.json")]
    arrays_alone = [path for place in ("depth", "truths") for path in (cache / place).rglob("*.npy")]
    for path, read in [*((path, read_sealed) for path in sealed_files), *((path, arrays) for path in arrays_alone)]:
        if (why := _unread(path, read)) is not None:
            yield path, why
    for folder in (cache / "models").glob("*/"):
        if (folder / bundled.SEAL).exists() and not bundled.intact(folder):
            yield folder, "holds other files than were expanded into it"


def _unread(path: Path, read: Callable[[Path], object]) -> str | None:
    try:
        read(path)
    except FileNotFoundError:  # another run is clearing up
        return None
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _damage(path: Path, *, entry: str) -> str | None:
    try:
        shards.read(path)
        return None if shards.header(path).facts.get("entry") == entry else "belongs to another entry"
    except shards.TornError as error:
        return str(error).removeprefix(f"{path}: ")
    except FileNotFoundError:  # another run is clearing up
        return None


def trim(cache: Path, limit: int, *, since: float) -> list[Stored]:
    """Remove the entries that were not used for longest until the rest fits into `limit` bytes; nothing used after `since` goes.

    What killed runs left unfinished goes too, when it is a day old.
    """
    sweep(cache)
    there = sorted(entries(cache), key=lambda stored: stored.used)
    left, gone = sum(stored.bytes for stored in there), []
    for stored in there:
        if left <= limit or stored.used >= since:
            break
        shutil.rmtree(stored.folder, ignore_errors=True)
        left -= stored.bytes
        gone.append(stored)
    return gone


def sweep(cache: Path) -> list[Path]:
    """Remove what was written aside and never finished, because its writer was killed or the power failed; gives what is gone."""
    before, gone = time.time() - ABANDONED, []
    files = [path for place in PLACES for pattern in (".*.part", "*/.*.part") for path in (cache / place).glob(pattern)]
    for path in [*files, *(cache / "models").glob(".*-*")]:
        with suppress(OSError):  # its writer has finished it this moment, or another run clears up
            if path.stat().st_mtime >= before or path.suffix == ".lock":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            gone.append(path)
    return gone


def clear(cache: Path) -> int:
    """Remove everything that pytest-clip has put into the cache; how many bytes that was."""
    size = total(cache)
    for place in PLACES:
        shutil.rmtree(cache / place, ignore_errors=True)
    return size
