"""How the bundled checkpoints are made: every number that a retraining needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CONTEXT = 32
IMAGE = 64


def resnet(width: int, *, embed: int = 128) -> dict[str, Any]:
    """open_clip model configuration: ModifiedResNet with one block a stage and a two-layer text transformer."""
    return {
        "embed_dim": embed,
        "vision_cfg": {"image_size": IMAGE, "layers": [1, 1, 1, 1], "width": width, "patch_size": None},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 2},
    }


@dataclass(frozen=True)
class Recipe:
    """One training run. Loss = open_clip's ClipLoss + weighted cross-entropies of images against class, colour and texture prompts."""

    name: str
    model: dict[str, Any] = field(default_factory=lambda: resnet(16))
    start: str | None = None
    """bundled checkpoint to fine-tune, or None"""
    scenes: str = "sampled"
    """`sampled`: the training distribution; `typical`: every class in its typical look"""
    steps: int = 6000
    batch: int = 256
    lr: float = 2e-3
    warmup: int = 150
    decay: float = 0.1
    ema: float = 0.998
    class_weight: float = 1.0
    colour_weight: float = 0.5
    texture_weight: float = 1.5
    first_images: int = 15_200
    """rendered before the first step; the renderer then adds to the pool while training goes on"""
    most_images: int = 190_000
    seed: int = 0
    """of scenes, batches and augmentation"""
    initial_seed: int = 67_280_421_310_721
    """of the first weights: torch's own default seed"""


RECIPES = {
    "scenes-rn": Recipe(name="scenes-rn"),
    "scenes-rn-ft": Recipe(
        name="scenes-rn-ft", start="scenes-rn", scenes="typical", steps=100, lr=3e-4, warmup=20, ema=0.95,
        colour_weight=0.0, texture_weight=0.0, first_images=9_500, most_images=9_500,
    ),
}  # fmt: skip
