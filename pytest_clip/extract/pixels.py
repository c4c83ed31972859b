"""Rendered pictures, made once by the shard and then read as memory-mapped arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import shards
from .entry import Entry, touch

if TYPE_CHECKING:
    from ..data.imageset import ImageSet

Pixels = NDArray[np.uint8]


def place(images: ImageSet, cache: Path) -> Entry:
    """Where the pictures of a rendered set lie, uint8 [n, 128, 128, 3], or [n, 224, 224, 3] for portraits."""
    return Entry(cache / "pixels", {"kind": "render", **identity(images)}, len(images))


def identity(images: ImageSet) -> dict[str, Any]:
    """What pictures and answers depend on in a set: what it holds, not what the folder is called that holds it."""
    return {"data": images.data if images.drawn is not None else None, "set": images.name, "images": images.fingerprint}


class Rendered:
    """The pictures of a set that has been rendered, by row; those that were torn or removed since then are made again."""

    def __init__(self, images: ImageSet, cache: Path) -> None:
        self._images, self._cache = images, cache
        self._entry = place(images, cache)
        self._maps: dict[int, Pixels] = {}
        touch(self._entry.folder)

    def __len__(self) -> int:
        return self._entry.n

    def __getitem__(self, row: int) -> Pixels:
        k, at = divmod(row, len(self._entry.spans[0]))
        if k not in self._maps:
            self._maps[k] = self._mapped(k)
        picture: Pixels = self._maps[k][at]
        return picture

    def _mapped(self, k: int) -> Pixels:
        for _ in range(2):
            try:
                return self._entry.whole([k], shards.checked)[0]
            except (shards.TornError, FileNotFoundError):  # cut off with the power or changed since; another run has made room
                pass
            render_here(self._images, self._cache)
        return self._entry.whole([k], shards.checked)[0]


def render(entry: Entry, scenes: Any, span: range) -> None:
    """Make the pictures of one span of a set of `scenes`, of portraits or of scenes with notes."""
    from ..data.scenes.notes.note import Noted
    from ..data.scenes.studio.portrait import Portrait

    if isinstance(scenes[0], Portrait):
        from ..data.scenes.studio.render import render as portray

        entry.put(span, portray(scenes))
        return
    if isinstance(scenes[0], Noted):
        from ..data.scenes.notes.render import render as render_notes

        entry.put(span, render_notes(scenes))
        return
    from ..data.scenes.render import render_rgb

    entry.put(span, render_rgb(scenes).numpy())


def render_here(images: ImageSet, cache: Path, *, advance: Callable[[int], None] = lambda n: None) -> None:
    """Render in this process what of a set is missing; `advance` hears of finished scenes. Other workers may render other spans of it."""
    entry, scenes = place(images, cache), images.drawn or ()
    for span in entry.claims():
        render(entry, scenes[span.start : span.stop], span)
        advance(len(span))
