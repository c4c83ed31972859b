"""What may lie beside own images, in a folder of class folders or beside a manifest: ood/NAME/, classnames.txt, templates.txt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from .binding import by_name, crossed, distinct, twice, whole
from .classfolders import UNKNOWN as UNKNOWN
from .content import sha256
from .layouts.found import IMAGE_SUFFIXES, images_in
from .setinfo import SetInfo
from .texts import class_names as names_in
from .texts import templates as templates_in

if TYPE_CHECKING:
    from .imageset import ImageSet

CLASSES, TEMPLATES = "classnames.txt", "templates.txt"


def templates(root: Path) -> tuple[str, ...]:
    """templates.txt, or one template."""
    path = root / TEMPLATES
    return templates_in(path) if path.is_file() else ("a photo of a {c}",)


def unknown(root: Path) -> dict[str, Path]:
    """The folders of images of no class by set name: ood/NAME/, or `ood` itself where the images lie directly in it."""
    from .imagenet.unknown import named

    folder = root / UNKNOWN
    if next(images_in(folder, IMAGE_SUFFIXES), None) is not None:
        return {UNKNOWN: folder}
    found = named(folder)
    if "clean" in found:
        raise ClipError(f"{found['clean']}: an image set of this name is there already; rename the folder")
    return found


def unknown_sets(root: Path) -> tuple[SetInfo, ...]:
    """One set of role `ood` for each."""
    from .imagenet.unknown import images

    return tuple(SetInfo(name, "ood", len(images(folder))) for name, folder in unknown(root).items())


def unknown_images(root: Path, name: str, *, data: str, classes: tuple[str, ...], limit: int | None) -> ImageSet:
    """The images of ood/NAME in order of their places."""
    import numpy as np

    from .imagenet.unknown import images
    from .imageset import ImageSet

    files = tuple(images(unknown(root)[name])[:limit])
    digest = hashlib.sha256()
    for path, held in zip(files, sha256(files), strict=True):
        digest.update(f"{path.relative_to(root)} {held}\n".encode())
    return ImageSet(
        name=name, data=data, role="ood", ids=tuple(str(path.relative_to(root)) for path in files), files=files, classes=classes,
        labels=np.full(len(files), -1), fingerprint=digest.hexdigest()[:16],
    )  # fmt: skip


def class_names(root: Path, folders: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The class names in label order, and the label of each of the sorted class folders.

    Without classnames.txt the folders are the classes in their order. With it a folder belongs to the line of its name (see
    `binding.key`), numbered folders to the line of their number, counted from 0, and any other folders to the lines one by one.
    """
    path = root / CLASSES
    if not path.is_file():
        distinct(folders, where=str(root))
        return tuple(name.replace("_", " ") for name in folders), tuple(range(len(folders)))
    names = names_in(path)
    distinct(names, where=str(path))
    bound = by_name(folders, names, path=path)
    if len(bound) == len(folders):
        twice(bound, names, path=path)
        return names, tuple(bound[folder] for folder in folders)
    if all(folder.isascii() and folder.isdigit() for folder in folders):
        numbers = [whole(folder) or 0 for folder in folders]
        if (most := max(numbers)) >= len(names):
            there = root / folders[numbers.index(most)]
            raise ClipError(f"{path}: names {len(names)} classes (0..{len(names) - 1}), but there is a folder {there}; add the names")
        if len(set(numbers)) < len(numbers):
            one = next(number for number in numbers if numbers.count(number) > 1)
            both = " and ".join(folder for folder, number in zip(folders, numbers, strict=True) if number == one)
            raise ClipError(f"{root}: the folders {both} have one number; join them, or rename one")
        return names, tuple(numbers)
    if bound:
        lost = next(folder for folder in folders if folder not in bound)
        raise ClipError(f"{path}: names the folder {next(iter(bound))}, but not {lost}; write a line for every folder, or none by its name")
    if len(names) != len(folders):
        raise ClipError(
            f"{path}: {len(names)} lines for {len(folders)} class folders; write one for each of them in the order of "
            f"{folders[0]}, {folders[1]} ..., because a line too many shifts the labels"
        )
    if (wrong := crossed(folders, names)) is not None:
        folder, line, other = wrong
        raise ClipError(
            f"{path}: no line names a folder, and in their order {folder} would be {names[line]!r}, though line {other + 1} is "
            f"{names[other]!r}; write the folders' own names"
        )
    return names, tuple(range(len(folders)))
