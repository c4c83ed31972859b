"""One answer on disk: a folder with a manifest and shards of rows, filled by as many threads, workers and runs as ask for it at once."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
        """All rows, every checksum compared; a torn shard is removed and reported as `shards.TornError`."""
        with self._mended():
            return np.concatenate([shards.read(self.path(k)) for k in range(len(self.spans))])

    def some(self, rows: Sequence[int]) -> NDArray[Any]:
        """Rows `rows` of an entry whose shards are there, copied out of the files: memory stays as small as what is asked for."""
        step, asked = len(self.spans[0]), np.asarray(rows)
        where, out = asked // step, None
        with self._mended():
            for k in np.unique(where):
                part, chosen = shards.mapped(self.path(int(k))), np.flatnonzero(where == k)
                if out is None:
                    out = np.empty((len(asked), *part.shape[1:]), part.dtype)
                out[chosen] = part[asked[chosen] - k * step]
        assert out is not None
        return out

    @contextmanager
    def _mended(self) -> Iterator[None]:
        try:
            yield
        except shards.TornError as torn:
            torn.path.unlink(missing_ok=True)
            raise


def recall(entry: Entry, fill: Callable[[Entry], None]) -> NDArray[Any]:
    """The rows of `entry`; `fill` puts the spans that are missing. A shard that proves torn is made again."""
    for _ in range(3):
        if not entry.complete:
            fill(entry)
        try:
            rows = entry.rows()
        except (shards.TornError, FileNotFoundError):
            continue
        touch(entry.folder)
        return rows
    raise CacheError(f"{entry.folder} cannot be read back after it was written; choose another disk with --clip-cache-dir=DIR")


def touch(folder: Path) -> None:
    """Note that an entry was used now: `trim` removes what was not used for longest."""
    from contextlib import suppress

    with suppress(OSError):  # a cache that can only be read
        os.utime(folder / MANIFEST)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Say in `folder` what its rows are, in words that `pytest-clip cache` can read."""
    with writing(folder / MANIFEST) as part:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")
