"""How far away every pixel is: exact for scenes, from a folder of depth maps beside own images, or estimated by a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from .classfolders import LAY_DEPTH
from .depthmaps import check, read
from .imageset import ImageSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_KEPT: dict[tuple[str, int], Tensor] = {}
KEEP = 1024
"""Maps of scenes that stay in memory (64 KB each): every corruption asks for the same ones."""


@dataclass(frozen=True)
class Origin:
    """Where the depth of an image set comes from."""

    told: str
    """for reports: `exact`, `files`, or `estimated by NAME (FINGERPRINT)`"""
    key: str = ""
    """what answers depend on besides the image set's fingerprint, which covers scenes and files"""


def origin(images: ImageSet) -> Origin | None:
    """Scenes know their depth; files win over a model; None where nobody knows."""
    if images.scenes is not None:
        return Origin("exact")
    if images.depth is not None:
        return Origin("files")
    if images.depth_model is None:
        return None
    name, fingerprint = images.depth_model.name, images.depth_model.fingerprint
    return Origin(f"estimated by {name} ({fingerprint})", fingerprint)


def depth_maps(images: ImageSet, rows: Sequence[int], *, cache: Path | None = None, device: str = "cpu") -> list[Tensor]:
    """float32 [H, W] for each of `rows`: z-distance from the camera, above 0; object units for scenes, the files' own numbers otherwise.

    Maps are estimated on `device` and kept in the folder `cache`, if there is one. An estimated map shows all of the picture, in fewer
    pixels than a large one has.
    """
    if images.scenes is not None:
        return _of_scenes(images, rows)
    if images.depth is not None:
        import torch

        check(images)
        return [torch.from_numpy(read(images.depth[row])) for row in rows]
    if images.depth_model is None:
        raise ClipError(f"{images.data} has no depth maps; {LAY_DEPTH.format(folder=images.data)}")
    return [_estimated(images, row, cache, device) for row in rows]


def _estimated(images: ImageSet, row: int, cache: Path | None, device: str) -> Tensor:
    """Made once for each depth model and image set; a map is a file of its own, because nobody says how many will be asked for."""
    import torch

    from ..store import recall
    from .pictures import decode

    model = images.depth_model
    assert model is not None

    def make() -> NDArray[np.float32]:
        if images.files is None and images.read is None:
            raise ClipError(f"{images.where(row)}: no picture to estimate depth from; use data of image files")
        where = images.where(row)
        picture = decode(images.read(row) if images.files is None else images.files[row], where=where)  # type: ignore[misc]
        return model.distances(picture, device=device).numpy()

    if cache is None:
        return torch.from_numpy(make())
    kept = cache / "depth" / model.fingerprint / f"{images.data}-{images.name}-{images.fingerprint}" / f"{row}.npy"
    return torch.from_numpy(recall(kept, make))


def scene_depth(images: ImageSet, n: int) -> Tensor:
    """float32 [n, 128, 128] of the first `n` scenes of a set."""
    import torch

    return torch.stack(_of_scenes(images, range(n)))


def _of_scenes(images: ImageSet, rows: Sequence[int]) -> list[Tensor]:
    missing = [row for row in rows if (images.fingerprint, row) not in _KEPT]
    if missing:
        if len(_KEPT) + len(missing) > KEEP:
            _KEPT.clear()
            missing = list(rows)
        _KEPT.update(zip(((images.fingerprint, row) for row in missing), _cast(images, missing), strict=True))
    return [_KEPT[images.fingerprint, row] for row in rows]


def _cast(images: ImageSet, rows: Sequence[int]) -> list[Tensor]:
    """The renderer's depth without its colours. What lies behind the backdrop (a lawn up to its horizon) ends at the backdrop."""
    import torch

    from .scenes.backgrounds import backdrop
    from .scenes.camera import SIZE, WALL
    from .scenes.raycast import cast
    from .scenes.render import CHUNK
    from .scenes.staging import stage

    assert images.scenes is not None
    out: list[Tensor] = []
    device = torch.device("cpu")
    with torch.no_grad():
        for i in range(0, len(rows), CHUNK):
            scenes = [images.scenes[row] for row in rows[i : i + CHUNK]]
            depth, seen = cast(stage(scenes, device=device), images=len(scenes), size=SIZE)
            out += torch.where(seen >= 0, depth, backdrop(scenes, size=SIZE, device=device)[1]).clamp(max=WALL).unbind()
    return out


def framed(depth: Tensor, size: tuple[int, int], *, way: str, crop: float = 1.0) -> Tensor:
    """A map [H, W] as the model sees the picture, [h, w].

    "shortest" cuts off what its own aspect ratio has more, "squash" nothing. "longest" shows all of the picture and a border of one colour,
    which belongs to no scene: each place of it gets the depth of the edge beside it, so that no step of depth parts it from the picture.
    With a `crop` below 1 only the middle of that is seen, as timm's `crop_pct` says.
    """
    if crop < 1:
        high, wide = (math.floor(side / crop) for side in size)
        top, left = round((high - size[0]) / 2), round((wide - size[1]) / 2)
        return framed(depth, (high, wide), way=way)[top : top + size[0], left : left + size[1]]
    import torch.nn.functional as F

    from ..views.relief import resized

    high, wide = depth.shape
    if way == "longest":
        scale = max(high / size[0], wide / size[1])  # open_clip's ResizeKeepRatio and CenterCropOrPad, to the rounding
        inner = round(high / scale), round(wide / scale)
        down, across = size[0] - inner[0], size[1] - inner[1]
        within = resized(depth[None], inner)[None]
        return F.pad(within, (across // 2, across - across // 2, down // 2, down - down // 2), mode="replicate")[0, 0]
    if way == "shortest":
        scale = min(high / size[0], wide / size[1])
        high, wide = round(size[0] * scale), round(size[1] * scale)
    top, left = (depth.shape[0] - high) // 2, (depth.shape[1] - wide) // 2
    return resized(depth[None, top : top + high, left : left + wide], size)[0]
