"""An image set: ordered ids and labels, and where each picture comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .scenes.spec import Scene


class Reader(Protocol):
    """Encoded pictures that are no files of their own: in shards, or in a Hugging Face data set. Can be pickled, and called by threads."""

    def __call__(self, row: int) -> bytes:
        """The encoded picture (JPEG, PNG, WebP ...) of a row; ClipError names it when it cannot be had."""

    def where(self, row: int) -> str:
        """The place of a row for messages, such as `DIR/test/0.tar: s0000012.webp`."""


@dataclass(frozen=True)
class ImageSet:
    """n images in a fixed order. Exactly one of `scenes` (to be rendered), `files` and `read` (to be decoded) is given."""

    name: str
    data: str
    role: str
    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    """[n] index into `classes`, -1 for an image of no class (OOD)"""
    classes: tuple[str, ...]
    fingerprint: str
    """changes whenever a pixel, an id or a label may change"""
    pairs: NDArray[np.int64] | None = None
    """[n] for a matched counterfactual or a second view: the row of `clean` that shows the scene without the change, or the first view"""
    captions: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """per-image facts by name, each n long"""
    foils: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """by kind, a caption of each image that is false in one fact; each n long"""
    scenes: tuple[Scene, ...] | None = None
    rows: tuple[int, ...] | None = None
    """[n] for scenes: which ones of the whole embedded set they are (a limit can leave some out)"""
    files: tuple[Path, ...] | None = None
    read: Reader | None = None
    """encoded pictures by row, for sets whose pictures are no files"""
    depth: tuple[Path, ...] | None = None
    """[n] depth maps of `files`; scenes know theirs"""

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, row: int) -> str:
        """The place of an image for messages: its file, its place in a shard, or its id."""
        if self.files is not None:
            return str(self.files[row])
        return self.ids[row] if self.read is None else self.read.where(row)
