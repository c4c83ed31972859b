"""SugarCrepe++ (Dumpala et al. 2024): pictures of COCO's val2017, each with two true captions and one false in one fact."""

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

NAME = "sugarcrepepp"
COUNTS = {"replace_att": 788, "replace_obj": 1652, "replace_rel": 1406, "swap_att": 666, "swap_obj": 245}
"""Rows by kind, 4,757 in all; the files bear the names of five of SugarCrepe's seven, and only the key caption2 tells them apart."""
FIELDS = ("filename", "caption", "caption2", "negative_caption")
FOLDERS = ("val2017", "images", "images/val2017", "coco/val2017", "VLMs/images", "")
PAGE, LICENCE = "https://github.com/Sri-Harsha/scpp", "CC BY 4.0; pictures: COCO val2017, https://cocodataset.org/#download"

Row = tuple[str, str, str, str, str]
"""Number, picture, two true captions, a false one."""


def detect(root: Path) -> list[Found]:
    """A folder with at least three of the five files, which name a second caption."""
    for folder in (each for place in places(root) for each in (place, place / "data", place / "VLMs" / "data")):
        there = {kind: path for kind in COUNTS if (path := folder / f"{kind}.json").is_file() and mentions(path, '"caption2"')}
        if len(there) >= 3:
            return [Found(NAME, NAME, folder, there)]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """One set of role `triples` for each kind, named by it."""
    out = []
    for kind in COUNTS:
        if kind not in found.parts:
            path = found.folder / f"{kind}.json"
            told = f"{path} is missing or names no second caption; get it from {PAGE} ({LICENCE})"
            out.append(SetInfo(kind, "triples", 0, labelled=False, captions=True, absent=told))
            continue
        rows = _rows(found.parts[kind])
        _files(found, kind, rows)
        out.append(SetInfo(kind, "triples", len(rows), labelled=False, captions=True))
    return tuple(out)


def problems(found: Found) -> list[Problem]:
    """Wrong counts; rows that nobody can answer, of which the published files have some."""
    said = []
    for kind, path in found.parts.items():
        rows = _rows(path)
        if len(rows) != COUNTS[kind]:
            said.append(Problem("warn", f"{path}: {len(rows)} rows, SugarCrepe++ has {COUNTS[kind]}; fetch it again from {PAGE}"))
        if lost := [row[0] for row in rows if row[4] in row[2:4]]:
            some = ", ".join(lost[:3])
            said.append(
                Problem("note", f"{path}: {len(lost)} rows have a true caption for their false one (id {some}); they count as wrong")
            )
    return said


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The pictures of one kind in the order of its file."""
    import numpy as np

    from ..imageset import ImageSet

    rows = _rows(found.parts[name])[:limit]
    files = _files(found, name, rows)
    return ImageSet(
        name=name, data=found.name, role="triples", ids=tuple(f"{number}/{picture}" for number, picture, *_ in rows), files=files,
        labels=np.full(len(rows), -1), classes=(), fingerprint=fingerprint(files, ("\n".join(row[2:]) for row in rows)),
        captions=tuple(row[2] for row in rows), triples={name: tuple((row[3], row[4]) for row in rows)},
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """Captions need none."""
    return ()


def _files(found: Found, kind: str, rows: tuple[Row, ...]) -> tuple[Path, ...]:
    names = [row[1] for row in rows]
    looked = [base / folder for base in (found.folder, found.folder.parent) for folder in FOLDERS]
    get = f"get COCO's val2017 from https://cocodataset.org/#download and put it into {found.folder / FOLDERS[0]}"
    return present(names, folder_of(names, looked), listed_in=found.parts[kind], looked_in=looked[: len(FOLDERS)], get=get)


@cache
def _rows(path: Path) -> tuple[Row, ...]:
    told, out = read_json(path), []
    if not isinstance(told, list) or not told:
        raise ClipError(f"{path}: not in SugarCrepe++'s form (a list of rows with {', '.join(FIELDS)}); fetch it from {PAGE}")
    for at, each in enumerate(told):
        try:
            name, first, second, false = (str(each[field]).strip() for field in FIELDS)
            out.append((str(each.get("id", at)), name, first, second, false))
        except (KeyError, TypeError, AttributeError) as error:
            raise ClipError(f"{path}: row {at} lacks {error}; fetch the file again from {PAGE}") from None
        if not all(out[-1][2:]):
            raise ClipError(f"{path}: row {at} has an empty caption; fetch the file again from {PAGE}")
    if len({row[0] for row in out}) < len(out):
        raise ClipError(f"{path}: some id stands twice; fetch the file again from {PAGE}")
    return tuple(out)
