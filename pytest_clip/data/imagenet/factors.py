"""The annotations of ImageNet-X: which factor makes an image differ from its class. From the user's copy or the installed `imagenet-x`."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ... import ClipError
from .signs import X_PLACES

FACTORS = (
    "pose", "background", "pattern", "color", "smaller", "shape", "partial_view", "subcategory", "texture", "larger", "darker",
    "object_blocking", "person_blocking", "style", "brighter", "multiple_objects",
)  # fmt: skip
"""In the order of the publication; studies use the first ten, the others have 40 to 122 images."""
TEN = FACTORS[:10]


@dataclass(frozen=True)
class Annotations:
    """By file name, the factors that are marked."""

    kind: Literal["top", "multi"]
    """the one most prominent factor of an image, or all that are active"""
    factors: dict[str, tuple[str, ...]]
    prototypes: bool
    """whether the three prototypes of each class, which annotators compared with, are left out"""
    source: Path

    def of(self, factor: str) -> set[str]:
        """Names of the files with this factor."""
        return {name for name, marked in self.factors.items() if factor in marked}


def installed() -> Path | None:
    """The annotations of the distribution `imagenet-x`, found without importing it."""
    spec = find_spec("imagenet_x")
    places = [Path(place) / "annotations" for place in (spec.submodule_search_locations or [])] if spec is not None else []
    return next((place for place in places if (place / "imagenet_x_val_top_factor.jsonl").is_file()), None)


def read(folder: Path) -> Annotations:
    """Annotations of the validation images: of the top factor where both kinds lie there. ClipError names a line that is wrong."""
    place = next(p for p in (folder / each for each in X_PLACES) if any(p.glob("imagenet_x_val_*_factor.jsonl")))
    top, multi = (place / f"imagenet_x_val_{kind}_factor.jsonl" for kind in ("top", "multi"))
    path = top if top.is_file() else multi
    marked: dict[str, tuple[str, ...]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                marked[str(row["file_name"])] = tuple(factor for factor in FACTORS if row[factor] == 1)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ClipError(f"{path}:{number}: not a line of ImageNet-X ({error}); use the file as it was published") from None
    prototypes = place / "prototypical_paths.csv"
    if prototypes.is_file():
        with prototypes.open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                marked.pop(row["file_name"], None)
    return Annotations("top" if path == top else "multi", marked, prototypes.is_file(), path)
