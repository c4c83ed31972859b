"""SugarCrepe (Hsieh et al. 2023): pictures of COCO's val2017, each with a true caption and one that is false in one fact, by kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .captioned import fingerprint, folder_of, mentions, present, read_json
from .found import Found, Problem, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "sugarcrepe"
KINDS = ("add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj")
FOLDERS = ("val2017", "images", "images/val2017", "coco/val2017", "")
PAGE, LICENCE = "https://github.com/RAIVNLab/sugar-crepe", "MIT; pictures: COCO val2017, https://cocodataset.org/#download"


def detect(root: Path) -> list[Found]:
    """A folder with at least three of the seven files: two names alone could be anything. Those of SugarCrepe++ name a second caption."""
    for folder in (each for place in places(root) for each in (place, place / "data")):
        there = {kind: folder / f"{kind}.json" for kind in KINDS if (folder / f"{kind}.json").is_file()}
        if len(there) >= 3 and not all(mentions(path, '"caption2"') for path in there.values()):
            return [Found(NAME, NAME, folder, there)]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set of role `pairs` for each kind, named by it."""
    out = []
    for kind in KINDS:
        if kind not in found.parts:
            path = found.folder / f"{kind}.json"
            out.append(
                SetInfo(kind, "pairs", 0, labelled=False, captions=True, absent=f"{path} is missing; get it from {PAGE} ({LICENCE})")
            )
            continue
        told = _told(found.parts[kind])
        _files(found, kind, told)
        out.append(SetInfo(kind, "pairs", len(told), labelled=False, captions=True))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """Nothing but what `sets` refuses."""
    del found
    return []


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The pictures of one kind in the order of its file, which has gaps in its numbers."""
    import numpy as np

    from ..imageset import ImageSet

    told = _told(found.parts[name])[:limit]
    files = _files(found, name, told)
    return ImageSet(
        name=name, data=found.name, role="pairs", ids=tuple(f"{number}/{picture}" for number, picture, _, _ in told), files=files,
        labels=np.full(len(told), -1), classes=(), fingerprint=fingerprint(files, (f"{true}\n{false}" for _, _, true, false in told)),
        captions=tuple(true for _, _, true, _ in told), foils={name: tuple(false for _, _, _, false in told)},
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Captions need none."""
    return ()


def _files(found: Found, kind: str, told: tuple[tuple[str, str, str, str], ...]) -> tuple[Path, ...]:
    names = [picture for _, picture, _, _ in told]
    looked = [base / folder for base in (found.folder, found.folder.parent) for folder in FOLDERS]
    get = f"get COCO's val2017 from https://cocodataset.org/#download and put it into {found.folder / FOLDERS[0]}"
    return present(names, folder_of(names, looked), listed_in=found.parts[kind], looked_in=looked[: len(FOLDERS)], get=get)


@cache
def _told(path: Path) -> tuple[tuple[str, str, str, str], ...]:
    """Number, picture, true and false caption."""
    told, out = read_json(path), []
    if not isinstance(told, dict) or not told:
        raise ClipError(
            f"{path}: not in SugarCrepe's form (one object, number -> filename, caption, negative_caption); fetch it from {PAGE}"
        )
    for number, each in told.items():
        try:
            row = str(number), str(each["filename"]), str(each["caption"]), str(each["negative_caption"])
        except (KeyError, TypeError) as error:
            raise ClipError(f"{path}: entry {number} lacks {error}; fetch the file again from {PAGE}") from None
        if row[2] == row[3]:
            raise ClipError(f"{path}: entry {number} has the same text as true and as false caption; fetch the file again from {PAGE}")
        out.append(row)
    return tuple(out)
