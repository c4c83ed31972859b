"""RTA-100 (Azuma and Matsui 2023): photographs of objects with a hand-written word, named `label=OBJECT_text=WORD.png`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from . import scam
from .captioned import fingerprint
from .found import Found, Problem, images_in, places

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "rta100"
COUNT = 1000
PAGE, LICENCE = "https://github.com/azuma164/Defense-Prefix", "no licence stated"
_NAMED = re.compile(r"label=(.+?)_text=(.+?)(?: ?\(\d+\)|_\d+)?\.[A-Za-z]+")


def detect(root: Path) -> list[Found]:
    """A folder whose pictures bear both names; the first file tells."""
    for place in places(root):
        first = next(iter(images_in(place)), None)
        if first is not None and _NAMED.fullmatch(first.name):
            return [Found(NAME, NAME, place, {"images": place})]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`word` alone: the published files have no pictures without a note."""
    return (SetInfo("word", "written", len(_files(found))),)


def problems(found: Found) -> list[Problem]:
    """Wrong counts."""
    n = len(_files(found))
    return [] if n == COUNT else [Problem("warn", f"{found.folder}: {n} pictures, RTA-100 has {COUNT}; get it from {PAGE}")]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The pictures by name; with a limit, every so manieth, because they are sorted by object."""
    import numpy as np

    from ..imageset import ImageSet

    files = _files(found)
    if limit is not None and limit < len(files):
        files = tuple(files[k * len(files) // limit] for k in range(limit))
    told, named = [_names(path) for path in files], classes(found)
    return ImageSet(
        name=name, data=found.name, role="written", ids=tuple(path.name for path in files), files=files, classes=named,
        labels=np.array([named.index(thing) for thing, _ in told], dtype=np.int64), attributes={"written": tuple(word for _, word in told)},
        fingerprint=fingerprint(files, ()),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """The names of the objects."""
    return tuple(sorted({_names(path)[0] for path in _files(found)}))


def templates(found: Found) -> tuple[str, ...]:
    """Those of SCAM, whose authors measured both alike."""
    return scam.published_templates()


def _files(found: Found) -> tuple[Path, ...]:
    folder = found.parts["images"]
    files = tuple(Path(entry.path) for entry in images_in(folder))
    for path in files:
        thing, word = _names(path)
        if thing == word:
            raise ClipError(f"{path}: object and written word are both {thing!r}, so there is no wrong answer; remove the file")
    return files


def _names(path: Path) -> tuple[str, str]:
    """The object and the written word."""
    found = _NAMED.fullmatch(path.name)
    if found is None:
        raise ClipError(f"{path}: not called label=OBJECT_text=WORD as the others are; rename or remove it")
    return found[1].replace("_", " ").strip(), found[2].replace("_", " ").strip()
