"""Which image sets a data set has, by name, role and size. Light: no image is made or read, nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .. import ClipError
from . import layouts, listed, own
from .classfolders import class_folders as class_folders
from .classfolders import depth_folder as depth_folder
from .layouts.found import EMBEDDED, Found, is_utf8, own_name, shown
from .scenes.vocabulary import CLASSES, FACTORS, OOD, SHIFTS

Role = Literal[
    "clean", "slice", "shift", "sequence", "corruption", "factor", "overall", "cue", "ood", "reference", "captions", "pairs", "quads",
    "viewpoint", "keypoints", "pool",
]  # fmt: skip
DEPTH_SUFFIXES = (".png", ".tif", ".tiff", ".npy")
LAY_DEPTH = (
    "put one for each image into {folder}/depth/CLASS/IMAGE.png (16 bit, the number grows with the distance; or .npy), "
    "or have them estimated: --clip-depth-model=HUB-ID-or-DIR (needs pip install pytest-clip[depth])"
)
"""What to do for data without depth maps, both ways."""

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
    """One image set: `role` says what it is for, `n` how many images it holds. The rest says what can be measured on it."""

    name: str
    role: Role
    n: int
    depth: bool = False
    """whether the distance of every pixel is known"""
    labelled: bool = True
    """whether images have classes (those of no known class, too: OOD)"""
    captions: bool = False
    paired: bool = False
    """whether each image has a partner in `clean` that shows the same without the change"""
    imagenet: bool = False
    """whether the labels are the 1000 classes of ImageNet-1k: errors of AlexNet and lines of ImageNet models are a yardstick"""
    line: str = ""
    """of `metrics.effective_robustness`: what accuracy on this set is expected from that on `clean`, or `overall` for a factor"""
    published: str = ""
    """of `data.published`: the data set that it is, where public checkpoints have known answers"""
    absent: str = ""
    """why it cannot be measured: what to put where, its licence and where to get it; "" for a set that is there"""


def sets(name: str) -> tuple[SetInfo, ...]:
    """The image sets of `scenes`, or of a folder with one folder of images per class (then only `clean`)."""
    if name == "scenes":
        matched = MATCHED_PER_CLASS * len(CLASSES)
        rendered = (
            SetInfo("clean", "clean", CLEAN_PER_CLASS * len(CLASSES)),
            SetInfo("typical", "slice", matched),
            *(SetInfo(s, "shift", matched) for s in SHIFTS),
            *(SetInfo(f, "factor", matched, paired=True) for f in FACTORS),
            *(SetInfo(c, "cue", matched, paired=True) for c in CUES),
            *(SetInfo(o, "ood", OOD_IMAGES) for o in OOD),
            SetInfo("pairs", "pairs", matched),
            *(SetInfo(v, "viewpoint", SEEN_TWICE_PER_CLASS * len(CLASSES)) for v in VIEWPOINTS),
            SetInfo("instances", "keypoints", SEEN_TWICE_PER_CLASS * len(CLASSES)),
        )
        return tuple(replace(each, depth=True, captions=each.role != "ood") for each in rendered)
    if (found := one(name)) is not None:
        from .published import data_set

        told = layouts.layout(found.layout).sets(found)
        return tuple(replace(each, published=data_set(found.layout, found.name, each.name)) for each in told)
    listed.check(Path(name))
    tree = class_folders(name)
    own.class_names(Path(name), list(tree))
    images = sum(map(len, tree.values()))
    return (
        SetInfo("clean", "clean", images, depth=depth_folder(name) is not None),
        *(own.unknown_sets(Path(name)) if "ood" not in tree else ()),
    )


def one(name: str) -> Found | None:
    """The known data set that `name` stands for; None for `scenes` and for a plain folder of class folders. ClipError for several."""
    found = layouts.find(name)
    if len(found) > 1:
        told = ", ".join(each.name for each in found)
        raise ClipError(f"--clip-data={shown(name)[:200]}: holds {told}; name one: {shown(name)[:200]}{layouts.SEPARATOR}{found[0].name}")
    if not found and layouts.split(name)[1] is not None:
        root, only = layouts.split(name)
        there = ", ".join(each.name for each in layouts.find(str(root))) or "no known data set"
        raise ClipError(f"--clip-data={shown(name)[:200]}: {shown(root)[:200]} holds {there}, not {shown(str(only))[:200]}")
    return found[0] if found else None


def expand(name: str) -> tuple[tuple[str, str], ...]:
    """The data sets that --clip-data=`name` means, one for each known one in a folder: what `sets` and `load` take, and the label."""
    if not is_utf8(name) or "\0" in name:
        raise ClipError(f"--clip-data={shown(name)[:200]}: the name is no UTF-8 text; rename the folder, or name it by a link")
    found = layouts.find(name)
    if len(found) > 1:
        return tuple((f"{name}{layouts.SEPARATOR}{each.name}", each.name) for each in found)
    return ((name, found[0].name if found else name if name == EMBEDDED else own_name(Path(name))),)
