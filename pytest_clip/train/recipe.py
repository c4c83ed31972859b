"""How the bundled checkpoints are made: every number that a retraining needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .. import ClipError
from ..data.scenes.negations import lexicon as denying_lexicon
from ..data.scenes.written import written_lexicon

CONTEXT = 32
IMAGE = 64


def clip(vision: dict[str, Any], *, embed: int = 128) -> dict[str, Any]:
    """open_clip model configuration of an image tower at 64 pixels beside a two-layer text transformer."""
    return {
        "embed_dim": embed,
        "vision_cfg": {"image_size": IMAGE, **vision},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": 128, "heads": 4, "layers": 2},
    }


def resnet(width: int, *, embed: int = 128) -> dict[str, Any]:
    """ModifiedResNet with one block a stage."""
    return clip({"layers": [1, 1, 1, 1], "width": width, "patch_size": None}, embed=embed)


def vit(width: int) -> dict[str, Any]:
    """Vision transformer of four blocks over 8 x 8 patches of 8 pixels."""
    return clip({"layers": 4, "width": width, "head_width": 32, "patch_size": 8})


def convnext() -> dict[str, Any]:
    """timm's smallest ConvNeXt (its `test_convnext2`, 0.3 M parameters): the published sizes begin at 2 M, which is 4 MB on disk."""
    return clip({"timm_model_name": "test_convnext2", "timm_model_pretrained": False, "timm_pool": "avg", "timm_proj": "linear"})


@dataclass(frozen=True)
class Recipe:
    """One training run. Loss = contrastive loss + weighted losses of images against class, colour and texture prompts."""

    name: str
    model: dict[str, Any] = field(default_factory=lambda: resnet(16))
    start: str | None = None
    """bundled checkpoint to fine-tune, or None"""
    scenes: str = "sampled"
    """`sampled`: the training distribution; `typical`: every class in its typical look; `correlated`: texture, colours and surroundings are
    those typical of the class in 9 of 10 scenes; `written`: notes with words lie in 6 of 10, and captions say what is written"""
    loss: str = "softmax"
    """the contrastive one: `softmax` is open_clip's ClipLoss, `sigmoid` its SigLipLoss (Zhai et al. 2023)"""
    teacher: str | None = None
    """bundled checkpoint whose image embeddings are learned too (1 - cosine) and whose text tower is taken over and frozen, or None"""
    teacher_weight: float = 5.0
    head: bool = False
    """fine-tune the image tower under a classification head, which starts as the zero-shot classifier: a model of class scores"""
    attack: float = 0.0
    """above 0: harden the image tower of `start` against changes of a pixel by so many of 255 levels, by FARE's loss alone"""
    attack_steps: int = 3
    """of the attack within each step of training"""
    steps: int = 6000
    batch: int = 256
    lr: float = 2e-3
    warmup: int = 150
    decay: float = 0.1
    ema: float = 0.998
    class_weight: float = 1.0
    colour_weight: float = 0.5
    texture_weight: float = 1.5
    word_weight: float = 1.0
    """of the words on notes, where there are some"""
    first_images: int = 15_200
    """rendered before the first step; the renderer then adds to the pool while training goes on"""
    most_images: int = 190_000
    words: tuple[str, ...] = ()
    """texts whose words the token table holds beside those of `captions.lexicon`"""
    seed: int = 0
    """of scenes, batches and augmentation"""
    initial_seed: int = 67_280_421_310_721
    """of the first weights: torch's own default seed"""


BUDGET = Recipe(name="scenes-rn-base", model=resnet(12), steps=2400, batch=128, first_images=57_000, most_images=57_000)
"""What the family has in common: one number of steps, of pictures, one source of captions. All pictures are there before the first step,
so that two trainings of one recipe and seed read the same ones."""
SIGMOID = resnet(12) | {"init_logit_scale": 2.659260, "init_logit_bias": -5.0}
"""Scale 14.3 as CLIP has it, and the log-odds of one positive in 128 pairs, -4.8. benchmarks/train/sigmoid.py holds other beginnings beside
it; its figures for scale 10 and bias -10 (no faster) were of a recipe that shared the bias with the losses of classes."""

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="scenes-rn"),
        Recipe(
            name="scenes-rn-ft", start="scenes-rn", scenes="typical", steps=100, lr=3e-4, warmup=20, ema=0.95,
            colour_weight=0.0, texture_weight=0.0, first_images=9_500, most_images=9_500,
        ),
        Recipe(
            name="scenes-rn-head", start="scenes-rn", scenes="typical", head=True, steps=100, lr=3e-4, warmup=20, ema=0.95,
            first_images=9_500, most_images=9_500,
        ),
        BUDGET,
        replace(BUDGET, name="scenes-rn-correlated", scenes="correlated"),
        replace(BUDGET, name="scenes-rn-small", first_images=5_700, most_images=5_700),
        replace(
            BUDGET, name="scenes-rn-reads", start="scenes-rn-base", scenes="written", words=(*written_lexicon(), *denying_lexicon()),
            colour_weight=0.25, texture_weight=0.5, word_weight=3.0,
        ),
        replace(BUDGET, name="scenes-rn-siglip", model=SIGMOID, loss="sigmoid"),
        Recipe(
            name="scenes-rn-robust", model=BUDGET.model, start=BUDGET.name, attack=4.0, steps=250, batch=128, lr=1e-3, warmup=25, ema=0.98,
            first_images=9_500, most_images=9_500,
        ),
        replace(BUDGET, name="scenes-vit", model=vit(96), teacher="scenes-rn"),
        replace(BUDGET, name="scenes-convnext", model=convnext(), teacher="scenes-rn"),
    )
}  # fmt: skip


OTHERS = ("scenes-llava",)
"""What `train/llava` trains."""


def named(name: str, *, seed: int = 0) -> Recipe:
    """The recipe of a bundled model; another seed draws other scenes, batches, augmentations and first weights."""
    recipe = RECIPES.get(name)
    if recipe is None:
        raise ClipError(f"no recipe {name!r}; there are: {', '.join((*RECIPES, *OTHERS))}")
    return replace(recipe, seed=seed, initial_seed=recipe.initial_seed + seed)
