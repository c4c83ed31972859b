"""ImageNet-C and ImageNet-3DCC: KIND/SEVERITY/WNID/IMAGE.JPEG, resized and cropped to 224 pixels when they were made.

What a model of 224 pixels sees of them is the file; larger models enlarge the whole picture. A second `Resize(256)`, `CenterCrop(224)`
would cut an eighth off every side: nothing here crops. Made in memory, the same corruptions give other numbers (by points), so these data
sets have rules of their own: `[data.imagenet_c.gates."corruptions/mce"]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ...views import catalog as views
from ..imagenet import facts as imagenet
from ..imagenet.listing import listing
from ..imagenet.members import Listing
from ..imagenet.parts import locate
from ..imagenet.signs import wnid_folders
from ..imagenet.val import tree
from ..setinfo import SetInfo
from .found import Found, Problem, entries, places, subfolders

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "corrupted"
SEVERITIES = range(1, 6)
GROUPS = ("noise", "blur", "weather", "digital", "extra")
"""The archives of ImageNet-C hold folders of these names; unpacked side by side, their kinds lie one deeper."""
UNCORRUPTED = "uncorrupted"
"""The validation images, where they lie beside the corrupted ones: their error is what relative numbers subtract. `extract.corrupted` asks
for them under this name."""


@dataclass(frozen=True)
class Kind:
    """One of the two data sets."""

    kinds: tuple[str, ...]
    needed: tuple[str, ...]
    """for the mean over all kinds"""
    title: str
    page: str
    licence: str


KINDS = {
    "imagenet_c": Kind(
        views.KINDS, views.IMAGENET_C, "ImageNet-C", "https://github.com/hendrycks/robustness", "its licence is on its page"
    ),
    "imagenet_3dcc": Kind(views.KINDS_3D, views.KINDS_3D, "ImageNet-3DCC", "https://3dcommoncorruptions.epfl.ch", "CC BY-NC 4.0"),
}  # fmt: skip


def detect(root: Path) -> list[Found]:
    """Folders with a folder per kind and severity, straight in `root`, one deeper, or in the groups of ImageNet-C's archives."""
    found = []
    for name, kind in KINDS.items():
        for place in places(root):
            names = set(subfolders(place))
            if names.isdisjoint(kind.kinds) and names.isdisjoint(GROUPS):
                continue
            parts: dict[str, Path] = {}
            for each in kind.kinds:
                here = [place / each, *(place / group / each for group in GROUPS)]
                for severity in SEVERITIES:
                    path = next((p / str(severity) for p in here if (p / str(severity)).is_dir()), None)
                    if path is not None and wnid_folders(path):
                        parts[f"{each}-{severity}"] = path
            if parts:
                val = locate(root).get("val")
                found.append(Found(NAME, name, place, parts, {} if val is None else {UNCORRUPTED: val}))
                break
    return found


def sets(found: Found) -> tuple[SetInfo, ...]:
    """A set for each kind and severity, `fog-3`; those that are not there say how to get them."""
    kind = KINDS[found.name]
    out = []
    for name in (f"{each}-{severity}" for each in kind.kinds for severity in SEVERITIES):
        if name in found.parts:
            # One set is counted, of the others the class folders: 75 x 50,000 names would take minutes on a network drive.
            if missing := len(imagenet.label_of()) - len(wnid_folders(found.parts[name])):
                told = f"{missing} of the {len(imagenet.label_of())} class folders are missing"
                raise ClipError(f"{found.parts[name]}: {told}; unpack it again, or remove the folder")
            out.append(SetInfo(name, "corruption", len(_rows(found, next(iter(found.parts))).rows), imagenet=True))
        elif name.partition("-")[0] in kind.needed:
            absent = f"{found.folder} has no {name.replace('-', '/')} of {kind.title} ({kind.licence}; {kind.page})"
            out.append(SetInfo(name, "corruption", 0, imagenet=True, absent=absent))
    if UNCORRUPTED in found.memo:
        out.append(SetInfo(UNCORRUPTED, "reference", len(_clean(found).rows), imagenet=True))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """Trees that lack classes, hold another number of images than the others, or images that are not 224 pixels wide and high."""
    said, counts = [], {}
    for name, path in found.parts.items():
        try:
            counts[name] = len(_rows(found, name).rows)
        except ClipError as error:
            said.append(Problem("refuse", str(error)))
            continue
        if (size := _size(path)) not in (None, (224, 224)):
            told = f"{path}: pictures of {size} pixels, published are 224 x 224"
            said.append(Problem("warn", f"{told}; another preparation gives other numbers: use the files as they were published"))
    most = max(counts.values(), default=0)
    few = [f"{name} {n}" for name, n in counts.items() if n < most]
    if few:
        said.append(Problem("warn", f"{found.folder}: most sets have {most} images, but {', '.join(few)}; unpack them again"))
    return said


def facts(found: Found) -> dict[str, Any]:
    """Page, licence, and that classes are ImageNet's."""
    kind = KINDS[found.name]
    return {"imagenet": True, "page": kind.page, "licence": kind.licence}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """Kind and severity `name`, at most `limit` images."""
    from ..imagenet.read import image_set as read

    if name == UNCORRUPTED:  # under the name that the whole data set gives it, so that it is embedded once
        return read("clean", "clean", {"clean": _clean(found)}, data="imagenet", limit=limit)
    return read(name, "corruption", {name: _rows(found, name)}, data=found.name, limit=limit)


def classes(found: Found) -> tuple[str, ...]:
    """ImageNet's 1000."""
    from . import imagenet as family

    return family.classes(found)


def templates(found: Found) -> tuple[str, ...]:
    """OpenAI's 80 for ImageNet."""
    from . import imagenet as family

    return family.templates(found)


def _rows(found: Found, name: str) -> Listing:
    if ("rows", name) not in found.memo:
        title = f"{KINDS[found.name].title} ({name})"
        found.memo["rows", name] = Listing(found.parts[name], tree(found.parts[name], imagenet.label_of(), what=title))
    rows: Listing = found.memo["rows", name]
    return rows


def _clean(found: Found) -> Listing:
    """The validation images; of a published subset of the corrupted ones the same images."""
    val = Found(NAME, "imagenet", found.folder, {"val": found.memo[UNCORRUPTED]}, found.memo.setdefault("val", {}))
    whole = listing("clean", val)
    corrupted = {path.name for path, _ in _rows(found, next(iter(found.parts))).rows}
    rows = [(path, label) for path, label in whole.rows if path.name in corrupted]
    return whole if len(rows) == len(whole.rows) else Listing(whole.root, rows)


def _size(folder: Path) -> tuple[int, int] | None:
    """Of the first picture, from its header."""
    from PIL import Image

    first = next((entry for name in subfolders(folder) for entry in entries(folder / name)), None)
    if first is None:
        return None
    try:
        with Image.open(first.path) as picture:
            return picture.size
    except OSError:
        return None
