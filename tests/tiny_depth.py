"""Small depth-estimation models of transformers, randomly initialised: tens of thousands of weights, no network."""

from pathlib import Path

SIZE = 28


def folder(where: Path, *, kind: str = "dpt", seed: int = 0, **config: object) -> Path:
    """A folder of save_pretrained: `dpt` (inverse depth) or `depth_anything` (which says in its configuration what it means)."""
    import torch
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTConfig,
        DPTForDepthEstimation,
        DPTImageProcessor,
    )
    from transformers.utils import logging

    small = {"fusion_hidden_size": 8, "neck_hidden_sizes": [8, 8, 8, 8], "reassemble_factors": [4, 2, 1, 0.5]}
    tower = {"hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": SIZE, "patch_size": 14}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if kind == "dpt":
            network = DPTForDepthEstimation(
                DPTConfig(**tower, **small, intermediate_size=32, backbone_out_indices=[0, 1, 2, 3], is_hybrid=False, **config)
            )
        else:
            stages = {"out_features": [f"stage{k}" for k in range(1, 5)], "reshape_hidden_states": False, "apply_layernorm": True}
            backbone = Dinov2Config(**tower, **stages)
            network = DepthAnythingForDepthEstimation(
                DepthAnythingConfig(
                    backbone_config=backbone,
                    patch_size=14,
                    reassemble_hidden_size=16,
                    head_hidden_size=8,
                    head_in_index=-1,
                    **small,
                    **config,
                )
            )
        with torch.no_grad():
            for name, weight in network.named_parameters():
                if weight.dim() > 1:
                    weight.mul_(8)  # as initialised, the answers hardly depend on the picture
                if name == "head.conv3.bias" or name == "head.head.4.bias":
                    weight.fill_(5.0)  # the last layer is a rectifier
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    network.save_pretrained(where)
    if shown:
        logging.enable_progress_bar()
    DPTImageProcessor(size={"height": SIZE, "width": SIZE}, image_mean=[0.5] * 3, image_std=[0.25] * 3).save_pretrained(where)
    return where
