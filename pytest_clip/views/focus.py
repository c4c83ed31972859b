"""Depth of field: blur that grows with the distance from the plane in focus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from .filters import FEW, tapped
from .grid import scale
from .relief import relative

INTERVALS = 8  # the depths of a picture, cut into as many parts of equal area
FOCUSED = {"near": 0, "far": 7}  # which of the 9 boundaries is sharp
APERTURE = {"near": 2.0, "far": 0.5}  # plus the severity
EPSILON = 1e-4  # outermost boundaries are moved outwards by it


def near_focus(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The nearest point is sharp."""
    return _focus(x, depth, "near", level)


def far_focus(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Seven eighths of the picture are nearer than what is sharp."""
    return _focus(x, depth, "far", level)


def _focus(x: Tensor, depth: Tensor, where: str, level: int) -> Tensor:
    far = relative(depth)
    return torch.stack([_refocus(i, d, where, level + 1 + APERTURE[where], scale(x)) for i, d in zip(x, far, strict=True)])


def _refocus(image: Tensor, depth: Tensor, where: str, aperture: float, grid: float) -> Tensor:
    """[3, h, w]: a pixel between two boundaries is a mixture of the picture blurred for the one and for the other.

    Circle of confusion of boundary q: A |q - f| / q pixels of a 224-pixel image, f the depth in focus. Weights 1 - u^2 and 1 - (1 - u)^2,
    normalised, u the place between the boundaries. Of equal boundaries (a flat wall) only the first interval holds pixels, so none has
    width 0.
    """
    q = _boundaries(depth.flatten())
    q[0] -= EPSILON
    q[-1] += EPSILON
    stack = _blurred(image, aperture * (q - q[FOCUSED[where]]).abs() / q, grid)
    right = torch.searchsorted(q, depth).clamp(1, INTERVALS)
    u = (depth - q[right - 1]) / (q[right] - q[right - 1])
    near, far = 1 - u * u, 1 - (1 - u) ** 2
    total = near + far
    near, far, right = near.div_(total).flatten(), far.div_(total).flatten(), right.flatten().to(torch.uint8)
    # Pixels beside each other in memory: of rows that lie apart, as filters leave them, a sum takes 1.3 ms instead of 0.05.
    out = torch.zeros_like(image).flatten(1)
    for k, blurred in enumerate(stack):
        out.addcmul_(blurred.flatten(1), near * (right == k + 1) + far * (right == k))
    return out.view_as(image)


def _boundaries(depth: Tensor) -> Tensor:
    """`torch.quantile` of depths [n] at the ends of the intervals; from a quarter of the time on a CPU, where NumPy sorts."""
    share = torch.linspace(0, 1, INTERVALS + 1, device=depth.device)
    if depth.device.type != "cpu":
        return torch.quantile(depth, share)
    ordered, rank = torch.from_numpy(np.sort(depth.numpy())), share * (len(depth) - 1)
    low = rank.long()
    return ordered[low].lerp_(ordered[rank.ceil().long()], rank - low)


def _blurred(image: Tensor, radii: Tensor, grid: float) -> list[Tensor]:
    """The picture under each of the blurs, whose radii are pixels of a 224-pixel image; border aaa|abcd.

    At 224 pixels with the published taps: a Gaussian of deviation r, cut to int(3 r) taps, made odd. At other sizes a whole Gaussian of
    the deviation that these taps have, scaled: cut at 1.5 deviations and rounded to whole taps, small images would not be blurred at all.
    """
    done: dict[float, Tensor] = {}  # a wall gives several boundaries of one depth
    for radius in radii.tolist():
        if radius not in done:
            taps = _taps(radius, grid)
            done[radius] = image if taps is None else _filter(image, taps)
    return [done[radius] for radius in radii.tolist()]


def _taps(radius: float, grid: float) -> Tensor | None:
    """Odd number of weights that add to 1; None for no blur."""
    width = int(3 * radius) | 1
    if radius < 0.1 or width == 1:
        return None
    offsets = torch.arange(width, dtype=torch.float64) - width // 2
    weights = torch.exp(-0.5 * (offsets / radius) ** 2)
    weights /= weights.sum()
    if grid != 1:
        deviation = float((weights * offsets**2).sum().sqrt()) * grid
        reach = max(1, round(4 * deviation))
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).double() / deviation) ** 2)
        weights /= weights.sum()
    return weights.float()


def _filter(image: Tensor, taps: Tensor) -> Tensor:
    """The separable filter; many taps as two matrix products."""
    if len(taps) // 2 <= FEW:
        return tapped(image, taps[len(taps) // 2 :].tolist())
    down, across = (_matrix(n, taps).to(image.device) for n in image.shape[-2:])
    return down @ image @ across.T


def _matrix(n: int, taps: Tensor) -> Tensor:
    half = len(taps) // 2
    source = (torch.arange(n)[:, None] + torch.arange(-half, half + 1)).clamp(0, n - 1)
    return torch.zeros(n, n).scatter_add_(1, source, taps.expand(n, -1))
