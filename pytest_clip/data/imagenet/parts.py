"""The members of the ImageNet family: how each lies on disk, what it is measured as, where it comes from. Light: looks at names only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ..layouts.found import places, subfolders
from .signs import (
    NUISANCES,
    annotated,
    by_wnid,
    cues,
    cues_or_trials,
    nuisances,
    numbered,
    objectnet,
    pictures,
    validation,
    vid,
    wnid_folders,
    ytbb,
)

WRAPPERS = (
    "imagenet", "imagenet-1k", "imagenet1k", "imagenet_1k", "ilsvrc", "ilsvrc2012", "imagenet_ood_dataset", "imagenet_vid_ytbb_robust",
    "ood", "stimuli", "texture-vs-shape", "images_largescale", "images_classic",
)  # fmt: skip
"""Folders that others wrap members of the family in: looked into, too."""


@dataclass(frozen=True)
class Part:
    """One member. `folders` are patterns of the names that it goes by, in lower case, the first one what messages call it."""

    key: str
    title: str
    sets: tuple[tuple[str, str], ...]
    """(name, role) of its image sets"""
    folders: tuple[str, ...]
    known: Callable[[Path], bool]
    """whether a folder of that name really is one"""
    page: str
    licence: str
    images: int = 0
    """how many the whole of it has; 0: unknown"""
    classes: int = 0
    """how many class folders"""
    vague: bool = False
    """whether its folder has a name that a class could have, such as `sun`: believed only beside another member"""

    @property
    def get(self) -> str:
        """What is missing, in words."""
        return f"put {self.title} into a folder {self.folders[0]} ({self.licence}; {self.page})"


_V2_PAGE, _MOS = "https://github.com/modestyachts/ImageNetV2", "https://github.com/deeplearning-wisc/large_scale_ood"
_ILSVRC = "ImageNet's terms of access: research, not commercial"
_SEE = "its licence is on its page"


def _v2(variant: str, suffix: str, *folders: str) -> Part:
    return Part(
        f"v2_{variant}", f"ImageNet-V2 {suffix}", ((f"shift_v2_{variant}", "shift"),), folders, numbered, _V2_PAGE, _SEE, 10_000, 1000
    )


def _ood(key: str, title: str, folders: tuple[str, ...], page: str, images: int, licence: str = _SEE) -> Part:
    vague = key not in ("imagenet_o", "ninco")
    return Part(key, title, ((key, "ood"),), folders, pictures, page, licence, images, vague=vague)


PARTS: tuple[Part, ...] = (
    Part(
        "val", "the validation images of ImageNet (ILSVRC2012)", (("clean", "clean"),),
        ("val", "val_in_folder", "imagenet-val", "imagenet_val", "validation", "ilsvrc2012_img_val", "ilsvrc2012_val"), validation,
        "https://www.image-net.org/download.php", _ILSVRC, 50_000, 1000,
    ),
    _v2("matched", "matched-frequency", "imagenetv2-matched-frequency-format-val", "imagenetv2-matched-frequency*"),
    _v2("threshold", "threshold-0.7", "imagenetv2-threshold0.7-format-val", "imagenetv2-threshold*0.7*"),
    _v2("top", "top-images", "imagenetv2-top-images-format-val", "imagenetv2-top-images*"),
    Part(
        "sketch", "ImageNet-Sketch", (("shift_sketch", "shift"),), ("imagenet-sketch", "imagenet_sketch", "sketch"), by_wnid,
        "https://github.com/HaohanWang/ImageNet-Sketch", _SEE, 50_889, 1000,
    ),
    Part(
        "r", "ImageNet-R", (("shift_r", "shift"),), ("imagenet-r", "imagenet_r"), by_wnid,
        "https://github.com/hendrycks/imagenet-r", _SEE, 30_000, 200,
    ),
    Part(
        "a", "ImageNet-A", (("shift_a", "shift"),), ("imagenet-a", "imagenet_a"), by_wnid,
        "https://github.com/hendrycks/natural-adv-examples", _SEE, 7_500, 200,
    ),
    Part(
        "objectnet", "ObjectNet", (("shift_objectnet", "shift"),), ("objectnet-1.0", "objectnet*"), objectnet,
        "https://objectnet.dev", "its licence forbids training on it", 50_273, 313,
    ),
    Part(
        "vid", "ImageNet-Vid-Robust", (("shift_vid", "shift"), ("pm10_vid", "sequence")), ("imagenet-vid-robust",), vid,
        "https://modestyachts.github.io/natural-perturbations-website/", _SEE,
    ),
    Part(
        "ytbb", "YTBB-Robust", (("shift_ytbb", "shift"), ("pm10_ytbb", "sequence")), ("ytbb-robust",), ytbb,
        "https://modestyachts.github.io/natural-perturbations-website/", _SEE,
    ),
    Part(
        "d", "ImageNet-D", tuple((f"shift_d_{name}", "shift") for name in NUISANCES), ("imagenet-d", "imagenet_d"), nuisances,
        "https://github.com/chenshuang-zhang/imagenet_d", "MIT", 4_835, 113,
    ),
    Part(
        "cue", "the cue-conflict stimuli", (("cue_conflict", "cue"), ("cue_matched", "cue")),
        ("cue-conflict", "cue_conflict", "style-transfer-preprocessed-512"), cues,
        "https://github.com/rgeirhos/texture-vs-shape", "CC BY 4.0", 1_280, 16,
    ),
    Part(
        "silhouettes", "the silhouettes of the same objects", (("cue_silhouettes", "cue"),),
        ("silhouettes", "silhouette", "filled-silhouettes"), cues_or_trials,
        "https://github.com/bethgelab/model-vs-human", "they follow ImageNet's terms", 160, 16, True,
    ),
    Part(
        "edges", "the edges of the same objects", (("cue_edges", "cue"),), ("edges", "edge"), cues_or_trials,
        "https://github.com/bethgelab/model-vs-human", "they follow ImageNet's terms", 160, 16, True,
    ),
    _ood("imagenet_o", "ImageNet-O", ("imagenet-o", "imagenet_o"), "https://github.com/hendrycks/natural-adv-examples", 2_000),
    _ood("inaturalist", "the iNaturalist images of Huang & Li 2021", ("inaturalist",), _MOS, 10_000),
    _ood("sun", "the SUN images of Huang & Li 2021", ("sun",), _MOS, 10_000),
    _ood("places", "the Places images of Huang & Li 2021", ("places",), _MOS, 10_000),
    _ood("textures", "the Describable Textures (DTD)", ("dtd", "textures", "texture"), "https://www.robots.ox.ac.uk/~vgg/data/dtd/", 5_640),
    _ood(
        "ninco", "NINCO", ("ninco", "ninco_ood_classes"), "https://github.com/j-cb/NINCO", 5_879, "images under licences of their own"
    ),
)  # fmt: skip

X = Part(
    "x", "the annotations of ImageNet-X", (), ("imagenet-x", "imagenet_x"), annotated, "https://facebookresearch.github.io/imagenetx",
    "CC BY-NC 4.0; or pip install imagenet-x",
)  # fmt: skip


def locate(root: Path) -> Mapping[str, Path]:
    """Where each member lies: the folder itself, a direct subfolder, or one below a wrapper such as `imagenet/val`."""
    if (itself := _named(root)) is not None:
        return {itself.key: root}
    near = [] if by_wnid(root) else places(root)[1:]
    inside = [deeper for place in near if place.name.lower() in WRAPPERS for deeper in places(place)[1:]]
    found: dict[str, Path] = {}
    for path in (*near, *inside):
        if (part := _named(path)) is not None:
            found.setdefault(part.key, path)
    if all(part.vague for part in PARTS if part.key in found):
        found = {key: path for key, path in found.items() if key == "x"}
    if not found and by_wnid(root) and set(subfolders(root)) == set(wnid_folders(root)):
        found["val"] = root
    return found


def _named(path: Path) -> Part | None:
    name = path.resolve().name.lower()
    return next((p for p in (*PARTS, X) if any(fnmatchcase(name, pattern) for pattern in p.folders) and p.known(path)), None)
