"""From a name to a batch under a kind of LAION-C; as `apply`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Generator, Tensor

from .apply import check, in_parts
from .catalog import KINDS_LAION
from .lines import luminance_checkerboard, vertical_lines
from .seeds import generators
from .shapes import geometric_shapes, stickers

LAION: dict[str, Callable[[Tensor, int, Sequence[Generator]], Tensor]] = {
    "geometric_shapes": geometric_shapes,
    "luminance_checkerboard": luminance_checkerboard,
    "stickers": stickers,
    "vertical_lines": vertical_lines,
}


def apply(images: Tensor, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """See `pytest_clip.views.corrupt_laion`."""
    check(f"corrupt_laion(images, {kind!r}, {severity!r}, ids)", images, kind, severity, ids, known=KINDS_LAION)
    if not len(images):
        return images.clone()
    return in_parts(images, lambda x, part: LAION[kind](x, severity - 1, generators(kind, severity, ids[part], images.device)))
