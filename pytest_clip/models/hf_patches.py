"""Patch features of the dual encoders of transformers: see `models.patches`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_clip.models.patches import alone

if TYPE_CHECKING:
    import torch


def places(module: Any, ready: Mapping[str, Any], *, class_token: bool, most: int) -> torch.Tensor:
    """[n, places, d] in the space of the texts, of what the image tower of `module` takes.

    CLIP and its kin: each token alone in the last layer, then the final norm and the projection. Where an attention pools (SigLIP), it is
    the last one, and each token is pooled alone; `most` are the places of a picture, since SigLIP 2 pads. Cells of ALIGN's map, whose mean
    is the embedding, as they are.
    """
    tower = module.vision_model
    pool = getattr(tower, "head", None)
    if not hasattr(getattr(tower, "encoder", None), "layers"):
        cells: torch.Tensor = tower(**ready).last_hidden_state
        return cells.flatten(2).transpose(1, 2)
    if pool is not None:
        tokens = tower(**ready).last_hidden_state[:, :most]
        found: torch.Tensor = pool(tokens.flatten(0, 1)[:, None])
        return found.reshape(*tokens.shape[:2], -1)
    with alone(tower.encoder.layers[-1], attention_mask=None):
        tokens = tower(**ready).last_hidden_state
    out: torch.Tensor = module.visual_projection(tower.post_layernorm(tokens[:, int(class_token) :]))
    return out
