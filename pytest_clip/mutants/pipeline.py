"""Damages on the way to the model and back: pictures, texts, embeddings and the scale of the logits."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.mutants.damaged import Damage
from pytest_clip.mutants.inapplicable import InapplicableError

if TYPE_CHECKING:
    import PIL.Image
    import torch

    from pytest_clip.data import Data

WORDS = 6
"""What a context of eight tokens holds besides its start and its end."""
QUALITY = 10
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
OPENAI = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


def wrong_mean_std(model: Any) -> Damage:
    """Mean and std 0.5, the habit of Inception and of SigLIP; for a model that has it, OpenAI's."""
    if not hasattr(model, "with_normalization"):
        raise InapplicableError(f"{model.label} has no with_normalization: its mean and std cannot be changed")
    config = model.preprocess_config
    mean, std = OPENAI if tuple(config["mean"]) == HALF[0] and tuple(config["std"]) == HALF[1] else HALF
    return Damage("wrong_mean_std", {"mean": mean, "std": std}, inside=lambda sound: sound.with_normalization(mean, std))


def bgr(model: Any) -> Damage:
    del model

    def swapped(image: PIL.Image.Image) -> PIL.Image.Image:
        from PIL import Image

        return Image.merge("RGB", image.split()[::-1])

    return Damage("bgr", picture=swapped)


def unnormalised(model: Any) -> Damage:
    """What the towers themselves return."""
    if not (hasattr(getattr(model, "module", None), "encode_image") and hasattr(model, "tokenize")):
        raise InapplicableError(f"{model.label} has no open_clip module that could be asked for embeddings before they are normalised")

    def images(sound: Any, batch: torch.Tensor) -> torch.Tensor:
        import torch

        from pytest_clip.models.forward import DTYPES, mixed

        with torch.inference_mode(), mixed(sound.precision, sound.device):
            out = sound.module.encode_image(batch.to(sound.device, DTYPES[sound.precision]), normalize=False)
        return out.float().cpu().clone()  # type: ignore[no-any-return]

    def texts(sound: Any, asked: Sequence[str]) -> torch.Tensor:
        import torch

        from pytest_clip.models.forward import mixed

        with torch.inference_mode(), mixed(sound.precision, sound.device):
            chunks = torch.split(sound.tokenize(asked), 256)
            return torch.cat([sound.module.encode_text(some.to(sound.device), normalize=False).float().cpu() for some in chunks]).clone()

    return Damage("unnormalised", embed=images, embed_text=texts)


def logit_scale_double(model: Any) -> Damage:
    del model
    return Damage("logit_scale_double", {"factor": 2.0}, scale=2.0)


def logit_scale_half(model: Any) -> Damage:
    del model
    return Damage("logit_scale_half", {"factor": 0.5}, scale=0.5)


def text_truncated(model: Any) -> Damage:
    del model
    return Damage("text_truncated", {"words": WORDS}, text=lambda text: " ".join(text.split()[:WORDS]))


def squashed(model: Any) -> Damage:
    height, width = model.image_size

    def squeezed(image: PIL.Image.Image) -> PIL.Image.Image:
        from PIL import Image

        return image.resize((width, height), Image.Resampling.BICUBIC)

    return Damage("squashed", {"size": [height, width]}, picture=squeezed)


def jpeg_10(model: Any) -> Damage:
    del model

    def saved_again(image: PIL.Image.Image) -> PIL.Image.Image:
        from PIL import Image

        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITY)
        return Image.open(file).convert("RGB")

    return Damage("jpeg_10", {"quality": QUALITY}, picture=saved_again)


def labels_rotated(model: Any, data: Sequence[Data]) -> Damage:
    """Prompts ask for the next class; other texts, such as captions, stay as they are.

    A prompt is recognised by its words, whatever the case and the spaces, among all prompts that the data sets' templates and the prompt
    families make.
    """
    del model
    asked: dict[str, str] = {}
    for each in data:
        for template in _templates(each):
            asked |= {key: text for key, text in _rotated(template, each.classes).items() if key not in asked}
    classes = [list(each.classes) for each in data]
    return Damage("labels_rotated", {"classes": classes}, text=lambda text: asked.get(_plain(text), text))


def _templates(data: Data) -> list[str]:
    families = [data.prompt_sets(name) for name in ("templates", "paraphrases", "formats")]
    return list(dict.fromkeys([*data.templates, *(template for family in families for some in family.values() for template in some)]))


def _rotated(template: str, classes: Sequence[str]) -> Mapping[str, str]:
    from pytest_clip.data.prompts import fill

    return {_plain(fill(template, name)): fill(template, after) for name, after in zip(classes, [*classes[1:], *classes[:1]], strict=True)}


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
