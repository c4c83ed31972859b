"""Models that are broken on purpose, for `broken.py`: of random weights, with shuffled answers, damaged, and slightly damaged.

A name is BASE~BREAKAGE, such as `scenes-rn~redrawn-3` or `photo-dual~upside_down`; `BASE~whole` is the model itself under a name that no
shipped rule is written for, so that only the rules for a model that nobody knows hold for it.
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from pytest_clip.mutants import build, pipeline, weights
from pytest_clip.mutants.damaged import Damage, Damaged

BASES = ("scenes-rn", "scenes-rn-ft", "photo-dual")
SEEDS = range(5)
GROUPS = {
    "healthy": ("whole",),
    "random": ("untrained", *(f"redrawn-{seed}" for seed in SEEDS), "image_redrawn", "text_redrawn"),
    "shuffled": ("labels_rotated", "texts_permuted", "neighbours", "dimensions_permuted", "pixels_permuted"),
    "damaged": (
        "image_constant", "text_constant", "image_zeroed", "noise_all_30", "noise_all_100", "noise_100", "noise_30", "last_block_dropped",
        "text_reseeded", "not_divided", "upside_down", "negative", "gray_blur", "unnormalised",
    ),
    "slight": (
        "noise_all_10", "noise_10", "positions_shuffled", "bgr", "wrong_mean_std", "not_centred", "logit_scale_double", "logit_scale_half",
        "text_truncated", "int8", "squashed", "jpeg_10",
    ),
}  # fmt: skip
"""What each is meant to be. Nobody expects the sanity rules to notice the slight ones: baselines and tight rules are for these."""
OF_MUTANTS = ("unnormalised", "noise_10", "noise_30", "noise_100", "last_block_dropped", "text_reseeded", "positions_shuffled")
OF_MUTANTS += ("bgr", "wrong_mean_std", "logit_scale_double", "logit_scale_half", "text_truncated", "int8", "squashed", "jpeg_10")


def make(text: str, cache: Path) -> Damaged | None:
    """The model called BASE~BREAKAGE; None for any other name. InapplicableError where this base cannot be broken that way."""
    base, _, name = text.partition("~")
    if base not in BASES or not name:
        return None
    model = _load("scenes-rn,random" if (base, name) == ("scenes-rn", "untrained") else base, cache)
    if name == "labels_rotated":
        from pytest_clip.data import load

        damage = pipeline.labels_rotated(model, [load("scenes", limit=19)])
    else:
        damage = build._DAMAGES[name](model) if name in OF_MUTANTS else _own(name)
    return Damaged(model, damage, label=text)


def _load(name: str, cache: Path) -> Any:
    from pytest_clip.models import openclip, photo_model, spec
    from pytest_clip.models.photo import PHOTO

    return photo_model.load(spec.parse(name)) if name in PHOTO else openclip.load(spec.parse(name), cache_dir=cache)


def _own(name: str) -> Damage:
    if name in ("whole", "untrained"):
        return Damage(name)
    if name in _PICTURES:
        return Damage(name, picture=_PICTURES[name])
    if name in _NORMALISED:
        mean, std = _NORMALISED[name]
        return Damage(name, inside=lambda sound: sound.with_normalization((mean,) * 3, (std,) * 3))
    if name in _IMAGES:
        return Damage(name, embed=_IMAGES[name])
    if name in _TEXTS:
        return Damage(name, embed_text=_TEXTS[name])
    kind, _, last = name.rpartition("-")
    seed = int(last) if last.isdigit() else 0
    share = int(name.rpartition("_")[2]) / 100 if name.startswith("noise_all") else 1.0
    tower = {"image_redrawn": True, "text_redrawn": False, "image_zeroed": True}.get(name)
    fresh = "noise" not in name
    change = partial(_redraw, seed=seed, share=0.0 if name == "image_zeroed" else share, fresh=fresh)
    return Damage(kind or name, {"seed": seed}, inside=lambda sound: _changed(sound, change, image=tower))


def _redraw(key: str, weight: torch.Tensor, *, seed: int, share: float, fresh: bool) -> None:
    """Noise of `share` of the tensor's size, in its place (`fresh`) or on it; vectors (biases, gains) stay."""
    if weight.ndim < 2:
        return
    draw = torch.randn(weight.shape, generator=torch.Generator().manual_seed(zlib.crc32(f"{key} {seed}".encode())))
    size = float(weight.square().mean().sqrt()) * share
    weight.copy_(draw * size if fresh else weight + draw * size)


def _changed(model: Any, change: Callable[[str, torch.Tensor], None], *, image: bool | None) -> Any:
    """The model with `change` done to a copy of the weights of its image tower, of its text tower, or (None) of both."""
    module = copy.deepcopy(model.module)
    with torch.no_grad():
        for key, weight in module.named_parameters():
            if image is None or image == key.startswith(("visual.", "image.")):
                change(key, weight)
    if hasattr(model, "_view"):
        return weights._view(model, module)
    other = copy.copy(model)
    other.module, other._made = module, None
    return other


def _with_negative(image: Image.Image) -> Image.Image:
    from PIL import ImageOps

    return ImageOps.invert(image)


def _gray_blur(image: Image.Image) -> Image.Image:
    """Eight pixels a side."""
    return image.convert("L").resize((8, 8)).resize(image.size).convert("RGB")


def _pixels_permuted(image: Image.Image) -> Image.Image:
    import numpy as np

    pixels = np.asarray(image).reshape(-1, 3)
    return Image.fromarray(pixels[np.random.default_rng(0).permutation(len(pixels))].reshape(image.height, image.width, 3))


_PICTURES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "pixels_permuted": _pixels_permuted, "negative": _with_negative, "gray_blur": _gray_blur,
    "upside_down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
}  # fmt: skip
_NORMALISED = {"not_divided": (0.0, 1 / 255), "not_centred": (0.0, 1.0)}
"""Mean and standard deviation of pixels 0 to 1: values 0 to 255, as from a loader without ToTensor, and 0 to 1, without Normalize."""


def _constant(rows: torch.Tensor) -> torch.Tensor:
    return torch.full_like(rows, rows.shape[1] ** -0.5)


def _permuted(rows: torch.Tensor) -> torch.Tensor:
    return rows[:, torch.randperm(rows.shape[1], generator=torch.Generator().manual_seed(0))]


def _other_texts(sound: Any, texts: Sequence[str]) -> torch.Tensor:
    """Each distinct text of a call is read as another one of it."""
    told = list(dict.fromkeys(texts))
    moved = dict(zip(told, [*told[7:], *told[:7]] if len(told) > 7 else told[::-1], strict=True))
    out: torch.Tensor = sound.encode_text([moved[text] for text in texts])
    return out


_IMAGES: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "image_constant": lambda sound, images: _constant(sound.encode_image(images)),
    "neighbours": lambda sound, images: sound.encode_image(images).roll(1, dims=0),
    "dimensions_permuted": lambda sound, images: _permuted(sound.encode_image(images)),
}
_TEXTS: dict[str, Callable[[Any, Sequence[str]], torch.Tensor]] = {
    "text_constant": lambda sound, texts: _constant(sound.encode_text(texts)),
    "texts_permuted": _other_texts,
}
