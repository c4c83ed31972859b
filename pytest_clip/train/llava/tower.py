"""The image tower of a bundled open_clip ViT as a CLIPVisionModel of transformers: the same numbers under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

ONCE = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight", "ln_pre.bias": "pre_layrnorm.bias",  # sic: the name that transformers gave it
    "ln_post.weight": "post_layernorm.weight", "ln_post.bias": "post_layernorm.bias",
}  # fmt: skip
BLOCK = {
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
}  # fmt: skip


def convert(state: Mapping[str, Tensor], *, layers: int) -> dict[str, Tensor]:
    """State of a CLIPVisionModel from an open_clip state with `visual.*`. The projection into the joint space has no place there."""
    out = {there: state[f"visual.{here}"] for here, there in ONCE.items()}
    for i in range(layers):
        old, new = f"visual.transformer.resblocks.{i}.", f"encoder.layers.{i}."
        for kind in ("weight", "bias"):
            out |= {f"{new}{there}.{kind}": state[f"{old}{here}.{kind}"] for here, there in BLOCK.items()}
            parts = state[f"{old}attn.in_proj_{kind}"].chunk(3)
            out |= {f"{new}self_attn.{p}_proj.{kind}": part.clone() for p, part in zip("qkv", parts, strict=True)}
    return out


def config(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a CLIPVisionConfig for an open_clip `model_cfg`. Its own default, QuickGELU, is 2e-2 off."""
    vision = model_cfg["vision_cfg"]
    width = vision["width"]
    return {
        "hidden_size": width, "intermediate_size": int(width * vision.get("mlp_ratio", 4)), "num_hidden_layers": vision["layers"],
        "num_attention_heads": width // vision.get("head_width", 64), "image_size": vision["image_size"],
        "patch_size": vision["patch_size"], "hidden_act": "quick_gelu" if model_cfg.get("quick_gelu") else "gelu",
        "projection_dim": model_cfg["embed_dim"],
    }  # fmt: skip


def build(name: str) -> Any:
    """The tower of the bundled model `name`, float32, frozen."""
    from transformers import CLIPVisionConfig, CLIPVisionModel

    from ...models import bundled, compact

    state, found = compact.unpack(bundled.path(name).read_bytes())
    model = CLIPVisionModel(CLIPVisionConfig(**config(found["model_cfg"])))
    weights = convert({k: v.float() for k, v in state.items()}, layers=model.config.num_hidden_layers)
    model.load_state_dict(weights, strict=True)
    return model.eval().requires_grad_(False)


@torch.inference_mode()
def patches(model: Any, images: Tensor, *, layer: int) -> Tensor:
    """float32 [n, patches, width]: hidden states behind block `layer` (-1 the last, -2 the one before) without the CLS token."""
    states: Tensor = model(pixel_values=images, output_hidden_states=True).hidden_states[layer]
    return states[:, 1:]
