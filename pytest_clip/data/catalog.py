"""Which image sets a data set has, by name, role and size. Light: no image is made or read, nothing heavy is imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .. import ClipError
from .classfolders import class_folders, depth_folder
from .layouts import SEPARATOR, find, layout, split
from .layouts.found import EMBEDDED, Found, is_utf8, own_name, shown
from .listed import check
from .own import class_names, unknown_sets
from .scenes.sizes import embedded
from .setinfo import Role as Role
from .setinfo import SetInfo as SetInfo


def sets(name: str) -> tuple[SetInfo, ...]:
    """The image sets of `scenes`, or of a folder with one folder of images per class (then only `clean`)."""
    if name == "scenes":
        return embedded()
    if (found := one(name)) is not None:
        from .published import data_set

        told = layout(found.layout).sets(found)
        return tuple(replace(each, published=data_set(found.layout, found.name, each.name)) for each in told)
    check(Path(name))
    tree = class_folders(name)
    class_names(Path(name), list(tree))
    images = sum(map(len, tree.values()))
    return (
        SetInfo("clean", "clean", images, depth=depth_folder(name) is not None),
        *(unknown_sets(Path(name)) if "ood" not in tree else ()),
    )


def one(name: str) -> Found | None:
    """The known data set that `name` stands for; None for `scenes` and for a plain folder of class folders. ClipError for several."""
    found = find(name)
    if len(found) > 1:
        told = ", ".join(each.name for each in found)
        raise ClipError(f"--clip-data={shown(name)[:200]}: holds {told}; name one: {shown(name)[:200]}{SEPARATOR}{found[0].name}")
    if not found and split(name)[1] is not None:
        root, only = split(name)
        there = ", ".join(each.name for each in find(str(root))) or "no known data set"
        raise ClipError(f"--clip-data={shown(name)[:200]}: {shown(root)[:200]} holds {there}, not {shown(str(only))[:200]}")
    return found[0] if found else None


def expand(name: str) -> tuple[tuple[str, str], ...]:
    """The data sets that --clip-data=`name` means, one for each known one in a folder: what `sets` and `load` take, and the label."""
    if not is_utf8(name) or "\0" in name:
        raise ClipError(f"--clip-data={shown(name)[:200]}: the name is no UTF-8 text; rename the folder, or name it by a link")
    found = find(name)
    if len(found) > 1:
        return tuple((f"{name}{SEPARATOR}{each.name}", each.name) for each in found)
    return ((name, found[0].name if found else name if name == EMBEDDED else own_name(Path(name))),)
