"""A folder of class folders as a data set: DIR/CLASS/IMAGE.jpg."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from .binding import by_name, by_order
from .classfolders import DEPTH, class_folders, class_trees
from .content import sha256
from .depthmaps import beside, held, missing
from .layouts.found import Problem, own_name
from .leftout import of_classes, of_tree
from .listed import check
from .listed import problems as of_tables
from .naming import of_codes, of_sizes
from .own import CLASSES, UNKNOWN, class_names, unknown_sets
from .own import unknown as unknown_in
from .tree import below

if TYPE_CHECKING:
    from .imageset import ImageSet


def image_set(folder: str, *, limit: int | None = None) -> ImageSet:
    """All images, class by class in turn (so that a limit keeps the balance); the class name is the folder's, `_` read as a space, or
    what classnames.txt says.

    The fingerprint covers relative path and content of every file.
    """
    import numpy as np

    from .imageset import ImageSet

    root, tree = Path(folder), class_folders(folder)
    names, labels = class_names(root, list(tree))
    rows = sorted((j, k, path) for k, files in zip(labels, tree.values(), strict=True) for j, path in enumerate(files))[:limit]
    digest = hashlib.sha256("\n".join(tree if not (root / CLASSES).is_file() else names).encode())
    files = tuple(path for _, _, path in rows)
    maps = beside(root, files)
    for path, each in zip((*files, *(maps or ())), (*sha256(files), *held(maps or ())), strict=True):
        digest.update(f"{path.relative_to(root)} {each}\n".encode())
    return ImageSet(
        name="clean", data=own_name(root), role="clean", ids=tuple(str(p.relative_to(root)) for _, _, p in rows),
        labels=np.array([k for _, k, _ in rows]), classes=names, fingerprint=digest.hexdigest()[:16],
        files=files, depth=maps,
    )  # fmt: skip


def problems(folder: str) -> list[Problem]:
    """What is odd about a folder of class folders; all that `catalog.sets` refuses comes first."""
    root = Path(folder)
    out = _refused(lambda: check(root))
    try:
        trees = class_trees(folder)
    except ClipError as error:
        return [*out, Problem("refuse", str(error))]
    sizes = {name: len(each.images) for name, each in trees.items()}
    out += _refused(lambda: class_names(root, list(trees)))
    unknown = UNKNOWN not in trees
    out += _refused(lambda: unknown_sets(root)) if unknown else []
    refused = bool(out)
    out += missing(root, [path for each in trees.values() for path in each.images])
    out += [*of_classes(root, trees, beside=(UNKNOWN, DEPTH)), *of_tables(root)]
    if not refused:
        out += _of_names(root, sizes)
    for name, place in unknown_in(root).items() if unknown and not refused else ():
        out += [replace(each, what=f"image set {name}: {each.what}") for each in of_tree(place, below(place))]
    few, many = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    if sizes[many] > 10 * sizes[few]:
        said = f"{root}: {sizes[many]} images of {many}, {sizes[few]} of {few}; accuracy/top1 is mostly about the former"
        out.append(Problem("note", f"{said}: gate accuracy/mean_per_class, too"))
    return out


def _of_names(root: Path, sizes: Mapping[str, int]) -> list[Problem]:
    path, folders = root / CLASSES, list(sizes)
    if not path.is_file():
        cure = f"write {path} with one name a line"
        return [*of_codes(str(root), folders, cure=cure), *of_sizes(str(root), sizes)]
    names, labels = class_names(root, folders)
    out = of_sizes(str(path), {names[k]: sizes[folder] for folder, k in zip(folders, labels, strict=True)})
    if not by_name(folders, names, path=path) and not all(name.isdigit() for name in folders):
        out.append(by_order(folders, names, path=path))
    if empty := [name for k, name in enumerate(names) if k not in labels]:
        few = f"{', '.join(empty[:5])}{' ...' if len(empty) > 5 else ''}"
        told = f"{root}: no folder with images for {len(empty)} of the {len(names)} classes of {CLASSES} ({few})"
        out.append(Problem("warn", f"{told}; is a part of the data missing? Their names are asked for all the same"))
    return out


def _refused(check: Callable[[], object]) -> list[Problem]:
    try:
        check()
    except ClipError as error:
        return [Problem("refuse", str(error))]
    return []
