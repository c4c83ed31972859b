"""CounterAnimal: LAION-final/IDX NAME/{common,counter}-BACKGROUND/, animals before the background that they are mostly seen before, or not.

IDX is the label in ImageNet-1k; all 1,000 classes are asked for, as published. The two halves show other animals of the same kinds: no
image has a partner. They were chosen with a CLIP, so a gap says more of a model beside another model than by itself; backgrounds come
with viewpoints and sizes of their own there (Wang et al. 2024, arXiv 2403.11497; the objection: arXiv 2511.12978).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..imagenet import facts as imagenet
from ..imagenet.members import Listing
from ..imagenet.val import Rows
from ..setinfo import SetInfo
from .found import Found, Problem, images_in, places, subfolders

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "counteranimal"
INNER = "LAION-final"
FOLDER = re.compile(r"(?P<label>[0-9]{1,3}) (?P<name>\S.*)")
PAGE, LICENCE = "https://counteranimal.github.io", "photographs of iNaturalist under licences of their own"
HALVES = ("common", "counter")
PUBLISHED = {"common": 7_174, "counter": 5_926}
ANIMALS = 45


def detect(root: Path) -> list[Found]:
    """The folder of animals: `root`, a subfolder, or LAION-final in either."""
    for place in places(root):
        for folder in (place, place / INNER):
            if len(_animals(folder)) >= 2:
                return [Found(NAME, NAME, folder, {"animals": folder})]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`common` and `counter`; ClipError for an animal of which there is only one."""
    return tuple(SetInfo(half, "backdrop", len(_listing(found, half).rows)) for half in HALVES)


def problems(found: Found) -> list[Problem]:
    """Counts that differ from those published."""
    counts = {half: len(_listing(found, half).rows) for half in HALVES}
    animals = len(_animals(found.folder))
    if counts == PUBLISHED and animals == ANIMALS:
        return []
    told = f"{animals} animals, {counts['common']} common and {counts['counter']} counter images"
    whole = f"{ANIMALS}, {PUBLISHED['common']} and {PUBLISHED['counter']}"
    return [Problem("warn", f"{found.folder}: {told}, published are {whole}; unpack it again from {PAGE}")]


def facts(found: Found) -> dict[str, Any]:
    """Page, licence, and that classes are ImageNet's."""
    return {"imagenet": True, "page": PAGE, "licence": LICENCE}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """One of the two halves, animal by animal in turn."""
    from ..imagenet.read import image_set as read

    return read(name, "backdrop", {name: _listing(found, name)}, data=NAME, limit=limit)


def classes(found: Found) -> tuple[str, ...]:
    """ImageNet's 1000."""
    from . import imagenet as family

    return family.classes(found)


def templates(found: Found) -> tuple[str, ...]:
    """OpenAI's 80 for ImageNet."""
    from . import imagenet as family

    return family.templates(found)


def _animals(folder: Path) -> dict[str, int]:
    """Label by name of folder, of those that hold one of the two halves."""
    found = {}
    for name in subfolders(folder):
        parsed = FOLDER.fullmatch(name)
        if parsed and int(parsed["label"]) < imagenet.CLASSES and any(_halves(folder / name).values()):
            found[name] = int(parsed["label"])
    return found


def _halves(folder: Path) -> dict[str, list[Path]]:
    """The folders of each half: `common-snow`, `counter-grass`."""
    return {half: [folder / name for name in subfolders(folder) if name.partition("-")[0].lower() == half] for half in HALVES}


def _listing(found: Found, half: str) -> Listing:
    if half not in found.memo:
        rows: Rows = []
        where: list[str] = []
        for name, label in _animals(found.folder).items():
            halves = {each: [file for place in some for file in images_in(place)] for each, some in _halves(found.folder / name).items()}
            if empty := [each for each in HALVES if not halves[each]]:
                raise ClipError(
                    f"{found.folder / name}: holds no image in {empty[0]}-BACKGROUND/, so the two halves would be of different animals; "
                    f"unpack it again from {PAGE}, or remove the folder"
                )
            rows += [(Path(file.path), label) for file in halves[half]]
            where += [Path(file.path).parent.name.partition("-")[2] for file in halves[half]]
        found.memo[half] = Listing(found.folder, rows, per_row={"background": tuple(where)})
    listed: Listing = found.memo[half]
    return listed
