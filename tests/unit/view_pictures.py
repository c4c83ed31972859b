"""Pictures for the tests of the views: a fall of the spectrum as in photographs, edges of disks, flat colour; no files."""

from functools import lru_cache

import torch
from torch import Tensor


def pictures(n: int, height: int, width: int | None = None, first: int = 0) -> Tensor:
    """[n, 3, height, width] uint8; picture i is the same for every n."""
    return torch.stack([_picture(first + i, height, width or height) for i in range(n)])


def names(n: int, first: int = 0) -> list[str]:
    return [f"picture/{first + i}" for i in range(n)]


@lru_cache(maxsize=256)  # 40 MB: the tests over 200 pictures see them 58 times
def _picture(number: int, height: int, width: int) -> Tensor:
    g = torch.Generator().manual_seed(number)
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None] * height, torch.fft.rfftfreq(width) * width).clamp(min=1)
    clouds = torch.fft.irfft2(torch.fft.rfft2(torch.randn(3, height, width, generator=g)) / frequency**1.1, s=(height, width))
    clouds = clouds + 1.5 * clouds.mean(0)  # colours go together, mostly
    x = 0.45 + 0.17 * (clouds - clouds.mean()) / clouds.std()
    y, z = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    for _ in range(4):
        cy, cx, radius, *colour = torch.rand(6, generator=g).tolist()
        inside = torch.hypot(y - cy, z - cx) < 0.05 + 0.2 * radius
        x = torch.where(inside, 0.3 * x + 0.7 * torch.tensor(colour)[:, None, None], x)
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)
