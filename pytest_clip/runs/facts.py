"""What is known of the images behind outcomes, by their ids: class and attributes, to say what those that went wrong have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: A fact with more values than this groups nothing: captions, file names, angles.
MOST_VALUES = 60
CLASS = "class"


def of(data: Any, ids: Sequence[str], *, prefer: str | None = None) -> dict[str, tuple[str, ...]]:
    """``{"class": (...), "colour": (...)}``, each as long as `ids`; empty when they are not the images of one set of `data`.

    `prefer` is the set to look in first: two sets of a folder may hold files of the same name.
    """
    if not ids or not hasattr(data, "images"):
        return {}
    names = [each.name for each in getattr(data, "sets", ())]
    for name in sorted(names, key=lambda name: (name != prefer, name != "clean")):
        images = data.images(name)
        place = {image: row for row, image in enumerate(images.ids)}
        if all(image in place for image in ids):
            return _facts(images, [place[image] for image in ids])
    return {}


def _facts(images: Any, rows: Sequence[int]) -> dict[str, tuple[str, ...]]:
    found = {}
    if all(label >= 0 for label in images.labels[list(rows)]):
        found[CLASS] = tuple(images.classes[images.labels[row]] for row in rows)
    for name, values in images.attributes.items():
        if 1 < len(set(values)) <= MOST_VALUES:
            found[name] = tuple(str(values[row]) for row in rows)
    return found
