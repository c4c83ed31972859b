"""Small changes that leave what a picture shows alone: mirrored, moved, turned, lighter or darker, compressed. Light: torch comes with use.

Each has a strength that can grow until answers change, in whole steps so that a smallest one exists. A change with two or four directions
gives every image one of them, by a hash of its id: half of the images turn left, half right.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .view import Facts, View

if TYPE_CHECKING:
    from torch import Tensor

VERSION = 1  # part of the key of every stored answer: raise it whenever the pixels of any change differ


@dataclass(frozen=True)
class Change:
    """`apply(images, strength, direction)`: uint8 [n, 3, h, w] to the same, all in one of `directions`."""

    name: str
    unit: str
    """what the strength counts, in words"""
    step: float
    steps: int
    """how far a search goes: strengths are step, 2 step, ..., steps x step"""
    small: int
    """steps that change nothing a person would mind"""
    directions: int
    apply: Callable[[Tensor, float, int], Tensor]

    def strength(self, steps: int) -> float:
        """So many steps, in the change's own unit."""
        return round(self.step * steps, 6)

    def view(self, steps: int) -> View:
        """The image set under the change at so many steps."""
        strength = self.strength(steps)

        def seen(images: Tensor, facts: Facts) -> Tensor:
            out = images.clone()
            sides = [zlib.crc32(each.encode("utf-8", "surrogatepass")) % self.directions for each in facts.ids]
            for side in set(sides):
                rows = [i for i, own in enumerate(sides) if own == side]
                out[rows] = self.apply(images[rows], strength, side)
            return out

        name = f"{self.name}-{strength:g}"
        return View(name, f"{name}-change-v{VERSION}", seen)


def _flip(images: Tensor, strength: float, side: int) -> Tensor:
    del strength, side
    return images.flip(-1)


def _shift(images: Tensor, strength: float, side: int) -> Tensor:
    """By a share of the size; the border's pixels are repeated."""
    from torchvision.transforms.v2 import functional as F

    height, width = images.shape[-2:]
    dy, dx = ((0, 1), (0, -1), (1, 0), (-1, 0))[side]
    by = round(strength * (width if dx else height))
    left, right, top, bottom = (by * (d > 0) for d in (dx, -dx, dy, -dy))
    padded = F.pad(images, [left, top, right, bottom], padding_mode="edge")
    out: Tensor = F.crop(padded, bottom, right, height, width)
    return out


def _rotate(images: Tensor, strength: float, side: int) -> Tensor:
    """About the centre, bilinear; what comes in at the corners is the picture mirrored at its border."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    height, width = images.shape[-2:]
    border = math.ceil((math.sqrt(2) - 1) / 2 * max(height, width)) + 1
    padded = F.pad(images, [border] * 4, padding_mode="reflect")
    turned = F.rotate(padded, strength if side else -strength, interpolation=InterpolationMode.BILINEAR)
    out: Tensor = F.center_crop(turned, [height, width])
    return out


def _brightness(images: Tensor, strength: float, side: int) -> Tensor:
    """All values times 1 + strength or 1 - strength."""
    from torchvision.transforms.v2 import functional as F

    out: Tensor = F.adjust_brightness(images, 1 + strength if side else 1 - strength)
    return out


def _contrast(images: Tensor, strength: float, side: int) -> Tensor:
    """All distances from the picture's mean gray times 1 + strength or 1 - strength."""
    from torchvision.transforms.v2 import functional as F

    out: Tensor = F.adjust_contrast(images, 1 + strength if side else 1 - strength)
    return out


def _jpeg(images: Tensor, strength: float, side: int) -> Tensor:
    """Encoded at quality 100 - strength by Pillow: torchvision.io's encoder warns of its removal since torchvision 0.29."""
    del side
    from io import BytesIO

    import numpy as np
    import torch
    from PIL import Image

    def through(picture: Tensor) -> Tensor:
        file = BytesIO()
        Image.fromarray(picture.permute(1, 2, 0).cpu().numpy()).save(file, "JPEG", quality=100 - round(strength))
        return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)

    return torch.stack([through(picture) for picture in images]).to(images.device)


CHANGES = {
    change.name: change
    for change in (
        Change("flip", "mirrored", 1.0, 1, 1, 1, _flip),
        Change("shift", "share of the size", 1 / 32, 8, 1, 4, _shift),
        Change("rotate", "degrees", 2.5, 18, 2, 2, _rotate),
        Change("brightness", "change of the factor 1", 0.1, 9, 1, 2, _brightness),
        Change("contrast", "change of the factor 1", 0.1, 9, 1, 2, _contrast),
        Change("jpeg", "quality below 100", 10.0, 9, 1, 1, _jpeg),
    )
}
"""By name. `flip` is there or not; the strength of the others can be searched."""
