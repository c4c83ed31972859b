"""Dense features: what the image tower says about each place of a picture, before pooling and projection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models.forward import DTYPES, mixed

if TYPE_CHECKING:
    from pytest_clip.models.protocol import ClipModel

CELLS = 7
"""What a stride of 32 leaves of 224 pixels: with this, every CLIP of the usual sizes answers with its last layer."""


def dense_features(model: ClipModel, images: torch.Tensor, *, layer: int = -1) -> torch.Tensor:
    """Feature map of each of the preprocessed `images` [n, 3, h, w]: float32 [n, d, gh, gw] on the CPU, not normalised.

    `layer` counts from the first (0) or from the last (-1, the default, as in Probe3D, El Banani et al. 2024). Layers are the blocks of a
    ViT (patch tokens as they leave the block, before the final norm), the stem and the four stages of a ModifiedResNet, and what timm
    names them for its trunks. A model that open_clip did not build answers with a method of its own,
    `dense_features(images, *, layer)`. ClipError for a model without either, and for a layer that it does not have.
    """
    own = getattr(model, "dense_features", None)
    if callable(own):
        answer: torch.Tensor = own(images, layer=layer)
        return answer.float().cpu()
    try:
        return _maps(model, images, [layer])[0].float().cpu().clone()  # a clone outside inference mode is an ordinary tensor
    except AssertionError as error:  # how open_clip and timm refuse an index
        raise ClipError(f"{model.label} has no layer {layer}: {error}") from None


def deepest_layer(model: ClipModel, images: torch.Tensor, *, cells: int = CELLS) -> int:
    """The last layer whose map still has `cells` x `cells` places, so that it can tell places apart; else the last of the finest.

    `images` [n, 3, h, w] says at which size; one picture is enough. A model with `dense_features` of its own chooses itself: -1.
    """
    if callable(getattr(model, "dense_features", None)):
        return -1
    sides = [min(each.shape[-2:]) for each in _maps(model, images[:1], None)]
    wanted = min(cells, max(sides))
    return max(at for at, side in enumerate(sides) if side >= wanted)


def from_the_first(model: ClipModel, images: torch.Tensor, *, layer: int) -> int:
    """`layer` counted from the first, so that -1 and 11 of twelve blocks are one convention; ClipError for one that is not there.

    `images` as in `deepest_layer`. A model with `dense_features` of its own counts itself.
    """
    if callable(getattr(model, "dense_features", None)):
        return layer
    layers = len(_maps(model, images[:1], None))
    if not -layers <= layer < layers:
        raise ClipError(f"{model.label} has no layer {layer}: it has {layers}, 0 to {layers - 1}, or -{layers} to -1 from the last")
    return layer % layers


def _maps(model: ClipModel, images: torch.Tensor, indices: list[int] | None) -> list[torch.Tensor]:
    """The maps of layers `indices`, or of all."""
    tower = _tower(model)
    with torch.inference_mode(), mixed(model.precision, model.device):
        batch = images.to(model.device, DTYPES[model.precision])
        maps: list[torch.Tensor] = tower.forward_intermediates(batch, indices=indices, intermediates_only=True)["image_intermediates"]
    return maps


def lacking(model: ClipModel) -> str | None:
    """Why the model has no dense features; None if it has."""
    if callable(getattr(model, "dense_features", None)):
        return None
    try:
        _tower(model)
    except ClipError as error:
        return str(error)
    return None


def _tower(model: ClipModel) -> Any:
    """The image tower of open_clip; a timm trunk inside it may lack what its wrapper promises."""
    tower = getattr(getattr(model, "module", None), "visual", None)
    if all(callable(getattr(part, "forward_intermediates", None)) for part in (tower, getattr(tower, "trunk", tower))):
        return tower
    raise ClipError(
        f"{model.label} has no dense features: its image tower is no open_clip tower with intermediate layers; "
        "give the model a method dense_features(images, *, layer) that returns [n, d, gh, gw]"
    )
