"""Text embeddings: each distinct text goes through a model once, whichever suite, data set, worker or run asks first."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..store import locked
from . import shards
from .cores import Cores, share_cores
from .entry import MANIFEST, digest, touch, write_manifest

Encode = Callable[[list[str]], NDArray[np.float32]]

CHUNK, MOST, BRISK = 256, 4096, 1.0
"""Texts encoded under one lock: another worker waits no longer than that for its own. Twice as many the next time, up to `MOST`, when they
took less than `BRISK` seconds."""
LEAST = 16
"""Texts in a forward pass: with fewer than 7, rows differed by 6e-8 from the same rows in a longer batch (scenes-rn, torch 2.15)."""


class Texts:
    """The text embeddings of one model, float32 [n, d]; `key` is all that they depend on besides the text."""

    def __init__(self, cache: Path, key: Mapping[str, Any]) -> None:
        self._key = {**key, "kind": "text"}
        self._folder = cache / "texts" / digest(self._key)
        self._known: dict[bytes, NDArray[np.float32]] = {}
        self._read: set[Path] = set()
        self._chunk = CHUNK

    def embed(self, texts: Sequence[str], encode: Encode) -> NDArray[np.float32]:
        """Embeddings of `texts` in their order; `encode` gets those that nobody has asked for yet, each once."""
        names = [_name(text) for text in texts]
        by_name = dict(zip(names, texts, strict=True))
        self._look(by_name)
        while missing := [name for name in by_name if name not in self._known]:
            with locked(self._folder / "texts"):
                self._look(by_name)  # another worker may have encoded them meanwhile
                if now := [name for name in missing if name not in self._known][: self._chunk]:
                    began = time.monotonic()
                    self._add(now, [by_name[name] for name in now], encode)
                    if time.monotonic() - began < BRISK:
                        self._chunk = min(2 * self._chunk, MOST)
        return np.stack([self._known[name] for name in names])

    def _look(self, wanted: Mapping[bytes, str]) -> None:
        """Read what has been stored since the last look, unless all is known."""
        if all(name in self._known for name in wanted):
            return
        for names in self._files():
            rows = names.with_name(names.name.replace("names", "rows"))
            try:
                if {shards.header(path).facts.get("entry") for path in (names, rows)} != {self._folder.name}:
                    raise shards.TornError(rows, "belongs to another entry")
                held = {name.tobytes(): row for name, row in zip(shards.read(names), shards.read(rows), strict=True)}
            except (shards.TornError, FileNotFoundError, ValueError):  # encoded again
                for path in (names, rows):
                    path.unlink(missing_ok=True)
                continue
            self._known.update(held)
            self._read.add(names)
            touch(self._folder)

    def _files(self) -> Iterator[Path]:
        return (path for path in sorted(self._folder.glob(f"names-*{shards.SUFFIX}")) if path not in self._read)

    def _add(self, names: list[bytes], texts: list[str], encode: Encode) -> None:
        rows = encode([*texts, *texts[-1:] * (LEAST - len(texts))])[: len(texts)]
        if not (self._folder / MANIFEST).exists():
            write_manifest(self._folder, self._key)
        whole = b"".join(names)
        # Named by its texts: who reads the names and then the rows never gets the rows of other texts that took the place of torn ones.
        place = f"{hashlib.sha256(whole).hexdigest()[:16]}{shards.SUFFIX}"
        shards.write(self._folder / f"rows-{place}", rows, entry=self._folder.name)
        stored = np.frombuffer(whole, np.uint8).reshape(len(names), -1)
        shards.write(self._folder / f"names-{place}", stored, entry=self._folder.name)  # last: now the rows count
        self._read.add(self._folder / f"names-{place}")
        self._known.update(zip(names, rows, strict=True))


def side_by_side(encode: Encode, cores: Cores) -> Encode:
    """`encode`, a part of the texts on each stream: tokenizers are Python, and while one is at work another thread can be in the model."""

    def parts(texts: list[str]) -> NDArray[np.float32]:
        streams = max(1, min(cores.streams, len(texts) // LEAST))
        bounds = [len(texts) * k // streams for k in range(streams + 1)]
        with share_cores(cores.share, streams), ThreadPoolExecutor(streams) as pool:
            return np.concatenate(list(pool.map(lambda k: encode(texts[bounds[k] : bounds[k + 1]]), range(streams))))

    return parts


def _name(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
