"""Scenes with notes to pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....views.lettering import paste
from ..camera import HALF_WIDTH, SIZE
from ..render import render as render_scenes
from .lie import find
from .note import Noted


def render(noted: Sequence[Noted], *, size: int = SIZE) -> NDArray[np.uint8]:
    """uint8 [n, size, size, 3]. What is nearer hides a note, which is lit as its scene is; it casts no shadow."""
    frames = render_scenes([each.scene for each in noted], size=size)
    pictures, depth, mask = (part.numpy() for part in (frames.rgb, frames.depth, frames.mask))
    out = np.empty_like(pictures)
    for i, each in enumerate(noted):
        place, behind = find(each, depth=depth[i], mask=mask[i])
        note, scene = each.note, each.scene
        shade = min(0.5 + 0.5 * scene.light_intensity, 1.04) * scene.exposure
        out[i] = paste(
            pictures[i], note.words, look=(note.font, note.paper, note.ink), place=place, half=HALF_WIDTH, depth=behind, shade=shade
        )
    return out
