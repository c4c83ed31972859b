"""The rows of `pytest-clip models`, without importing torch or open_clip."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_clip.models import bundled
from pytest_clip.models.photo import PHOTO, missing
from pytest_clip.models.tags import DEFAULT_TAGS

KINDS = (
    ("NAME,TAG  NAME,PATH", "open_clip: embeds images and texts; published weights or a checkpoint"),
    ("FILE.json,PATH", "open_clip: a model configuration of your own, and a checkpoint"),
    ("run:DIR  run:DIR,EPOCH  run:DIR,all", "open_clip: the newest, one or every epoch of a run of its trainer (open_clip_train)"),
    ("hf-hub:ORG/REPO", "open_clip: a repository of the Hugging Face hub"),
    ("local-dir:DIR  local-dir:DIR,FILE", "open_clip: a folder like one, with its weights or those of a file"),
    ("hf:PATH-or-ID", "transformers: CLIP, SigLIP, SigLIP 2, AltCLIP, Chinese-CLIP, ALIGN; PATH may hold an adapter of PEFT"),
    ("timm:NAME  timm:NAME,PATH", "timm: scores classes; published weights or a checkpoint of train.py, --clip-classes=FILE names them"),
    ("wise:BASE::TUNED::ALPHA", "WiSE-FT: weights between those of two open_clip models of one shape"),
)
"""What --clip-model takes besides names, and what it is."""


@dataclass(frozen=True)
class Row:
    """One model that can be written after --clip-model; `pretrained` is what its bare name loads, None if a tag must be given."""

    name: str
    kind: str
    pretrained: str | None
    record: dict[str, Any] = field(default_factory=dict)


def describe() -> list[Row]:
    """The bundled models with their training records, those trained on photographs, then open_clip's architectures with the tag that a
    bare name stands for."""
    shipped = [Row(name, "bundled", "bundled", bundled.record(name)) for name in bundled.names()]
    photos = [Row(name, "photo", each.package, {"what": missing(name) or each.what}) for name, each in PHOTO.items()]
    return shipped + photos + [Row(name, "open_clip", DEFAULT_TAGS.get(name)) for name in architectures()]


def architectures() -> list[str]:
    """open_clip's architectures, from the files that define them."""
    package = find_spec("open_clip")
    folders = [Path(place) / "model_configs" for place in (package.submodule_search_locations or ())] if package else []
    return sorted((file.stem for folder in folders for file in folder.glob("*.json")), key=_natural)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
