"""What a layout says about a folder. Light: only names are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm")


@dataclass(frozen=True)
class Found:
    """A data set that a layout recognises."""

    layout: str
    """the module in `pytest_clip.data.layouts` that reads it"""
    name: str
    """what node ids, reports and thresholds call it: `imagenet`, `flickr30k`, or the folder's name for the user's own"""
    folder: Path
    """where it was looked for"""
    parts: Mapping[str, Path] = field(default_factory=dict)
    """where its pieces lie, by names of the layout's own; no other layout gets these paths"""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """what its layout has read of it already"""

    @property
    def claims(self) -> tuple[Path, ...]:
        """Paths that belong to it."""
        return tuple(self.parts.values()) or (self.folder,)


@dataclass(frozen=True)
class Problem:
    """Something the doctor has to say: `refuse` stops a run before a model loads, `warn` is printed, `note` only by the doctor."""

    level: Literal["refuse", "warn", "note"]
    what: str
    """what; where; the command or edit that puts it right"""


def places(root: Path) -> list[Path]:
    """The folder itself and its direct subfolders, sorted by name; hidden ones are passed over."""
    return [root, *(Path(entry.path) for entry in entries(root) if entry.is_dir())]


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted by name, hidden ones passed over; nothing where there is no folder."""
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError:
        return []


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in it."""
    return [entry.name for entry in entries(folder) if entry.is_dir()]


def images_in(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The image files directly in a folder, sorted by name. By suffix: nothing is opened."""
    return (entry for entry in entries(folder) if entry.name.lower().endswith(IMAGE_SUFFIXES) and entry.is_file())


def count(folder: Path) -> int:
    """How many image files lie directly in it."""
    return sum(1 for _ in images_in(folder))
