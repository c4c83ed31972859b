"""One answer on disk: a folder with a manifest and shards of rows, filled by as many threads, workers and runs as ask for it at once."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import CacheError
from ..store import locked_now, writing
from . import shards

POLL = 0.02  # seconds between two looks at what others are making
PARTS, LARGEST = 4, 256
"""An answer has at least this many shards, so that workers can share it, of at most this many rows, so that a crash costs little."""
MANIFEST = "manifest.json"


def digest(key: Mapping[str, Any]) -> str:
    """32 hex digits of everything an answer depends on."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Entry:
    """`n` rows under a folder of the cache that is named by `key`.

    The shards depend on n alone, never on who makes them: the same rows go through a model together, whoever asks.
    """

    home: Path
    """where entries of this kind lie"""
    key: Mapping[str, Any]
    """all that the rows depend on, in plain JSON"""
    n: int
    told: Mapping[str, Any] = field(default_factory=dict)
    """what the manifest says besides, and no row depends on"""

    @cached_property
    def name(self) -> str:
        """The folder's name; also in the header of every shard."""
        return digest({**self.key, "n": self.n})

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @cached_property
    def spans(self) -> tuple[range, ...]:
        """The rows of each shard."""
        step = max(1, min(LARGEST, -(-self.n // PARTS)))
        return tuple(range(at, min(at + step, self.n)) for at in range(0, self.n, step))

    def path(self, k: int) -> Path:
        """Where shard `k` lies."""
        return self.folder / f"rows-{k:06d}{shards.SUFFIX}"

    @property
    def complete(self) -> bool:
        """Whether all rows are there."""
        return all(self.path(k).exists() for k in range(len(self.spans)))

    def claims(self, wanted: Sequence[int] | None = None, *, patient: bool = True) -> Iterator[range]:
        """Spans that the caller has to make and `put` before it asks for the next.

        Each is locked meanwhile. Spans that another thread, worker or run is making are waited for, and taken over when it dies. Ends when
        all shards (of those `wanted`) are there; when not `patient`, as soon as there is nothing to do but wait.
        """
        pending = list(range(len(self.spans)) if wanted is None else wanted)
        while pending := [k for k in pending if not self.path(k).exists()]:
            idle = True
            for k in pending:
                with locked_now(self.path(k)) as mine:
                    if mine and not self.path(k).exists():
                        idle = False
                        yield self.spans[k]
            if idle and not patient:
                return
            if idle:
                time.sleep(POLL)

    def put(self, span: range, rows: NDArray[Any]) -> None:
        """Store the rows of one span."""
        if len(rows) != len(span):
            raise ValueError(f"{len(rows)} rows for a span of {len(span)}")
        if not (self.folder / MANIFEST).exists():
            write_manifest(self.folder, {**self.key, "n": self.n, **self.told})
        shards.write(self.path(self.spans.index(span)), rows, entry=self.name)

    def rows(self) -> NDArray[Any]:
        """All rows, every checksum compared; all torn shards are removed, and the first is reported as `shards.TornError`."""
        return np.concatenate(self.whole(range(len(self.spans)), shards.read))

    def some(self, rows: Sequence[int]) -> NDArray[Any]:
        """Rows `rows` of an entry whose shards are there, copied out of the files: memory stays as small as what is asked for."""
        step, asked = len(self.spans[0]), np.asarray(rows)
        where, out = asked // step, None
        wanted = [int(k) for k in np.unique(where)]
        for k, part in zip(wanted, self.whole(wanted, shards.checked), strict=True):
            chosen = np.flatnonzero(where == k)
            if out is None:
                out = np.empty((len(asked), *part.shape[1:]), part.dtype)
            out[chosen] = part[asked[chosen] - k * step]
        assert out is not None
        return out

    def whole(self, wanted: Iterable[int], read: Callable[[Path], NDArray[Any]]) -> list[NDArray[Any]]:
        """The rows of the shards `wanted`. A disk that tore one has torn others: all of them go, so that one round makes them again."""
        parts = [self._part(k, read) for k in wanted]
        torn = [part for part in parts if isinstance(part, shards.TornError)]
        for each in torn:
            _remove(each)
        if torn:
            raise torn[0]
        return [part for part in parts if not isinstance(part, shards.TornError)]

    def _part(self, k: int, read: Callable[[Path], NDArray[Any]]) -> NDArray[Any] | shards.TornError:
        try:
            rows = read(self.path(k))
            if shards.header(self.path(k)).facts.get("entry") != self.name:
                return shards.TornError(self.path(k), "belongs to another entry")
        except shards.TornError as error:
            return error
        return rows


def _remove(torn: shards.TornError) -> None:
    try:
        torn.path.unlink(missing_ok=True)
    except OSError as error:
        cure = "remove it, or choose another place with --clip-cache-dir=DIR"
        raise CacheError(f"{torn}, and cannot be removed ({error.strerror}); {cure}") from error


def recall(entry: Entry, fill: Callable[[Entry], None]) -> NDArray[Any]:
    """The rows of `entry`; `fill` puts the spans that are missing. A shard that proves torn is made again."""
    for _ in range(3):
        if not entry.complete:
            fill(entry)
        try:
            rows = entry.rows()
        except (shards.TornError, FileNotFoundError) as error:
            cause = error
            continue
        touch(entry.folder)
        return rows
    raise unreadable(entry, cause)


def unreadable(entry: Entry, cause: Exception) -> CacheError:
    """What was made three times and could not be read back once."""
    why = f"{cause.filename} has gone again" if isinstance(cause, FileNotFoundError) else str(cause)
    return CacheError(
        f"{entry.folder} cannot be read back after it was written three times: {why}. Does another program clear up there, or does the "
        "disk lose what is written? Choose another with --clip-cache-dir=DIR"
    )


def touch(folder: Path) -> None:
    """Note that an entry was used now: `trim` removes what was not used for longest."""
    from contextlib import suppress

    with suppress(OSError):  # a cache that can only be read
        os.utime(folder / MANIFEST)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Say in `folder` what its rows are, in words that `pytest-clip cache` can read. No run believes it: rows name their entry."""
    facts = {**facts, "sha256": digest(facts)}
    with writing(folder / MANIFEST) as part:
        part.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
