"""Which image sets a data set has, by name, role and size. Light: no image is made or read, nothing heavy is imported."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .. import ClipError
from .scenes.vocabulary import CLASSES, FACTORS, OOD, SHIFTS

Role = Literal["clean", "slice", "shift", "factor", "cue", "ood", "pairs", "viewpoint", "keypoints"]
DEPTH_SUFFIXES = (".png", ".tif", ".tiff", ".npy")
LAY_DEPTH = "put one for each image into {folder}/depth/CLASS/IMAGE.png (16 bit, the number grows with the distance; or .npy)"
"""What to do for a folder without depth maps."""
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm")

CLEAN_PER_CLASS, MATCHED_PER_CLASS, OOD_IMAGES = 100, 27, 500
CUES = ("cue_conflict", "cue_matched")
"""The same scenes, image by image: in the look of another class, and in that of their own."""
VIEWPOINTS = {
    "viewpoint-0-15": (0.0, 15.0),
    "viewpoint-15-30": (15.0, 30.0),
    "viewpoint-30-60": (30.0, 60.0),
    "viewpoint-60-90": (60.0, 90.0),
}
"""Second views of scenes of `clean`, by how far the camera has gone around the object, in degrees: from the first up to the second."""
SEEN_TWICE_PER_CLASS = 6
"""Scenes of each class that have second views, the same ones in every set."""


@dataclass(frozen=True)
class SetInfo:
    """One image set: `role` says what it is for, `n` how many images it holds."""

    name: str
    role: Role
    n: int
    depth: bool = False
    """whether the distance of every pixel is known"""


def sets(name: str) -> tuple[SetInfo, ...]:
    """The image sets of `scenes`, or of a folder with one folder of images per class (then only `clean`)."""
    if name == "scenes":
        matched = MATCHED_PER_CLASS * len(CLASSES)
        rendered = (
            SetInfo("clean", "clean", CLEAN_PER_CLASS * len(CLASSES)),
            SetInfo("typical", "slice", matched),
            *(SetInfo(s, "shift", matched) for s in SHIFTS),
            *(SetInfo(f, "factor", matched) for f in FACTORS),
            *(SetInfo(c, "cue", matched) for c in CUES),
            *(SetInfo(o, "ood", OOD_IMAGES) for o in OOD),
            SetInfo("pairs", "pairs", matched),
            *(SetInfo(v, "viewpoint", SEEN_TWICE_PER_CLASS * len(CLASSES)) for v in VIEWPOINTS),
            SetInfo("instances", "keypoints", SEEN_TWICE_PER_CLASS * len(CLASSES)),
        )
        return tuple(replace(each, depth=True) for each in rendered)
    images = sum(len(files) for files in class_folders(name).values())
    return (SetInfo("clean", "clean", images, depth=depth_folder(name) is not None),)


def class_folders(folder: str) -> dict[str, list[Path]]:
    """Class name -> image files, both sorted by name; hidden files are passed over."""
    root = Path(folder)
    if not root.is_dir():
        raise ClipError(
            f"--clip-data={folder}: no such folder, and not the name of the embedded benchmark; "
            "use --clip-data=scenes or a folder of class folders"
        )
    out: dict[str, list[Path]] = {}
    for entry in sorted(_visible(root), key=lambda e: e.name):
        if entry.is_dir() and (files := sorted(Path(f.path) for f in _visible(entry.path) if _is_image(f))):
            out[entry.name] = files
    if len(out) < 2:
        raise ClipError(
            f"--clip-data={folder}: needs at least two class folders with images ({', '.join(IMAGE_SUFFIXES)}), found {len(out)}; "
            f"expected {folder}/CLASS/IMAGE.jpg"
        )
    return out


def depth_folder(folder: str | Path) -> Path | None:
    """DIR/depth, with maps in DIR/depth/CLASS/; a folder of that name with images in it is a class like any other."""
    path = Path(folder) / "depth"
    return path if path.is_dir() and not any(_is_image(entry) for entry in _visible(path)) else None


def _visible(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [e for e in entries if not e.name.startswith(".")]


def _is_image(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(IMAGE_SUFFIXES) and entry.is_file()
