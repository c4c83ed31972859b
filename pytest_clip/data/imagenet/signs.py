"""By what a folder is known to be a member of the ImageNet family, whatever it is called. Light: looks at names only."""

from __future__ import annotations

import re
from pathlib import Path

from ..layouts.found import images_in, places, subfolders
from . import facts

WNID = re.compile(r"n\d{8}")
NUISANCES = ("background", "texture", "material")
X_PLACES = (".", "annotations", "imagenet_x/annotations")


def wnid_folders(folder: Path) -> list[str]:
    """Its subfolders that are named by a WordNet id."""
    return [name for name in subfolders(folder) if WNID.fullmatch(name)]


def by_wnid(folder: Path) -> bool:
    return len(wnid_folders(folder)) >= 2 and not (folder / "classnames.txt").is_file()


def validation(folder: Path) -> bool:
    return by_wnid(folder) or any(entry.name.startswith("ILSVRC2012_val_") for entry in images_in(folder))


def numbered(folder: Path) -> bool:
    names = subfolders(folder)
    return len(names) >= 2 and all(name.isdecimal() for name in names)


def objectnet_images(folder: Path) -> Path:
    """Where its class folders lie."""
    return next((path for path in (folder / "images", folder / "objectnet-1.0" / "images") if path.is_dir()), folder)


def objectnet(folder: Path) -> bool:
    return len(set(subfolders(objectnet_images(folder))) & set(facts.maps()["objectnet"])) >= 2


def vid(folder: Path) -> bool:
    return any((folder / place / "pmsets.json").is_file() for place in ("metadata", "."))


def ytbb(folder: Path) -> bool:
    return vid(folder) or any((folder / place / "anchor_labels.json").is_file() for place in ("metadata", "."))


def nuisances(folder: Path) -> bool:
    return any(set(subfolders(folder / name)) & set(facts.maps()["imagenet_d"]) for name in NUISANCES)


def annotated(folder: Path) -> bool:
    return any((folder / place / f"imagenet_x_val_{kind}_factor.jsonl").is_file() for place in X_PLACES for kind in ("top", "multi"))


def cues(folder: Path) -> bool:
    return len(set(subfolders(folder)) & set(facts.maps()["cue_conflict"])) >= 2


def cues_or_trials(folder: Path) -> bool:
    return cues(folder) or any(name.startswith("session-") for name in subfolders(folder / "dnn"))


def pictures(folder: Path) -> bool:
    """Images in it, or in its subfolders, or in theirs."""
    return any(next(images_in(deeper), None) is not None for place in places(folder) for deeper in places(place))
