"""Errors of AlexNet on the published corrupted images: what mean corruption errors are divided by."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Reference:
    """Errors of a reference model: on clean images, and per kind the mean over the severities 1 .. `severities`."""

    name: str
    clean: float
    errors: Mapping[str, float]
    severities: int
    source: str


# The denominators of Hendrycks & Dietterich 2019 (equation 1; table 2 calls them 100 %): torchvision's AlexNet on all 50,000
# files of every kind and severity. The authors list the 75 errors in https://github.com/hendrycks/robustness/issues/10; these are the means
# of five. The paper prints 43.5 % for the clean error; torchvision's page of these weights says 56.522 % right.
ALEXNET_IMAGENET_C = Reference(
    name="AlexNet",
    clean=0.43478,
    errors=MappingProxyType(
        {
            "gaussian_noise": 0.886428,
            "shot_noise": 0.894468,
            "impulse_noise": 0.922640,
            "defocus_blur": 0.819880,
            "glass_blur": 0.826268,
            "motion_blur": 0.785948,
            "zoom_blur": 0.798360,
            "snow": 0.866816,
            "frost": 0.826572,
            "fog": 0.819324,
            "brightness": 0.564592,
            "contrast": 0.853204,
            "elastic_transform": 0.646056,
            "pixelate": 0.717840,
            "jpeg_compression": 0.606500,
        }
    ),
    severities=5,
    source="AlexNet on the 50,000 files of ImageNet-C (Hendrycks & Dietterich 2019; hendrycks/robustness#10), clean error 43.478 %",
)
# Nobody has published all 50,000 for these files.
ALEXNET_IMAGENET_3DCC = Reference(
    name="AlexNet",
    clean=0.4376,
    errors=MappingProxyType(
        {
            "near_focus": 0.6107,
            "far_focus": 0.6515,
            "bit_error": 0.6834,
            "color_quant": 0.5962,
            "flash": 0.8012,
            "fog_3d": 0.7736,
            "h265_abr": 0.5674,
            "h265_crf": 0.5252,
            "iso_noise": 0.9315,
            "low_light": 0.8225,
            "xy_motion_blur": 0.8248,
            "z_motion_blur": 0.7959,
        }
    ),
    severities=5,
    source="AlexNet on 5,000 of the 50,000 files of ImageNet-3DCC (RobustBench's subset), clean error 43.76 %",
)
