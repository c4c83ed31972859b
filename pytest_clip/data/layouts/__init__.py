"""Known layouts of data on disk, one module each; `find` says which of them a folder holds.

A layout is a module of this package with

    NAME                                     its name, that of the module
    detect(root) -> list[Found]              what of it lies in root or directly below; looks at names only, cheap, decodes nothing
    sets(found) -> tuple[SetInfo, ...]       its image sets; those that are not there have `absent`, which says where to get them;
                                             ClipError for a tree whose numbers would be wrong
    problems(found) -> list[Problem]         for the doctor, besides what `sets` refuses: counts, what looks odd; `problems` below asks both
    facts(found) -> dict                     what reports and suites may ask: `page`, `licence`, `imagenet` (whether classes are its 1000)

and, importing what is heavy only when called,

    image_set(found, name, *, limit) -> ImageSet
    classes(found) -> tuple[str, ...]        class names in label order, () for data without classes
    templates(found) -> tuple[str, ...]      patterns with {c}
    view_pairs(found, images), keypoint_pairs(found, images)     only where the layout has a set of role viewpoint or keypoints

Order matters: what an earlier layout claims, no later one gets.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from ... import ClipError
from .found import Found as Found
from .found import Problem as Problem
from .found import is_folder, of_kernel, shown

if TYPE_CHECKING:
    from ..correspondences import KeypointPair, ViewPair
    from ..imageset import ImageSet
    from ..setinfo import SetInfo

LAYOUTS: tuple[str, ...] = (
    "imagenet",
    "corrupted",
    "laion_c",
    "counteranimal",
    "webdataset",
    "karpathy",
    "sugarcrepepp",
    "sugarcrepe",
    "negbench",
    "winoground",
    "choices",
    "spair",
    "navi",
    "scannet",
    "scam",
    "rta100",
    "huggingface",
    "fairface",
    "manifest",
)
"""Modules of this package, most particular first."""
SEPARATOR = "::"
"""`--clip-data=DIR::NAME` is one of several data sets in DIR."""


class Layout(Protocol):
    """A module of this package."""

    NAME: str

    def detect(self, root: Path) -> list[Found]: ...
    def sets(self, found: Found) -> tuple[SetInfo, ...]: ...
    def problems(self, found: Found) -> list[Problem]: ...
    def facts(self, found: Found) -> dict[str, Any]: ...
    def image_set(self, found: Found, name: str, *, limit: int | None) -> ImageSet: ...
    def classes(self, found: Found) -> tuple[str, ...]: ...
    def templates(self, found: Found) -> tuple[str, ...]: ...
    def view_pairs(self, found: Found, images: ImageSet) -> Sequence[ViewPair]: ...
    def keypoint_pairs(self, found: Found, images: ImageSet) -> Sequence[KeypointPair]: ...


def layout(name: str) -> Layout:
    """The module of a layout; what goes wrong in it with a file is a ClipError."""
    return cast(Layout, _Guarded(name))


class _Guarded:
    """A layout whose files may be damaged, or away by now."""

    def __init__(self, name: str) -> None:
        self._module = import_module(f".{name}", __name__)

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._module, name)
        if not callable(inner) or name.startswith("_"):
            return inner

        @wraps(inner)
        def guarded(first: Found | Path, *others: Any, **how: Any) -> Any:
            try:
                return inner(first, *others, **how)
            except (OSError, UnicodeError, csv.Error, RecursionError) as error:
                where = getattr(error, "filename", None) or (first.folder if isinstance(first, Found) else first)
                why = getattr(error, "strerror", None) or str(error).splitlines()[0]
                raise ClipError(f"{shown(where)}: cannot be read ({why}); chmod it, or fetch or write it again") from error

        return guarded


def find(text: str) -> tuple[Found, ...]:
    """The known data sets that `--clip-data=text` means, none for `scenes`, for a plain folder of class folders and for no folder."""
    root, only = split(text)
    if not is_folder(root):
        return ()
    if not os.access(root, os.R_OK | os.X_OK):
        raise ClipError(f"--clip-data={shown(text)}: the folder may not be opened; chmod it, or name another")
    if of_kernel(root):
        raise ClipError(f"--clip-data={shown(text)}: the kernel's own files are no data; name the folder of a data set")
    return tuple(each for each in _search(root) if only is None or each.name == only)


def problems(found: Found) -> list[Problem]:
    """What a layout says about a data set, and what its `sets` refuses."""
    module = layout(found.layout)
    try:
        said = module.problems(found)  # of several wrong parts all are told, `sets` stops at the first
        if not any(each.level == "refuse" for each in said):
            module.sets(found)
    except ClipError as error:
        return [Problem("refuse", str(error))]
    return said


def split(text: str) -> tuple[Path, str | None]:
    """The folder, and the one data set in it that is meant, None for all."""
    folder, separator, only = text.rpartition(SEPARATOR)
    return (Path(folder), only) if separator and not is_folder(Path(text)) else (Path(text), None)


def _search(root: Path) -> list[Found]:
    """Every data set in `root`, the most particular layout first. One layout may ask several questions of the very same pictures."""
    out: list[Found] = []
    for name in LAYOUTS:
        for each in layout(name).detect(root):
            others = [other for other in out if (other.layout, set(other.claims)) != (each.layout, set(each.claims))]
            if not any(_taken(path, other) for path in each.claims for other in others):
                out.append(each)
    return out


def _taken(path: Path, other: Found) -> bool:
    return any(path == claimed or path.is_relative_to(claimed) for claimed in other.claims)
