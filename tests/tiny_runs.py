"""Folders like those of open_clip's trainer, around small models."""

from pathlib import Path
from typing import Any

import tiny_models

PARAMS: dict[str, Any] = {
    "accum_freq": 1, "aug_cfg": {}, "batch_size": 64, "epochs": 10, "force_context_length": None, "force_custom_text": False,
    "force_image_size": None, "force_patch_dropout": None, "force_quick_gelu": False, "image_interpolation": None,
    "image_mean": None,
    "image_resize_mode": None, "image_std": None, "lock_image": False, "model": "tiny", "name": "mine", "precision": "amp",
    "pretrained": "",
    "siglip": False, "use_bnb_linear": None, "wandb_notes": "",
}  # fmt: skip
"""What the trainer of open_clip 3.3 writes, a part of it."""


def params(folder: Path, **changed: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    said = {**PARAMS, **changed}
    (folder / "params.txt").write_text("".join(f"{key}: {said[key]}\n" for key in sorted(said)), encoding="utf-8")
    return folder


def run(folder: Path, epochs: dict[Any, dict[str, Any]], **changed: Any) -> Path:
    """A run whose `epochs` (numbers or "latest") have these weights, saved as the trainer does from several processes."""
    import torch

    params(folder, **changed)
    (folder / "checkpoints").mkdir(exist_ok=True)
    for epoch, weights in epochs.items():
        whole = {
            "epoch": epoch if isinstance(epoch, int) else 7,
            "name": folder.name,
            "state_dict": {f"module.{key}": value for key, value in weights.items()},
            "optimizer": {
                "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2)}},
                "param_groups": [{"lr": 0.1, "params": [0]}],
            },
        }
        torch.save(whole, folder / "checkpoints" / f"epoch_{epoch}.pt")
    return folder


def states(n: int) -> list[dict[str, Any]]:
    return [tiny_models.state(seed=seed) for seed in range(n)]
