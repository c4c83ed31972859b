"""Which corruptions there are: names, groups, severities. Light: no image is touched, nothing heavy is imported."""

from __future__ import annotations

VERSION = 1  # part of the key of every stored answer: raise it whenever the pixels of any view change

SEVERITIES = (1, 2, 3, 4, 5)

GROUPS: dict[str, tuple[str, ...]] = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur"),
    "weather": ("snow", "frost", "fog", "brightness"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression"),
    "extra": ("speckle_noise", "gaussian_blur", "spatter", "saturate"),
}

EXTRA = GROUPS["extra"]  # held out by the paper for validation: never part of mCE
IMAGENET_C = tuple(kind for group, kinds in GROUPS.items() if group != "extra" for kind in kinds)  # the 15 that mCE averages
KINDS = IMAGENET_C + EXTRA
