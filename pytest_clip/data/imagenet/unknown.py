"""Images of no class of ImageNet: folders of them, and the image lists of OpenOOD. Light."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ... import ClipError
from ..layouts.found import images_in, places, subfolders
from ..tree import below

DEPTH = 3
"""Folders deep: dtd/images/banded/x.jpg, places/images/x.jpg, NINCO/NINCO_OOD_classes/amphiuma_means/x.jpg."""


def images(folder: Path, key: str = "") -> list[Path]:
    """All images of a set, sorted by place: of one's own (no `key`) however deep, of a published one as deep as it is.

    Of NINCO only its classes, not the other folders that its archive holds.
    """
    root = folder / "NINCO_OOD_classes" if key == "ninco" and (folder / "NINCO_OOD_classes").is_dir() else folder
    found = list(_below(root, DEPTH)) if key else list(below(root).images)
    if key == "ninco":
        _check_ninco(root, found)
    if not found:
        raise ClipError(f"{folder}: holds no image; fill it, or remove the folder")
    return found


def _below(folder: Path, depth: int) -> Iterator[Path]:
    yield from (Path(entry.path) for entry in images_in(folder))
    if depth:
        for name in subfolders(folder):
            yield from _below(folder / name, depth - 1)


def _check_ninco(root: Path, found: list[Path]) -> None:
    """Against NINCO_OOD_classes.csv (image_location,class), where it lies beside the images."""
    table = next((p for p in (root.parent / "NINCO_OOD_classes.csv", root / "NINCO_OOD_classes.csv") if p.is_file()), None)
    if table is None:
        return
    with table.open(newline="", encoding="utf-8") as rows:
        listed = {Path(row["image_location"]).name for row in csv.DictReader(rows)}
    if missing := sorted(listed - {path.name for path in found}):
        raise ClipError(f"{root}: {len(missing)} of the {len(listed)} images in {table} are missing, such as {missing[0]}; unpack it again")


def lists(root: Path) -> dict[str, Path]:
    """OpenOOD's lists of unknown images for ImageNet by set name, `openood_ninco` and so on."""
    found: dict[str, Path] = {}
    for folder in (root / "benchmark_imglist" / "imagenet", *(place / "benchmark_imglist" / "imagenet" for place in places(root)[1:])):
        if folder.is_dir():
            for path in sorted(folder.glob("test_*.txt")):
                name = path.stem.removeprefix("test_").lower()
                if not name.startswith("imagenet"):
                    found.setdefault(f"openood_{name}", path)
    return found


def data_of(listed: Path) -> Path:
    """The folder that holds `benchmark_imglist` and the images of a list."""
    return listed.parents[2]


def files(path: Path) -> list[Path]:
    """The images of a folder, or of a list: lines `PLACE -1`, split at the first space, because the rest can be anything."""
    if path.is_dir():
        return images(path)
    data = data_of(path)
    out = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        place, _, _ = line.strip().partition(" ")
        if not place:
            continue
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise ClipError(f"{path}:{number}: {place} leads out of {data}; a list names files inside it")
        found = next((p for kind in ("images_largescale", "images_classic", "") if (p := data / kind / place).is_file()), None)
        if found is None:
            raise ClipError(
                f"{path}:{number}: {data} has no {place}, nor in images_largescale or images_classic; get it, or remove the list"
            )
        out.append(found)
    return out


def named(folder: Path) -> dict[str, Path]:
    """The sets of a folder `ood`: each of its subfolders with images, by a name that a gate id can hold; ClipError for one name twice."""
    found: dict[str, Path] = {}
    for name in subfolders(folder):
        if not below(folder / name).images:
            continue
        key = "".join(c if c.isascii() and c.isalnum() else "_" for c in name.lower()).strip("_")
        key = key or "_".join(f"u{ord(c):x}" for c in name)
        if key in found:
            raise ClipError(f"{folder}: {found[key].name} and {name} both become the image set {key}; rename one of the folders")
        found[key] = folder / name
    return found
