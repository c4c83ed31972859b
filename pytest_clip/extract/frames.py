"""The pixel store: pictures at a model's input size, decoded and resized once for all views, suites, workers and models that see alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.imageset import ImageSet
from . import shards
from .entry import Entry, touch, unreadable
from .pixels import identity

Pixels = NDArray[np.uint8]


class Frames:
    """Pictures of `images` under one `geometry`, uint8 [n, 3, h, w] by rows; `make` gives one that is not stored yet.

    Pictures are made by the shard (see `Entry`). What is asked for is copied out of the files, so memory does not grow with the set.
    """

    def __init__(self, images: ImageSet, *, geometry: str, make: Callable[[int], Pixels], cache: Path) -> None:
        key: dict[str, Any] = {"kind": "pixels", **identity(images), "geometry": geometry}
        self._entry = Entry(cache / "pixels", key, len(images), told={"data": images.data})
        self._make = make
        self._touched = False

    def rows(self, rows: Sequence[int], *, pool: Executor | None = None) -> Pixels:
        """Pictures `rows`, made first where they are missing (on the threads of `pool`)."""
        step = len(self._entry.spans[0])
        for _ in range(3):
            for span in self._entry.claims(sorted({row // step for row in rows})):
                self._entry.put(span, np.stack(list(pool.map(self._make, span) if pool else map(self._make, span))))
            try:
                out: Pixels = self._entry.some(rows)
            except (shards.TornError, FileNotFoundError) as error:
                cause = error
                continue
            if not self._touched:
                touch(self._entry.folder)
                self._touched = True
            return out
        raise unreadable(self._entry, cause)
