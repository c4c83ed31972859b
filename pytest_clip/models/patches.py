"""Patch features: what the image tower says about each place of a picture, in the space of the texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional as F

from pytest_clip import ClipError
from pytest_clip.models.forward import DTYPES, mixed

if TYPE_CHECKING:
    from pytest_clip.models.protocol import ClipModel


def patch_features(model: ClipModel, images: torch.Tensor) -> torch.Tensor:
    """Features of each place of the preprocessed `images` [n, 3, h, w]: float32 [n, places, d] on the CPU, not normalised.

    As published for GL-MCM (Miyai et al. 2025) after MaskCLIP: a place goes through the last attention without looking at the others. Of a
    ViT the last block becomes v = x + out(value(ln x)), v + mlp(ln v), then the final norm and the projection; of a ModifiedResNet the
    cells of the last stage go through the value and output projection of the attention pool. A model that open_clip did not build answers
    with a method of its own, `patch_features(images)`. ClipError for a model without either.
    """
    own = getattr(model, "patch_features", None)
    if callable(own):
        answer: torch.Tensor = own(images)
        return answer.float().cpu()
    if (reason := lacking(model)) is not None:
        raise ClipError(reason)
    tower: Any = model.module.visual  # type: ignore[attr-defined]
    with torch.inference_mode(), mixed(model.precision, model.device):
        batch = images.to(model.device, DTYPES[model.precision])
        found = _of_resnet(tower, batch) if hasattr(tower, "attnpool") else _of_vit(tower, batch)
        return found.float().cpu().clone()


def lacking(model: ClipModel) -> str | None:
    """Why the model has no patch features; None if it has."""
    if callable(getattr(model, "patch_features", None)):
        return None
    tower = getattr(getattr(model, "module", None), "visual", None)
    resnet = all(hasattr(getattr(tower, "attnpool", None), name) for name in ("v_proj", "c_proj"))
    blocks: Any = getattr(getattr(tower, "transformer", None), "resblocks", None)
    vit = blocks and hasattr(tower, "ln_post") and getattr(tower, "attn_pool", None) is None
    if resnet or (vit and all(hasattr(blocks[-1], name) for name in ("ln_1", "attn", "ln_2", "mlp"))):
        return None
    return (
        f"{model.label} has no patch features: its image tower is neither a ViT nor a ModifiedResNet of open_clip; "
        "give the model a method patch_features(images) that returns [n, places, d] in the space of its texts"
    )


def _of_resnet(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    x = tower.layer4(tower.layer3(tower.layer2(tower.layer1(tower.stem(batch)))))
    pool, cells = tower.attnpool, x.flatten(2).transpose(1, 2)
    out: torch.Tensor = pool.c_proj(pool.v_proj(cells))
    return out


def _of_vit(tower: Any, batch: torch.Tensor) -> torch.Tensor:
    """The last block sees what enters it in the whole tower; the class token, which is first, is left out."""
    block, entered = tower.transformer.resblocks[-1], []
    watch = block.register_forward_pre_hook(lambda _, given, named: entered.append(given[0] if given else named["q_x"]), with_kwargs=True)
    try:
        tower(batch)
    finally:
        watch.remove()
    x = entered[0] if getattr(tower.transformer, "batch_first", True) else entered[0].transpose(0, 1)
    x = x[:, 1:]
    width, attention = x.shape[-1], block.attn
    bias = None if attention.in_proj_bias is None else attention.in_proj_bias[2 * width :]
    value = F.linear(block.ln_1(x), attention.in_proj_weight[2 * width :], bias)
    v = x + block.ls_1(attention.out_proj(value))
    v = tower.ln_post(v + block.ls_2(block.mlp(block.ln_2(v))))
    out: torch.Tensor = v if tower.proj is None else v @ tower.proj
    return out
