"""Which classes there are, and which of them each data set of the family knows. Light: two small files of this package."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CLASSES = 1000


@cache
def wnids() -> tuple[str, ...]:
    """The 1000 WordNet ids in label order, which is their sorted order."""
    return tuple((HERE / "wnids.txt").read_text("utf-8").split())


@cache
def label_of() -> dict[str, int]:
    """Label, 0..999, by WordNet id."""
    return {wnid: k for k, wnid in enumerate(wnids())}


@cache
def maps() -> dict[str, Any]:
    """The maps of `classes.json`, with their sources in it."""
    return dict(json.loads((HERE / "classes.json").read_text("utf-8")))


def groups(name: str) -> dict[str, tuple[int, ...]]:
    """By answer, in label order, the classes of ImageNet that count as it; ObjectNet's answers are folder names."""
    found = maps()[name]
    if name == "objectnet":
        return {folder: tuple(ids) for folder, (_, ids) in found.items()}
    return {answer: tuple(ids) for answer, ids in found.items()}
