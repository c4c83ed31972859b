"""What lies in a folder of own images and is not measured, with counts: said by every run and by the doctor. Light: names only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from .classfolders import DEPTH, UNKNOWN
from .layouts.found import Problem, all_subfolders, count, shown
from .tree import BESIDE, Tree, below, counted, together


def of_classes(root: Path, trees: Mapping[str, Tree], *, beside: tuple[str, ...]) -> Iterator[Problem]:
    """Of class folders: loose images, folders without one, and what `of_tree` finds. `beside`: folders that are no classes by right."""
    if loose := count(root):
        yield Problem("warn", f"{root}: {loose} images lie in no class folder and are not measured; move them into one")
    for name in (each for each in all_subfolders(root) if each not in trees and each not in beside):
        held = below(root / name)
        if held.closed and not held.others:
            yield Problem("warn", f"{shown(root / name)}: the folder may not be opened, so it is no class; chmod it, or remove it")
            continue
        what = f" but {counted(held.others)}, which {'is' if sum(held.others.values()) == 1 else 'are'} not read" if held.others else ""
        cure = "convert what is an image to PNG or JPEG, or remove the folder" if what else "fill it, or remove the folder"
        yield Problem("warn", f"{shown(root / name)}: the folder has no image{what}, so it is no class; {cure}")
    if not any(count(root / name) for name in trees):
        few = ", ".join(list(trees)[:3]) + (", ..." if len(trees) > 3 else "")
        told = f"{root}: no image lies directly in a class folder; the classes are the first folders ({few}), as ImageFolder has it"
        yield Problem("warn", f"{told}; if they are the inner ones, name the folder around those")
    yield from of_tree(root, together(trees.values()))


def of_table(table: Path, listed: Collection[str]) -> Iterator[Problem]:
    """Images below the folder of a table that no row names, besides unknown ones and depth maps."""
    if not listed:
        return
    root = table.parent
    named = {os.path.normpath(root / name) for name in listed}
    beside = tuple(str(root / name) + os.sep for name in (UNKNOWN, DEPTH))
    there = [path for path in below(root).images if not str(path).startswith(beside)]
    if lost := [path for path in there if os.path.normpath(path) not in named]:
        told = f"{len(lost)} of the {len(there)} images beside it are in no row, the first one {shown(lost[0])}"
        yield Problem("warn", f"{table}: {told}; they are not measured: add rows, or remove them")


def of_tree(root: Path, held: Tree) -> Iterator[Problem]:
    """Links to nothing, files of kinds that are not read, and folders that nobody may open or that lead back to themselves."""
    if held.dangling:
        yield Problem(
            "warn",
            f"{root}: {len(held.dangling)} of {len(held.images)} images are links to files that are not there, the first one "
            f"{shown(held.dangling[0])}; fetch them (git annex get, dvc pull), or remove the links",
        )
    if strange := {suffix: n for suffix, n in held.others.items() if suffix not in BESIDE}:
        cure = "convert what is an image to PNG or JPEG"
        yield Problem("warn", f"{root}: {sum(strange.values())} files are left out because they are not read ({counted(strange)}); {cure}")
    if usual := {suffix: n for suffix, n in held.others.items() if suffix in BESIDE}:
        yield Problem("note", f"{root}: {sum(usual.values())} files beside the images are no images ({counted(usual)})")
    if held.hidden:
        yield Problem("note", f"{root}: {held.hidden} image files whose names begin with a dot are passed over")
    if held.closed:
        first = f"the first one {shown(held.closed[0])}"
        yield Problem("warn", f"{root}: {len(held.closed)} folders may not be opened and are left out, {first}; chmod them, or remove them")
    if held.circles:
        first = f"the first one {shown(held.circles[0])}"
        yield Problem("warn", f"{root}: {len(held.circles)} links lead back to a folder that they lie in, {first}; remove them")
