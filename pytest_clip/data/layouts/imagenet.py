"""The ImageNet family as one data set: validation images as `clean`, and whichever of its shifts, factors, cues and OOD sets are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ... import ClipError
from ..imagenet import factors, unknown
from ..imagenet.listing import KNOWN_TO_O, listing, marks
from ..imagenet.members import Listing
from ..imagenet.parts import PARTS, WRAPPERS, Part, X, locate
from ..imagenet.signs import wnid_folders
from ..setinfo import Role, SetInfo
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "imagenet"
LINES = {
    "shift_v2_matched": "imagenetv2-matched-frequency", "shift_v2_threshold": "imagenetv2-threshold-0.7",
    "shift_v2_top": "imagenetv2-top-images", "shift_sketch": "imagenet-sketch", "shift_r": "imagenet-r", "shift_a": "imagenet-a",
    "shift_objectnet": "objectnet", "shift_vid": "imagenet-vid-robust-pm0", "shift_ytbb": "ytbb-robust-pm0",
}  # fmt: skip
"""What accuracy on a shift is expected from that on the whole validation set: names in `metrics.effective_robustness`."""


def detect(root: Path) -> list[Found]:
    """Whatever of the family lies in `root`; a folder that only has annotations or unknown images is none of it."""
    parts = dict(locate(root))
    if not set(parts) - {"x"}:
        return []
    if "x" not in parts and "val" in parts and (installed := factors.installed()) is not None:
        parts["x"] = installed
    taken = set(parts.values())
    for place in (root, *(place for place in places(root)[1:] if place.name.lower() in WRAPPERS)):
        others = unknown.named(place / "ood") if (place / "ood").is_dir() else {}
        parts |= {f"ood/{name}": path for name, path in others.items() if path not in taken and f"ood/{name}" not in parts}
    parts |= {f"ood/{name}": path for name, path in unknown.lists(root).items()}
    return [Found(NAME, NAME, root, parts)]


def sets(found: Found) -> tuple[SetInfo, ...]:
    """All sets of the family; those that are not there say how to get them."""
    return tuple(_sets(found))


def _sets(found: Found) -> Iterator[SetInfo]:
    for part in PARTS:
        if part.key == "cue":
            yield from _factors(found)
        for name, role in part.sets:
            if part.key not in found.parts:
                yield SetInfo(name, cast(Role, role), 0, imagenet=_whole(name), line=LINES.get(name, ""), absent=_absent(part, found))
                continue
            n = len(listing(name, found).rows)
            if n or role == "clean":
                yield SetInfo(name, cast(Role, role), n, imagenet=_whole(name), line=LINES.get(name, ""))
    if "val" in found.parts and "imagenet_o" in found.parts:
        yield SetInfo(KNOWN_TO_O, "reference", len(listing(KNOWN_TO_O, found).rows), within="clean")
    for key in found.parts:
        if key.startswith("ood/"):
            name = key.removeprefix("ood/")
            yield SetInfo(name, "ood", len(listing(name, found).rows))


def _factors(found: Found) -> Iterator[SetInfo]:
    if "val" not in found.parts or "x" not in found.parts:
        title, lacks = ("ImageNet-X", X) if "val" in found.parts else ("the validation images", PARTS[0])
        lacking = f"needs {title}: {_absent(lacks, found)}"
        yield SetInfo("overall", "overall", 0, absent=lacking)
        yield from (SetInfo(name, "factor", 0, absent=lacking) for name in factors.TEN)
        return
    marked = marks(found)
    published = marked.kind == "top" and marked.prototypes
    yield SetInfo("overall", "overall", len(marked.factors), within="clean")
    for name in factors.FACTORS:
        if n := len(marked.of(name)):
            line = f"imagenet-x/{name}" if published and name in factors.TEN else ""
            yield SetInfo(name, "factor", n, line=line, within="clean")


def _whole(name: str) -> bool:
    return name == "clean"


def _absent(part: Part, found: Found) -> str:
    return f"{found.folder} has none: {part.get}"


def problems(found: Found) -> list[Problem]:
    """What is wrong, and counts that differ from those published."""
    said = []
    for part in PARTS:
        if part.key not in found.parts:
            continue
        folder = found.parts[part.key]
        try:
            n = len({path for name, _ in part.sets for path, _ in listing(name, found).rows})
        except ClipError as error:
            said.append(Problem("refuse", str(error)))
            continue
        if part.key not in ("objectnet", "vid", "ytbb") and part.images and n != part.images:
            classes = f" in {len(wnid_folders(folder))} class folders" if wnid_folders(folder) else ""
            said.append(Problem("warn", f"{folder}: {n} images{classes}, {part.title} has {part.images}; unpack it again from {part.page}"))
        if part.key == "objectnet" and not 18_000 <= n <= 19_000:
            said.append(
                Problem(
                    "warn", f"{folder}: {n} images in the 113 folders shared with ImageNet; others counted 18,514 and 18,574: is it whole?"
                )
            )
    if "x" in found.parts and "val" in found.parts and not any(each.level == "refuse" for each in said):
        marked = marks(found)
        if not marked.prototypes:
            told = "no prototypical_paths.csv beside it: its 3,000 prototypes stay in, and numbers differ from those published"
            said.append(Problem("warn", f"{marked.source}: {told}; copy that file of imagenet-x, too"))
    return said


def facts(found: Found) -> dict[str, Any]:
    """Pages and licences of what is there; ImageNet's classes; which annotations of ImageNet-X are used."""
    there = [part for part in (*PARTS, X) if part.key in found.parts]
    told: dict[str, Any] = {"imagenet": True, "page": {p.key: p.page for p in there}, "licence": {p.key: p.licence for p in there}}
    if "x" in found.parts and "val" in found.parts:
        marked = marks(found)
        told["imagenet_x"] = {
            "factor": marked.kind,
            "prototypes": "left out" if marked.prototypes else "kept",
            "images": len(marked.factors),
        }
    return told


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The set `name`, at most `limit` images of it: class by class in turn."""
    from ..imagenet.read import image_set as read

    roles = (
        {n: role for part in PARTS for n, role in part.sets}
        | {"overall": "overall", KNOWN_TO_O: "reference"}
        | dict.fromkeys(factors.FACTORS, "factor")
    )
    within = listing(name, found).within
    whole: Mapping[str, Listing] = {each: listing(each, found) for each in (name, within) if each is not None}
    made = read(name, roles.get(name, "ood"), whole, data=NAME, limit=limit)
    return replace(made, known=KNOWN_TO_O) if name == "imagenet_o" and "val" in found.parts else made


def classes(found: Found) -> tuple[str, ...]:
    """The 1000 class names that zero-shot CLIP models are asked with, as open_clip has them."""
    del found
    from ..imagenet.read import class_names

    return class_names()


def templates(found: Found) -> tuple[str, ...]:
    """OpenAI's 80 templates for ImageNet."""
    del found
    from ..prompts import find

    return find("openai", base=Path()).templates
