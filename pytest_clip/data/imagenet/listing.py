"""Which files an image set of the family holds: a member's own, or some of the validation images. Light: no picture is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ... import ClipError
from ..layouts.found import Found
from . import factors, facts, unknown
from .members import Listing, members
from .parts import PARTS
from .signs import wnid_folders

PART_OF = {name: part for part in PARTS for name, _ in part.sets}


def listing(name: str, found: Found) -> Listing:
    """The images of set `name`, read once; ClipError for a tree whose numbers would be wrong."""
    if name not in found.memo:
        found.memo[name] = _listing(name, found)
    listed: Listing = found.memo[name]
    return listed


def marks(found: Found) -> factors.Annotations:
    """ImageNet-X of a data set that has it, read once."""
    if "annotations" not in found.memo:
        found.memo["annotations"] = factors.read(found.parts["x"])
    marked: factors.Annotations = found.memo["annotations"]
    return marked


def _listing(name: str, found: Found) -> Listing:
    parts = found.parts
    if name == "overall" or name in factors.FACTORS:
        return _factor(name, found)
    if name == KNOWN_TO_O:
        return _known_to_o(found)
    if (other := parts.get(f"ood/{name}")) is not None:
        return Listing(other if other.is_dir() else unknown.data_of(other), [(path, -1) for path in unknown.files(other)])
    part = PART_OF[name]
    return members(name, part, parts[part.key])


KNOWN_TO_O = "imagenet_o_known"
"""Validation images of the 200 classes that the images of ImageNet-O are mistaken for."""


def _known_to_o(found: Found) -> Listing:
    labels = {facts.label_of()[name] for name in wnid_folders(found.parts["imagenet_o"]) if name in facts.label_of()}
    clean = listing("clean", found)
    return Listing(clean.root, [(path, label) for path, label in clean.rows if label in labels], within="clean")


def _factor(name: str, found: Found) -> Listing:
    """Validation images with this factor, or all that are annotated, joined by file name."""
    marked, parts = marks(found), found.parts
    images = listing("clean", found).rows
    chosen = set(marked.factors) if name == "overall" else marked.of(name)
    rows = [(path, label) for path, label in images if path.name in chosen]
    if len(rows) < len(chosen):
        lost = sorted(chosen - {path.name for path, _ in rows})
        raise ClipError(
            f"{marked.source}: {len(lost)} of {len(chosen)} annotated images are not in {parts['val']}, such as {lost[0]}; "
            "ImageNet-X needs all validation images under their own names"
        )
    return Listing(parts["val"], rows, within="clean")


def tidy(rows: Sequence[tuple[Path, int]]) -> list[int]:
    """The order of a set: class by class in turn, so that a limit keeps the balance. Indices into `rows`."""
    seen: dict[int, int] = {}
    turn = []
    for at, (_, label) in enumerate(rows):
        turn.append((seen.setdefault(label, 0), label, at))
        seen[label] += 1
    return [at for _, _, at in sorted(turn)]
