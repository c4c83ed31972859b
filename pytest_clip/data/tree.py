"""All images below a folder, as deep as torchvision's ImageFolder walks, and what lies there besides. Light: nothing is opened."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import ClipError
from .layouts.found import IMAGE_SUFFIXES, dangles, is_utf8, kernel, mark, shown

MOST_FOLDERS = 200_000
"""Folders below one: ImageNet-21k has 21,841 classes; who names `/` by mistake is told so instead of waiting."""
BESIDE = (
    "", ".txt", ".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".md", ".rst", ".html",
    ".pdf", ".log", ".db", ".lst", ".sha256", ".md5", ".py", ".ipynb", ".sh", ".mat", ".dvc", ".license", ".git",
)  # fmt: skip
"""Suffixes of what usually lies beside images and is none; a file of any other kind may be data that is not measured."""


@dataclass(frozen=True)
class Tree:
    """What lies below a folder."""

    images: tuple[Path, ...] = ()
    """by suffix, sorted by place, those of a folder before those deeper in it; links to nothing are among them"""
    dangling: tuple[Path, ...] = ()
    """links whose file is not there: of git-annex, DVC, or an unpacked part"""
    others: Mapping[str, int] = field(default_factory=dict)
    """visible files that are no images, counted by suffix"""
    hidden: int = 0
    """image files that are passed over because their name begins with a dot"""
    closed: tuple[Path, ...] = ()
    """folders that may not be opened"""
    circles: tuple[Path, ...] = ()
    """links to a folder that they lie in"""


def below(folder: Path, *, root: Path | None = None) -> Tree:
    """Everything below `folder`, which lies in `root`; ClipError for names that are no UTF-8, and for more than any data set has."""
    walk = _Walk()
    walk.into(folder, () if root is None else (at,) if (at := mark(root)) else ())
    if walk.odd:
        raise ClipError(
            f"{len(walk.odd)} names below {shown(folder)} are no UTF-8, the first one {shown(walk.odd[0])}; rename them, for example with "
            f"convmv -f latin1 -t utf8 -r --notest {shown(folder)}"
        )
    return Tree(
        tuple(sorted(walk.images, key=_place)), tuple(sorted(walk.dangling, key=_place)), dict(sorted(walk.others.items())), walk.hidden,
        tuple(sorted(walk.closed)), tuple(sorted(walk.circles)),
    )  # fmt: skip


def _place(path: Path) -> list[tuple[int, str]]:
    """The images of a folder come before those of its subfolders."""
    *folders, name = path.parts
    return [*((1, part) for part in folders), (0, name)]


def together(trees: Iterable[Tree]) -> Tree:
    """Several as one; images in the order given."""
    all_ = list(trees)
    others: Counter[str] = Counter()
    for each in all_:
        others.update(each.others)
    return Tree(
        tuple(path for each in all_ for path in each.images), tuple(path for each in all_ for path in each.dangling), others,
        sum(each.hidden for each in all_), tuple(path for each in all_ for path in each.closed),
        tuple(path for each in all_ for path in each.circles),
    )  # fmt: skip


def counted(others: Mapping[str, int]) -> str:
    """`12 .heic, 3 .txt`, the many first."""
    some = sorted(others.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{n} {shown(suffix) or 'without a suffix'}" for suffix, n in some[:6]) + (", ..." if len(some) > 6 else "")


class _Walk:
    def __init__(self) -> None:
        self.images: list[Path] = []
        self.dangling: list[Path] = []
        self.others: Counter[str] = Counter()
        self.hidden = 0
        self.closed: list[Path] = []
        self.circles: list[Path] = []
        self.odd: list[Path] = []
        self.folders = 0

    def into(self, folder: Path, above: tuple[tuple[int, int], ...]) -> None:
        waiting = [(folder, above)]
        while waiting:
            here, path = waiting.pop()
            self.folders += 1
            if self.folders > MOST_FOLDERS:
                raise ClipError(f"more than {MOST_FOLDERS} folders lie below {shown(folder)}: that is no data set; name the folder of one")
            if (at := mark(here)) is not None and (at in path or at[0] in kernel()):
                self.circles.append(here)
                continue
            try:
                with os.scandir(here) as found:
                    entries = list(found)
            except OSError:
                at = None
            if at is None:
                self.closed.append(here)
                continue
            waiting += [(Path(entry.path), (*path, at)) for entry in entries if self._folder(entry)]

    def _folder(self, entry: os.DirEntry[str]) -> bool:
        """Whether to walk into it; files are sorted by what they are."""
        picture = entry.name.lower().endswith(IMAGE_SUFFIXES)
        try:
            inner, file = entry.is_dir(), entry.is_file()
        except OSError:  # links in a circle, or into a folder that may not be opened
            inner = file = False
        if entry.name.startswith("."):
            self.hidden += file and picture
            return False
        if not is_utf8(entry.name):
            self.odd += [Path(entry.path)] * (inner or file)
            return inner
        if inner:
            return True
        if picture and (file or dangles(entry)):
            self.images.append(Path(entry.path))
            if not file:
                self.dangling.append(Path(entry.path))
        else:
            self.others[os.path.splitext(entry.name)[1].lower()] += 1  # noqa: PTH122 - a name, and often
        return False
