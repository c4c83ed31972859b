"""From a name to a batch under a 3D corruption; as `apply`, with a depth map for each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Generator, Tensor

from .. import ClipError
from .air import flash, fog_3d
from .apply import check, in_parts
from .camera import xy_motion_blur, z_motion_blur
from .catalog import KINDS_3D, NEEDS_DEPTH
from .focus import far_focus, near_focus
from .seeds import generators
from .sensor import color_quant, iso_noise, low_light
from .video import bit_error, h265_abr, h265_crf

WITH_DEPTH: dict[str, Callable[[Tensor, Tensor, int, Sequence[Generator]], Tensor]] = {
    "near_focus": near_focus,
    "far_focus": far_focus,
    "fog_3d": fog_3d,
    "flash": flash,
    "xy_motion_blur": xy_motion_blur,
    "z_motion_blur": z_motion_blur,
    "bit_error": bit_error,
    "h265_crf": h265_crf,
    "h265_abr": h265_abr,
}
WITHOUT: dict[str, Callable[[Tensor, int, Sequence[Generator]], Tensor]] = {
    "color_quant": color_quant,
    "iso_noise": iso_noise,
    "low_light": low_light,
}


def apply(images: Tensor, depth: Tensor | None, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """See `pytest_clip.views.corrupt_3d`."""
    call = f"corrupt_3d(images, depth, {kind!r}, {severity!r}, ids)"
    check(call, images, kind, severity, ids, known=KINDS_3D)
    if kind in NEEDS_DEPTH:
        _check_depth(call, images, depth)
    if not len(images):
        return images.clone()

    def change(x: Tensor, part: slice) -> Tensor:
        # A camera's way through the scene is one for all severities.
        each = generators(kind, 0 if kind in NEEDS_DEPTH else severity, ids[part], images.device)
        if depth is not None and kind in WITH_DEPTH:
            return WITH_DEPTH[kind](x, depth[part].float(), severity - 1, each)
        return WITHOUT[kind](x, severity - 1, each)

    return in_parts(images, change)


def _check_depth(call: str, images: Tensor, depth: Tensor | None) -> None:
    wanted = [len(images), *images.shape[2:]]
    if depth is None:
        raise ClipError(f"{call}: this corruption follows from depth and there is none; give a depth map of shape {wanted}")
    if list(depth.shape) != wanted:
        raise ClipError(f"{call}: depth has the shape {list(depth.shape)}; give {wanted}, one map for each image")
    low, high = (float(depth.min()), float(depth.max())) if len(depth) else (1.0, 1.0)
    if not (low > 0 and high < float("inf")):
        raise ClipError(f"{call}: depth runs from {low:g} to {high:g}; distances from the camera are positive and finite")
