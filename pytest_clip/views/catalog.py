"""Which corruptions there are: names, groups, severities. Light: no image is touched, nothing heavy is imported."""

from __future__ import annotations

VERSION = 4  # part of the key of every stored answer: raise it whenever the pixels of any view change

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

GROUPS_3D: dict[str, tuple[str, ...]] = {
    "depth of field": ("near_focus", "far_focus"),
    "weather": ("fog_3d",),
    "lighting": ("flash",),
    "camera motion": ("xy_motion_blur", "z_motion_blur"),
    "noise": ("color_quant", "iso_noise", "low_light"),
    "video": ("bit_error", "h265_crf", "h265_abr"),
}

KINDS_3D = tuple(kind for kinds in GROUPS_3D.values() for kind in kinds)  # the 12 of ImageNet-3DCC
GEOMETRIC = tuple(kind for group, kinds in GROUPS_3D.items() if group not in ("noise", "video") for kind in kinds)
VIDEO = GROUPS_3D["video"]  # through a codec: need PyAV, and depth for the clip
NEEDS_AV = "needs PyAV, which is not installed; pip install pytest-clip[video]"
NEEDS_DEPTH = GEOMETRIC + VIDEO

KINDS_LAION = ("geometric_shapes", "luminance_checkerboard", "stickers", "vertical_lines")  # the four of LAION-C that can be made in memory
STORED_LAION = (*KINDS_LAION, "mosaic", "glitched")  # the six that its files hold: mosaics need a bank of a million photographs
ALONE = 1  # severity at which the kinds of LAION-C are measured unless they are asked for


def steps(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """`fog-1` to `fog-5` of every kind: the names of its views."""
    return tuple(f"{kind}-{severity}" for kind in kinds for severity in SEVERITIES)
