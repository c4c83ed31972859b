"""Kinds of dual encoders of transformers, by what a folder of `save_pretrained` says of itself. Light: no library is imported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_clip import ClipError

CONFIG, ADAPTER = "config.json", "adapter_config.json"
_LARGEST, _MOST_LAYERS, _SHOWN = 16 << 20, 1000, 4


@dataclass(frozen=True)
class Family:
    """A kind of dual encoder of transformers."""

    model: str
    """its class"""
    images: str
    """the image processor that goes with it"""
    sigmoid: bool = False
    """trained pair by pair: texts are padded to their full length, as in training"""
    class_token: bool = True
    """before the patches of the image tower"""
    text_length: int | None = None
    """what its processor pads texts to, where that is not what its configuration could take"""
    tower: str = "vit"
    """of images, as the factor `family` has it"""
    pools: str = "first"
    """which token a text is read from: the `first`, that of the `end`, or `any`"""


FAMILIES = {
    "clip": Family("CLIPModel", "CLIPImageProcessor", pools="end"),
    "siglip": Family("SiglipModel", "SiglipImageProcessor", sigmoid=True, class_token=False, pools="any"),
    "siglip2": Family("Siglip2Model", "Siglip2ImageProcessor", sigmoid=True, class_token=False, pools="any"),
    "altclip": Family("AltCLIPModel", "CLIPImageProcessor"),
    "chinese_clip": Family("ChineseCLIPModel", "ChineseCLIPImageProcessor"),
    "align": Family("AlignModel", "EfficientNetImageProcessor", class_token=False, text_length=64, tower="efficientnet"),
}
"""By the `model_type` of their config.json."""
TAKEN = f"hf: takes {', '.join(each.model for each in FAMILIES.values())}"


def family_of(folder: Path) -> Family:
    """The kind of model in `folder`; ClipError says what else it is, or where to look."""
    file = folder / CONFIG
    if not file.is_file():
        raise ClipError(_without_config(folder))
    said = read_json(file)
    kind, built = str(said.get("model_type")), said.get("architectures")
    names = [str(each) for each in built] if isinstance(built, list) else []
    family = FAMILIES.get(kind)
    if family is None or (names and family.model not in names):
        raise ClipError(f"{file} is of a {', '.join(names) or kind}, {_otherwise(kind, names)}; {TAKEN}")
    if said.get("quantization_config"):
        raise ClipError(f"{file} is of quantised weights (quantization_config), which are not measured; save the model unquantised")
    for key, number in _layers(said):
        if number > _MOST_LAYERS:
            raise ClipError(
                f"{file}: {key} is {number}, and no model has more than {_MOST_LAYERS} layers; correct it or copy the file again"
            )
    return family


def _otherwise(kind: str, names: list[str]) -> str:
    """What a model of another kind does."""
    whole = " ".join([kind, *names])
    if re.search(r"ForConditionalGeneration|ForCausalLM|LMHead|llava|blip", whole, re.IGNORECASE):
        return "which writes text and has no embeddings of pictures and texts to compare"
    if re.search(r"Classification|Detection|Segmentation", whole):
        return "which scores classes or places (class scores are measured with timm:) and embeds no texts"
    if re.search(r"vision|vit|dino|swin|convnext|resnet|beit|deit|efficientnet", whole, re.IGNORECASE):
        return "which sees pictures and knows no texts; name the folder of the whole model"
    if re.search(r"text|bert|mpnet|gpt|t5|bloom|electra", whole, re.IGNORECASE):
        return "which reads texts and sees no pictures; name the folder of the whole model"
    return "which is not known here"


def _without_config(folder: Path) -> str:
    if (folder / "open_clip_config.json").is_file():
        return f"{folder} is a folder of open_clip (open_clip_config.json); write --clip-model=local-dir:{folder}"
    inside = {each.parent for name in (CONFIG, ADAPTER) for each in folder.glob(f"*/{name}")}
    if inside:
        newest = sorted(inside, key=lambda each: ([int(number) for number in re.findall(r"\d+", each.name)], each.name))[::-1]
        names = ", ".join(each.name for each in newest[:_SHOWN]) + (", ..." if len(newest) > _SHOWN else "")
        return f"{folder} has no {CONFIG}, but there is one in {names}; name it: hf:{newest[0]}"
    return f"{folder} has no {CONFIG}; write a folder of save_pretrained"


def _layers(said: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in said.items():
        if isinstance(value, Mapping):
            yield from _layers(value)
        elif "layers" in key and isinstance(value, int | float) and not isinstance(value, bool):
            yield key, value


def read_json(file: Path) -> dict[str, Any]:
    """An object of JSON; ClipError for anything else."""
    try:
        if file.stat().st_size > _LARGEST:
            raise ClipError(f"{file} has {file.stat().st_size >> 20} MB, which is no configuration; copy it again")
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ClipError(f"{file} is not readable as JSON ({error}); copy it again") from error
    if not isinstance(said, dict):
        raise ClipError(f"{file} holds a {type(said).__name__} where an object of JSON should be; copy it again")
    return said
