"""Known answers: what public checkpoints have scored elsewhere on published data. Where they do not here, data or pipeline differ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models.protocol import ClipModel
    from .dataset import Data

SETS = {
    "imagenet": {
        "clean": "imagenet", "shift_v2_matched": "imagenetv2", "shift_a": "imagenet-a", "shift_r": "imagenet-r",
        "shift_sketch": "imagenet-sketch", "shift_objectnet": "objectnet",
    },
    "karpathy": {"flickr30k": "flickr30k", "coco": "coco"},
    "webdataset": {
        "imagenet1k": "imagenet", "imagenetv2": "imagenetv2", "imagenet-a": "imagenet-a", "imagenet-r": "imagenet-r",
        "imagenet_sketch": "imagenet-sketch", "objectnet": "objectnet", "flickr30k": "flickr30k", "mscoco_captions": "coco",
    },
}  # fmt: skip
"""By layout: the published data set that an image set (`imagenet`) or the whole of a data set (the others) is."""
WHOLE = 0.99
"""Share of the published number of images from which a set is the same; ObjectNet has been counted as 18,514 and as 18,574."""


@dataclass(frozen=True)
class Answer:
    """The published numbers of one checkpoint on one data set, by metric, on so many images."""

    values: dict[str, float]
    images: int
    source: str


def data_set(layout: str, name: str, image_set: str) -> str:
    """Which published data set an image set of a found data set is, "" for none."""
    known = SETS.get(layout, {})
    return known.get(image_set if layout == "imagenet" else name, "")


def comparable(kind: str, model: ClipModel, data: Data, image_set: str) -> tuple[Answer | None, str]:
    """What is published (`kind` top1 or recall) for this checkpoint on this image set; else None and the reason why nothing can be held
    against it."""
    facts, key = model.facts, next(each.published for each in data.sets if each.name == image_set)
    name = f"{facts.get('architecture')},{facts.get('pretrained')}"
    row = next((each for each in _table()[kind] if _same(each, facts)), None)
    if row is None or key not in row[kind]:
        return None, f"no published number of {name} on {key} is known to this version"
    if kind == "top1" and data.prompts is not None and data.prompts.name != "openai":
        return None, f"published with OpenAI's 80 templates, and this run asks with --clip-prompts={data.prompts.text}"
    whole, n = _table()["images"][key], len(data.images(image_set))
    if n < WHOLE * whole:
        return None, f"published for all {whole} images of {key}, and these are {n}"
    found = row[kind][key]
    return Answer(found if isinstance(found, dict) else {kind: found}, whole, _table()["source"]), ""


def images() -> dict[str, int]:
    """How many images each published data set has."""
    return dict(_table()["images"])


def _same(row: Any, facts: Any) -> bool:
    return _plain(row["model"]) == _plain(facts.get("architecture")) and row["pretrained"] == facts.get("pretrained")


@cache
def _table() -> Any:
    return json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def _plain(model: str | None) -> str:
    """With QuickGELU or without, one name stands for the checkpoint; which is right is a question of its own (checkpoint/activation)."""
    return (model or "").removesuffix("-quickgelu").replace("/", "-")
