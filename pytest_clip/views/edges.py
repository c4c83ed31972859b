"""Canny's edges and the distance to them, as OpenCV has them, for the rims of water drops. Everything is whole numbers in float32."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LOW, HIGH = 50, 150  # an edge is stronger than LOW and connected to one stronger than HIGH
FARTHEST = 20  # pixels: where the distance is cut


def canny(x: Tensor) -> Tensor:
    """bool [n, 1, h, w]: the edges of [n, 1, h, w] with values 0..255. Sobel of 3 x 3, strength |dx| + |dy|.

    An edge is at least as strong as its two neighbours along the nearer of the axes and diagonals to the gradient.
    """
    height, width = x.shape[-2:]
    p = F.pad(x, (1, 1, 1, 1), mode="replicate")
    across = p[..., 2:] - p[..., :-2]
    across = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    down = p[..., 2:, :] - p[..., :-2, :]
    down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    strength = across.abs() + down.abs()
    around = F.pad(strength, (1, 1, 1, 1))

    def at(dy: int, dx: int) -> Tensor:
        return around[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    flat = down.abs() < across.abs() * (2**0.5 - 1)  # the gradient is within 22.5 degrees of horizontal
    steep = down.abs() > across.abs() * (2**0.5 + 1)
    peak = torch.where(
        across * down < 0,
        (strength > at(-1, 1)) & (strength > at(1, -1)),
        (strength > at(-1, -1)) & (strength > at(1, 1)),
    )
    peak = torch.where(steep, (strength > at(-1, 0)) & (strength >= at(1, 0)), peak)
    peak = torch.where(flat, (strength > at(0, -1)) & (strength >= at(0, 1)), peak)
    candidates, edges = peak & (strength > LOW), peak & (strength > HIGH)
    while not torch.equal(more := candidates & (F.max_pool2d(edges.float(), 3, 1, 1) > 0), edges):
        edges = more
    return edges


def distance(edges: Tensor) -> Tensor:
    """Euclidean distance to the nearest edge, at most FARTHEST."""
    far, width = float(FARTHEST), edges.shape[-1]
    near = torch.where(edges, 0.0, far)
    for _ in range(FARTHEST):  # along columns, a pixel a round
        padded = F.pad(near, (0, 0, 1, 1), value=far)
        near = torch.minimum(near, torch.minimum(padded[..., :-2, :], padded[..., 2:, :]) + 1)
    squares = F.pad(near * near, (FARTHEST, FARTHEST, 0, 0), value=far * far)
    out = torch.full_like(near, far * far)
    for offset in range(-FARTHEST, FARTHEST + 1):
        start = FARTHEST + offset
        out = torch.minimum(out, squares[..., start : start + width] + offset * offset)
    return out.sqrt()
