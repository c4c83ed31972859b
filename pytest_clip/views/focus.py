"""Depth of field: blur that grows with the distance from the plane in focus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    width 0. What is far in a picture is mostly above what is near: only the rows that show a blur are blurred.
    """
    q = _boundaries(depth.flatten())
    q[0] -= EPSILON
    q[-1] += EPSILON
    out = torch.zeros_like(image)
    radii = (aperture * (q - q[FOCUSED[where]]).abs() / q).tolist()
    for radius, (weight, rows) in zip(radii, _weights(depth, q), strict=True):
        if rows.stop > rows.start:
            taps = _taps(radius, grid)
            blurred = image[:, rows] if taps is None else _filter(image, taps, rows)
            out[:, rows].addcmul_(blurred, weight[rows])
    return out


def _weights(depth: Tensor, q: Tensor) -> Iterator[tuple[Tensor, slice]]:
    """For each boundary the weights [h, w] of the picture that is blurred for it, and the rows outside of which they are 0."""
    right = torch.searchsorted(q, depth).clamp(1, INTERVALS)
    if depth.device.type == "cpu":  # a product with truths and a choice take a quarter of torch's time
        to, at, ends = right.numpy(), depth.numpy(), q.numpy()
        left = ends.take(to - 1)
        u = (at - left) / (ends.take(to) - left)
        near, far = 1 - u * u, 1 - (1 - u) ** 2
        total = near + far
        near /= total
        far /= total
        to = to.astype(np.uint8)
        for k in range(INTERVALS + 1):
            mine, before = to == k + 1, to == k
            rows = np.flatnonzero((mine | before).any(1))
            yield torch.from_numpy(near * mine + far * before), slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
        return
    u = (depth - q[right - 1]) / (q[right] - q[right - 1])
    near, far = 1 - u * u, 1 - (1 - u) ** 2
    total = near + far
    for k in range(INTERVALS + 1):
        yield near / total * (right == k + 1) + far / total * (right == k), slice(0, depth.shape[0])


def _boundaries(depth: Tensor) -> Tensor:
    """`torch.quantile` of depths [n] at the ends of the intervals; from a quarter of the time on a CPU, where NumPy sorts."""
    share = torch.linspace(0, 1, INTERVALS + 1, device=depth.device)
    if depth.device.type != "cpu":
        return torch.quantile(depth, share)
    ordered, rank = torch.from_numpy(np.sort(depth.numpy())), share * (len(depth) - 1)
    low = rank.long()
    return ordered[low].lerp_(ordered[rank.ceil().long()], rank - low)


def _taps(radius: float, grid: float) -> Tensor | None:
    """Odd number of weights that add to 1; None for no blur. `radius` in pixels of a 224-pixel image.

    At 224 pixels the published taps: a Gaussian of deviation r, cut to int(3 r) taps, made odd. At other sizes a whole Gaussian of the
    deviation that these taps have, scaled: cut at 1.5 deviations and rounded to whole taps, small images would not be blurred at all.
    """
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


def _filter(image: Tensor, taps: Tensor, rows: slice) -> Tensor:
    """These rows under the separable filter, border aaa|abcd; many taps as two matrix products, which are of the whole picture: of fewer
    rows they may add in another order."""
    reach = len(taps) // 2
    if reach <= FEW:
        top = max(0, rows.start - reach)
        return tapped(image[:, top : rows.stop + reach], taps[reach:].tolist())[:, rows.start - top : rows.stop - top]
    height, width = image.shape[-2:]
    down = _matrix(height, taps).to(image.device)
    across = down if width == height else _matrix(width, taps).to(image.device)
    return (down @ image @ across.T)[:, rows]


def _matrix(n: int, taps: Tensor) -> Tensor:
    half = len(taps) // 2
    source = (torch.arange(n)[:, None] + torch.arange(-half, half + 1)).clamp(0, n - 1)
    return torch.zeros(n, n).scatter_add_(1, source, taps.expand(n, -1))
