"""An image set: ordered ids and labels, and where each picture comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .scenes.spec import Scene


@dataclass(frozen=True)
class ImageSet:
    """n images in a fixed order. Exactly one of `scenes` (to be rendered) and `files` (to be decoded) is given."""

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
    depth: tuple[Path, ...] | None = None
    """[n] depth maps of `files`; scenes know theirs"""

    def __len__(self) -> int:
        return len(self.ids)
