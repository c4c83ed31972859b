"""What a layout says about a folder. Light: only names are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from ... import ClipError

PUBLISHED_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm")
"""What images of published data are called; their counts are known, and a stray .gif is none of them."""
IMAGE_SUFFIXES = (
    *PUBLISHED_SUFFIXES, ".jfif", ".jpe", ".mpo", ".apng", ".dib", ".gif", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".avifs", ".jp2",
    ".j2k", ".jpc", ".jpf", ".jpx", ".j2c", ".qoi", ".tga", ".icb", ".vda", ".vst", ".pcx", ".ico", ".sgi", ".rgb", ".rgba", ".bw",
)  # fmt: skip
"""What own images may be called: all suffixes of the formats in `pictures`, as Pillow registers them."""


EMBEDDED, RENAMED = "scenes", "own-scenes"
"""The name that shipped rules are written for, and what own data of that name is called."""
KERNEL = ("/proc", "/sys")


@dataclass(frozen=True)
class Found:
    """A data set that a layout recognises."""

    layout: str
    """the module in `pytest_clip.data.layouts` that reads it"""
    name: str
    """what node ids, reports and thresholds call it: `imagenet`, `flickr30k`, or the folder's name for the user's own"""
    folder: Path
    """where it was looked for"""
    parts: Mapping[str, Path] = field(default_factory=dict)
    """where its pieces lie, by names of the layout's own; no other layout gets these paths"""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """what its layout has read of it already"""

    @property
    def claims(self) -> tuple[Path, ...]:
        """Paths that belong to it."""
        return tuple(self.parts.values()) or (self.folder,)


@dataclass(frozen=True)
class Problem:
    """Something the doctor has to say: `refuse` stops a run before a model loads, `warn` is printed, `note` only by the doctor."""

    level: Literal["refuse", "warn", "note"]
    what: str
    """what; where; the command or edit that puts it right"""


def places(root: Path) -> list[Path]:
    """The folder itself and its direct subfolders that may be opened, sorted by name; hidden ones are passed over."""
    return [root, *(root / name for name in subfolders(root))]


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted by name, hidden ones passed over; nothing where there is no folder."""
    try:
        with os.scandir(folder) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except (OSError, ValueError):
        return []


def subfolders(folder: Path) -> list[str]:
    """Names of the folders in it that may be opened; `lost+found` may not."""
    return [name for name in all_subfolders(folder) if os.access(folder / name, os.R_OK | os.X_OK)]


def all_subfolders(folder: Path) -> list[str]:
    """Names of the folders in it, those that may not be opened, too."""
    return [entry.name for entry in entries(folder) if is_dir(entry)]


def images_in(folder: Path, suffixes: tuple[str, ...] = PUBLISHED_SUFFIXES) -> Iterator[os.DirEntry[str]]:
    """The image files directly in a folder, sorted by name. By suffix: nothing is opened.

    A link whose file is not there is one, too, that nobody can read. ClipError for a name that is no UTF-8.
    """
    for entry in entries(folder):
        if entry.name.lower().endswith(suffixes) and is_file(entry):
            if not is_utf8(entry.name):
                raise ClipError(f"{shown(entry.path)}: the name is no UTF-8; rename the file, for example with convmv -f latin1 -t utf8")
            yield entry


def is_utf8(name: str) -> bool:
    """Whether the name of a file is text; other bytes reach Python as lone surrogates, which nothing can print or hash."""
    return name.isascii() or not any("\ud800" <= c <= "\udfff" for c in name)


def is_dir(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link in a circle, or into one that may not be opened, is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link that should be one."""
    try:
        return entry.is_file() or dangles(entry)
    except OSError:  # links in a circle
        return True


def dangles(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link to nothing: of git-annex or DVC before a `get`, or of a folder that was moved without its pictures."""
    return entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - does not raise


def own_name(root: Path) -> str:
    """What own data in a folder is called: as the folder, `own-scenes` where that is the name of the embedded benchmark."""
    try:
        name = root.resolve().name or str(root)
    except (OSError, ValueError, RuntimeError):  # links in a circle, and what no file can be called
        name = root.name
    return RENAMED if name == EMBEDDED else name


def is_folder(path: Path) -> bool:
    """Whether there is one; a name that is longer than the file system allows, or holds a zero byte, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def mark(folder: Path) -> tuple[int, int] | None:
    """Device and number of a folder, the same under all its names; None where it may not be looked at."""
    try:
        stat = folder.stat()
    except (OSError, ValueError):
        return None
    return stat.st_dev, stat.st_ino


def of_kernel(folder: Path) -> bool:
    """Whether it lies in /proc or /sys, whose links lead everywhere and whose files are no data."""
    here = mark(folder)
    return here is not None and here[0] in kernel()


@cache
def kernel() -> frozenset[int]:
    """Devices of these file systems."""
    return frozenset(there[0] for name in KERNEL if (there := mark(Path(name))) is not None)


def is_there(path: Path) -> bool:
    """Whether there is a file, or a link that should be one; a name that the file system does not allow is none."""
    try:
        return path.is_file() or (path.is_symlink() and not path.exists())
    except (OSError, ValueError):  # too long, a zero byte, a folder that may not be opened, a character that has no bytes
        return False


def shown(name: str | Path) -> str:
    """A name for messages: bytes that are no UTF-8 and control characters stand escaped, on one line."""
    return "".join(c if c.isprintable() else _escaped(c) for c in str(name))


def _escaped(c: str) -> str:
    return f"\\x{ord(c) - 0xDC00:02x}" if "\udc80" <= c <= "\udcff" else c.encode("unicode_escape").decode()


def count(folder: Path) -> int:
    """How many image files lie directly in it."""
    return sum(1 for _ in images_in(folder, IMAGE_SUFFIXES))
