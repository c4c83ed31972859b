"""How the bundled language model with eyes is made: every number that a retraining needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..recipe import Recipe


@dataclass(frozen=True)
class LlavaRecipe:
    """One training run of projector and language model on a frozen tower."""

    name: str
    tower: str = "scenes-vit"
    """bundled open_clip ViT whose image tower is the eye"""
    layer: int = -2
    """hidden state of the tower that is read: its patch tokens, without CLS"""
    width: int = 128
    inner: int = 256
    layers: int = 3
    heads: int = 4
    key_heads: int = 2
    scenes: str = "sampled"
    most_images: int = 53_200
    align_steps: int = 1600
    align_batch: int = 190
    align_lr: float = 2e-3
    steps: int = 1300
    batch: int = 48
    budget: int = 88
    """tokens of questions a picture in a step, packed side by side behind the same 64 patches"""
    lr: float = 3e-3
    projector_rate: float = 0.1
    """its share of the learning rate: a language model that knows nothing yet would unlearn what the projector has learned"""
    warmup: int = 50
    decay: float = 0.05
    ema: float = 0.99
    spread: float = 0.06
    """of first weights; with 0.02, which suits a width of 768, the first hundred steps learn little"""
    seed: int = 1
    """of scenes, batches and augmentation. Not 0: these are not the pictures that the tower was trained with"""
    initial_seed: int = 1

    @property
    def pictures(self) -> Recipe:
        """The recipe of the pool of pictures: all are there before the first step."""
        return Recipe(
            name=self.name, scenes=self.scenes, seed=self.seed, first_images=self.most_images, most_images=self.most_images
        )  # fmt: skip


SCENES_LLAVA = LlavaRecipe(name="scenes-llava")


def drawn(seed: int) -> LlavaRecipe:
    """The recipe with another draw of scenes, batches and first weights; 0 is what ships."""
    return replace(SCENES_LLAVA, seed=SCENES_LLAVA.seed + seed, initial_seed=SCENES_LLAVA.initial_seed + seed)
