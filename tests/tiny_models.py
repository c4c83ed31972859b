"""Small open_clip models for the model tests: a few thousand image weights, no network, built in well under a second."""

import copy
import json
from pathlib import Path
from typing import Any

VIT: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
RESNET: dict[str, Any] = {**VIT, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None}}
PREPROCESS = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic", "resize_mode": "shortest"}


def state(config: dict[str, Any] = VIT, seed: int = 1) -> dict[str, Any]:
    """A random state dict in which weights are large enough for GELU and QuickGELU to differ visibly."""
    import open_clip
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
        module = kind(**{key: value for key, value in copy.deepcopy(config).items() if key != "custom_text"})
        weights = {key: value.clone() for key, value in module.state_dict().items()}
        for key, value in weights.items():
            if "mlp" in key or "projection" in key or key.endswith("proj"):
                weights[key] = torch.randn_like(value) * 0.3
    return weights


def folder(where: Path, config: dict[str, Any] = VIT, weights: dict[str, Any] | None = None, **preprocess: Any) -> Path:
    """A local-dir: with config and weights."""
    from safetensors.torch import save_file

    where.mkdir(parents=True, exist_ok=True)
    content = {"model_cfg": config, "preprocess_cfg": {**PREPROCESS, **preprocess}}
    (where / "open_clip_config.json").write_text(json.dumps(content))
    save_file(weights if weights is not None else state(config), where / "open_clip_model.safetensors")
    return where
