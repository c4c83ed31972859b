"""A folder of class folders as a data set: DIR/CLASS/IMAGE.jpg."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from . import binding, content, leftout, listed, own
from .catalog import sets
from .classfolders import DEPTH, class_folders, class_trees
from .depthmaps import beside, held, missing
from .layouts.found import Problem
from .tree import below

NUMBERED = re.compile(r"[0-9]+[._ -]+\D", re.ASCII)
"""001.airplane, as CUB-200 and Caltech-256 name their folders."""

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
    names, labels = own.class_names(root, list(tree))
    rows = sorted((j, k, path) for k, files in zip(labels, tree.values(), strict=True) for j, path in enumerate(files))[:limit]
    digest = hashlib.sha256("\n".join(tree if not (root / own.CLASSES).is_file() else names).encode())
    files = tuple(path for _, _, path in rows)
    maps = beside(root, files)
    for path, each in zip((*files, *(maps or ())), (*content.sha256(files), *held(maps or ())), strict=True):
        digest.update(f"{path.relative_to(root)} {each}\n".encode())
    return ImageSet(
        name="clean", data=root.resolve().name, role="clean", ids=tuple(str(p.relative_to(root)) for _, _, p in rows),
        labels=np.array([k for _, k, _ in rows]), classes=names, fingerprint=digest.hexdigest()[:16],
        files=files, depth=maps,
    )  # fmt: skip


def problems(folder: str) -> list[Problem]:
    """What is odd about a folder of class folders; what `catalog.sets` refuses comes first."""
    root = Path(folder)
    try:
        sets(folder)
    except ClipError as error:
        return [Problem("refuse", str(error))]
    trees = class_trees(folder)
    tree = {name: each.images for name, each in trees.items()}
    found = [path for each in trees.values() for path in each.images]
    out = [*missing(root, found), *leftout.of_classes(root, trees, beside=(own.UNKNOWN, DEPTH)), *listed.problems(root)]
    for name, unknown in own.unknown(root).items() if own.UNKNOWN not in tree else ():
        out += [replace(each, what=f"image set {name}: {each.what}") for each in leftout.of_tree(unknown, below(unknown))]
    alike: dict[str, list[str]] = {}
    for name in tree:
        alike.setdefault(name.lower(), []).append(name)
    out += [
        Problem("warn", f"{root}: the classes {' and '.join(names)} differ in case alone; join them, or give them other names")
        for names in alike.values()
        if len(names) > 1
    ]
    if not (root / own.CLASSES).is_file():
        out += _meaningless(root, list(tree))
    else:
        names, labels = own.class_names(root, list(tree))
        if not binding.by_name(list(tree), names, path=root / own.CLASSES) and not all(name.isdigit() for name in tree):
            out.append(binding.by_order(list(tree), names, path=root / own.CLASSES))
        if empty := [name for k, name in enumerate(names) if k not in labels]:
            few = f"{', '.join(empty[:5])}{' ...' if len(empty) > 5 else ''}"
            told = f"{root}: no folder with images for {len(empty)} of the {len(names)} classes of {own.CLASSES} ({few})"
            out.append(Problem("warn", f"{told}; is a part of the data missing? Their names are asked for all the same"))
    sizes = {name: len(files) for name, files in tree.items()}
    few, many = min(sizes, key=lambda name: sizes[name]), max(sizes, key=lambda name: sizes[name])
    if sizes[many] > 10 * sizes[few]:
        said = f"{root}: {sizes[many]} images of {many}, {sizes[few]} of {few}; accuracy/top1 is mostly about the former"
        out.append(Problem("note", f"{said}: gate accuracy/mean_per_class, too"))
    return out


def _meaningless(root: Path, names: Sequence[str]) -> list[Problem]:
    """Folder names that say nothing in a prompt."""
    cure = f"write {root / own.CLASSES} with one name a line"
    if all(binding.NUMBER.fullmatch(name) for name in names):
        trap = "" if len(names) < 11 else "; sorted as text 10 comes before 2, as numbers classnames.txt counts them"
        return [Problem("warn", f"{root}: the classes are called {names[0]}, {names[1]} ..., and so say the prompts{trap}; {cure}")]
    if all(len(name) == 9 and name[0] == "n" and name[1:].isdigit() for name in names):
        more = "; ImageNet itself is known by its folder: name it val" if len(names) == 1000 else ""
        return [Problem("warn", f"{root}: the classes are called {names[0]} ... (WordNet), and so say the prompts; {cure}{more}")]
    if all(NUMBERED.match(name) for name in names):
        asked = f"the prompts ask for {names[0].replace('_', ' ')!r}, {names[1].replace('_', ' ')!r} ... with their numbers"
        return [Problem("warn", f"{root}: {asked}; {cure}, in the order of the folders")]
    return []
