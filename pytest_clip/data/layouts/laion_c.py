"""LAION-C: KIND/intensity_level_1..5/SUPERCLASS/IMAGE, 224 pixels wide as they come, answered among 16 superclasses.

As published: softmax over ImageNet's 1,000 classes, the mean over the members of each superclass, the highest of these means (as for cue
conflicts). 285 classes are members; an answer among the other 715 is none. Pictures of one kind and level are named after the picture they
were made from and the kind, so an image is the same in all sets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ...views.catalog import SEVERITIES, STORED_LAION
from ..imagenet import facts as imagenet
from ..imagenet.members import Listing
from ..imagenet.val import Rows
from ..setinfo import SetInfo
from .found import Found, Problem, images_in, places, subfolders

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "laion_c"
LEVEL = "intensity_level_"
PAGE, LICENCE = "https://zenodo.org/records/14051887", "its licence is on its page; code MIT"
MADE_BY = re.compile(r"_(glitched|mosaic|stickers?|vertical_lines|geometric_shapes|luminance(_checkerboard)?)_[1-5]$")
"""What the published files add to the names of the pictures that they were made from."""


def superclasses() -> dict[str, tuple[int, ...]]:
    """By name, in order, the classes of ImageNet that are its members."""
    return imagenet.groups(NAME)


def detect(root: Path) -> list[Found]:
    """Folders with a folder per kind and level, straight in `root` or one deeper."""
    for place in places(root):
        here = subfolders(place)  # first: of 1,000 class folders each would be asked for 30 paths
        kinds = [kind for kind in STORED_LAION if kind in here]
        parts = {f"{kind}-{s}": path for kind in kinds for s in SEVERITIES if _holds(path := place / kind / f"{LEVEL}{s}")}
        if parts:
            return [Found(NAME, NAME, place, parts)]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """A set for each kind and level, `stickers-3`; ClipError for one that lacks a superclass."""
    out = []
    for name in (f"{kind}-{severity}" for kind in STORED_LAION for severity in SEVERITIES):
        if name in found.parts:
            out.append(SetInfo(name, "corruption", len(_listing(found, name).rows)))
        else:
            where = f"{name.partition('-')[0]}/{LEVEL}{name[-1]}"
            out.append(SetInfo(name, "corruption", 0, absent=f"{found.folder} has no {where} of LAION-C ({LICENCE}; {PAGE})"))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """Sets that lack superclasses, or hold another number of images than the others."""
    said, counts = [], {}
    for name in found.parts:
        try:
            counts[name] = len(_listing(found, name).rows)
        except ClipError as error:  # noqa: PERF203 - of several wrong sets all are told
            said.append(Problem("refuse", str(error)))
    most = max(counts.values(), default=0)
    if few := [f"{name} {n}" for name, n in counts.items() if n < most]:
        said.append(Problem("warn", f"{found.folder}: most sets have {most} images, but {', '.join(few)}; unpack them again"))
    return said


def facts(found: Found) -> dict[str, Any]:
    """Page, licence, and that classes are ImageNet's."""
    return {"imagenet": True, "page": PAGE, "licence": LICENCE}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """Kind and level `name`, superclass by superclass in turn."""
    from ..imagenet.read import image_set as read

    made = read(name, "corruption", {name: _listing(found, name)}, data=NAME, limit=limit)
    return replace(made, ids=tuple(_source(Path(each)) for each in made.ids))


def classes(found: Found) -> tuple[str, ...]:
    """ImageNet's 1000, which are asked for."""
    from . import imagenet as family

    return family.classes(found)


def templates(found: Found) -> tuple[str, ...]:
    """OpenAI's 80 for ImageNet."""
    from . import imagenet as family

    return family.templates(found)


def _holds(folder: Path) -> bool:
    return not set(subfolders(folder)).isdisjoint(superclasses())


def _source(path: Path) -> str:
    """The picture that a file was made from: `dog/0001`."""
    return str(path.parent / MADE_BY.sub("", path.stem))


def _listing(found: Found, name: str) -> Listing:
    if name not in found.memo:
        folder, groups = found.parts[name], superclasses()
        rows: Rows = []
        for label, superclass in enumerate(groups):
            files = sorted((Path(entry.path) for entry in images_in(folder / superclass)), key=_source)
            if not files:
                there = sum(next(images_in(folder / each), None) is not None for each in groups)
                raise ClipError(
                    f"{folder}: {there} of the {len(groups)} superclasses of LAION-C hold images, {superclass} has none; unpack it again, "
                    "or remove the folder"
                )
            rows += [(file, label) for file in files]
        found.memo[name] = Listing(folder, rows, tuple(groups), {"merge": "mean", "members": tuple(groups.values())})
    listed: Listing = found.memo[name]
    return listed
