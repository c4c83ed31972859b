"""What may lie beside own images, in a folder of class folders or beside a manifest: ood/NAME/, classnames.txt, templates.txt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from . import content, texts
from .classfolders import UNKNOWN as UNKNOWN
from .layouts.found import IMAGE_SUFFIXES, images_in

if TYPE_CHECKING:
    from .catalog import SetInfo
    from .imageset import ImageSet

CLASSES, TEMPLATES = "classnames.txt", "templates.txt"


def templates(root: Path) -> tuple[str, ...]:
    """templates.txt, or one template."""
    path = root / TEMPLATES
    return texts.templates(path) if path.is_file() else ("a photo of a {c}",)


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
    from .catalog import SetInfo
    from .imagenet.unknown import images

    return tuple(SetInfo(name, "ood", len(images(folder))) for name, folder in unknown(root).items())


def unknown_images(root: Path, name: str, *, data: str, classes: tuple[str, ...], limit: int | None) -> ImageSet:
    """The images of ood/NAME in order of their places."""
    import numpy as np

    from .imagenet.unknown import images
    from .imageset import ImageSet

    files = tuple(images(unknown(root)[name])[:limit])
    digest = hashlib.sha256()
    for path, held in zip(files, content.sha256(files), strict=True):
        digest.update(f"{path.relative_to(root)} {held}\n".encode())
    return ImageSet(
        name=name, data=data, role="ood", ids=tuple(str(path.relative_to(root)) for path in files), files=files, classes=classes,
        labels=np.full(len(files), -1), fingerprint=digest.hexdigest()[:16],
    )  # fmt: skip


def class_names(root: Path, folders: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The class names in label order, and the label of each of the sorted class folders.

    Without classnames.txt the folders are the classes in their order. With it a folder belongs to the line of its name (`_` for a space),
    numbered folders to the line of their number, counted from 0, and any other folders to the lines one by one.
    """
    path = root / CLASSES
    if not path.is_file():
        return tuple(name.replace("_", " ") for name in folders), tuple(range(len(folders)))
    names = texts.class_names(path)
    place = {name: k for k, name in enumerate(names)} | {name.replace(" ", "_"): k for k, name in enumerate(names)}
    if all(folder in place for folder in folders):
        return names, tuple(place[folder] for folder in folders)
    if all(folder.isascii() and folder.isdigit() for folder in folders):
        if (most := max(map(int, folders))) >= len(names):
            raise ClipError(
                f"{path}: names {len(names)} classes (0..{len(names) - 1}), but there is a folder {root / str(most)}; add the names"
            )
        return names, tuple(int(folder) for folder in folders)
    if some := [folder for folder in folders if folder in place]:
        lost = next(folder for folder in folders if folder not in place)
        raise ClipError(f"{path}: names the folder {some[0]}, but not {lost}; write a line for every folder, or none by its name")
    if len(names) != len(folders):
        raise ClipError(
            f"{path}: {len(names)} lines for {len(folders)} class folders; write one for each of them in the order of "
            f"{folders[0]}, {folders[1]} ..., because a line too many shifts the labels"
        )
    return names, tuple(range(len(folders)))
