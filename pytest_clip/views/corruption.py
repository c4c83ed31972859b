"""The corruptions by name, as functions and as views. Light: torch is imported when an image is corrupted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .catalog import KINDS_3D, KINDS_LAION, NEEDS_DEPTH, VERSION
from .view import Facts, View

if TYPE_CHECKING:
    from torch import Tensor


def corrupt(images: Tensor, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """`images` [n, 3, h, w] under one corruption, on the same device, in the same shape and dtype.

    float images hold values in [0, 1] and so does the result (float32 arithmetic, not rounded to 8 bits); uint8 images give uint8, cut off
    to whole levels as the reference does. `ids` name the images: what is random is drawn from a generator seeded by (kind, severity, id),
    so an image comes out bit for bit the same alone, in any batch and in any order. CPU and CUDA draw different numbers from one seed.

        corrupt(images, "gaussian_noise", 3, ["val/0001", "val/0002"])

    Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019.
    """
    from .apply import apply

    return apply(images, kind, severity, ids)


def corrupt_3d(images: Tensor, depth: Tensor | None, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """`images` [n, 3, h, w] under one corruption of a three-dimensional scene; images, ids and result as in `corrupt`.

    depth: float32 [n, h, w], z-distance of each pixel from the camera, above 0, in any unit (only ratios count), on the images' device.
    None will do for color_quant, iso_noise and low_light. The codec kinds need PyAV.

        corrupt_3d(images, depth, "fog_3d", 3, ["val/0001", "val/0002"])

    Kar, Yeo, Atanov & Zamir, "3D Common Corruptions and Data Augmentation", CVPR 2022.
    """
    from .apply3d import apply

    return apply(images, depth, kind, severity, ids)


def corrupt_laion(images: Tensor, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """`images` [n, 3, h, w] under one kind of LAION-C that is made in memory; images, ids and result as in `corrupt`.

    Numbers are drawn on the host, so CPU and CUDA draw the same.

        corrupt_laion(images, "vertical_lines", 3, ["val/0001", "val/0002"])

    Li et al., "LAION-C: An Out-of-Distribution Benchmark for Web-Scale Vision Models", ICML 2025.
    """
    from .laion import apply

    return apply(images, kind, severity, ids)


def corruption_view(kind: str, severity: int) -> View:
    """One of the 19 corruptions of ImageNet-C, the 12 of ImageNet-3DCC or the 4 of LAION-C at one severity, as a view."""

    def apply(images: Tensor, facts: Facts) -> Tensor:
        if kind in KINDS_3D:
            return corrupt_3d(images, facts.depth, kind, severity, facts.ids)
        if kind in KINDS_LAION:
            return corrupt_laion(images, kind, severity, facts.ids)
        return corrupt(images, kind, severity, facts.ids)

    return View(f"{kind}-{severity}", f"{kind}-{severity}-v{VERSION}", apply, needs_depth=kind in NEEDS_DEPTH)
