"""Blur of a camera that moves during the exposure: every frame is the point cloud of the picture seen from another place.

As the published script (a Ken Burns effect in 3D): 60 frames along a straight line; a picture's severities are means over more and more
of the same clip. All points move by one vector, so near ones move more. Shifts are those of a 512-pixel picture and scale with it. What
comes into sight behind an edge is taken from the farther side of it, and beyond the frame the picture goes on as its mirror image; the
published script has a network paint both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .points import Points, Step
from .seeds import draw

REFERENCE = 512  # pixels: the picture that the shifts are meant for
FRAMES = 60
XY_SHIFT, XY_SIDE, XY_FRAMES = (50, 75), (-75, 75), (20, 30, 40, 50, 60)
Z_SHIFT, Z_CROP, Z_FRAMES = (-30, 30), (0.5, 0.6), (20, 25, 30, 35, 38)
BORDER = 0.25  # of each side is left out when the nearest point is looked for
STRIDE = 1.0  # pixels: frames are skipped while the nearest points move less than this from one to the next
CHUNK = 1 << 16  # pixels that are worked on together
ALONE = 128 * 128  # pixels from which on a picture at a time in NumPy is faster than a few of them in torch
LAYER = math.log(1.05)  # points whose depths differ by less than 5 % are one surface
LAYERS = 127
SLANT = 0.2  # stretch by parallax of a surface seen at a slant, at the end of the way


@dataclass(frozen=True)
class Path:
    """Where the camera of each picture ends: the nearest point has moved by (u, v) pixels ([n]) and is `zoom` ([n]) times as far away."""

    u: Tensor
    v: Tensor
    zoom: Tensor
    reach: tuple[float, float]
    """no nearest point moves into the frame by more pixels than this, down and across"""
    forwards: bool = False

    def __getitem__(self, part: slice) -> Path:
        return replace(self, u=self.u[part], v=self.v[part], zoom=self.zoom[part])


def xy_motion_blur(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The camera moves sideways."""
    return _mean(x, depth, xy_path(x, each), XY_FRAMES[level], fastest=math.hypot(XY_SHIFT[1], XY_SIDE[1]))


def z_motion_blur(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The camera moves forwards and a little sideways."""
    return _mean(x, depth, z_path(x, each), Z_FRAMES[level], fastest=REFERENCE / 2**1.5)


def xy_path(x: Tensor, each: Sequence[Generator]) -> Path:
    """50 to 75 pixels to the left or right, up to 75 up or down."""
    side, along, across = draw(torch.rand, (3,), each).unbind(1)
    u = torch.where(side < 0.5, -1.0, 1.0) * _whole(along, XY_SHIFT)
    grid = min(x.shape[-2:]) / REFERENCE
    return Path(u * grid, _whole(across, XY_SIDE) * grid, torch.ones_like(u), (XY_SIDE[1] * grid, XY_SHIFT[1] * grid))


def z_path(x: Tensor, each: Sequence[Generator]) -> Path:
    """Up to 30 pixels any way, and 0.5 to 0.6 of the way to the nearest point. What is near leaves the frame, so nothing comes in."""
    along, across, crop = draw(torch.rand, (3,), each).unbind(1)
    grid = min(x.shape[-2:]) / REFERENCE
    zoom = Z_CROP[0] + (Z_CROP[1] - Z_CROP[0]) * crop
    return Path(_whole(along, Z_SHIFT) * grid, _whole(across, Z_SHIFT) * grid, zoom, (0.0, 0.0), forwards=True)


def _whole(u: Tensor, bounds: tuple[int, int]) -> Tensor:
    low, high = bounds
    return (low + (high - low) * u).floor()


def _mean(x: Tensor, depth: Tensor, path: Path, count: int, *, fastest: float) -> Tensor:
    """Mean of the first `count` frames; `fastest` is how far the last frame moves any point of a 512-pixel picture, roughly."""
    a_frame = fastest * min(x.shape[-2:]) / REFERENCE / (FRAMES - 1)
    stride = max(1, min(int(STRIDE / a_frame), count // 5))
    # The middle of the frames that each one stands for, so that the mean place stays.
    steps = [(k + (stride - 1) / 2) / (FRAMES - 1) for k in range(0, count - stride + 1, stride)]
    chunk = max(1, CHUNK // x[0, 0].numel())
    total = [sum(frames(x[i : i + chunk], depth[i : i + chunk], path[i : i + chunk], steps)) for i in range(0, len(x), chunk)]
    return unpacked(torch.cat(total)) / (255 * len(steps))  # type: ignore[arg-type]


def frames(x: Tensor, depth: Tensor, path: Path, steps: Sequence[float]) -> Iterator[Tensor]:
    """Pictures at these parts of the way, each int64 [n, h, w] with 20 bits a channel: sums of up to 4096 of them are exact."""
    height, width = x.shape[-2:]
    # Of the same size for all pictures of a size: a picture must not depend on the others.
    high, wide = (min(math.ceil(s * steps[-1]) + 1, n - 1) for s, n in zip(path.reach, (height, width), strict=True))
    pad = (wide, wide, high, high)
    colour = _packed(F.pad(x, pad, mode="reflect")).flatten(1)
    z = F.pad(depth[:, None], pad, mode="reflect")[:, 0]
    top, left = int(height * BORDER), int(width * BORDER)
    near = depth[:, top : height - top, left : width - left].amin((1, 2))[:, None, None] / z
    layer = ((depth.amax((1, 2))[:, None, None] / z).log() / LAYER).clamp(0, LAYERS)
    down = torch.arange(-high, height + high, device=x.device)[:, None] - (height - 1) / 2
    across = torch.arange(-wide, width + wide, device=x.device) - (width - 1) / 2
    screen = _Screen(layer, (height, width))
    points = screen.points(near, down, across, colour) if x.device.type == "cpu" and height * width >= ALONE else []
    u, v, zoom = (part[:, None, None] for part in (path.u, path.v, path.zoom))
    for step in steps:
        forward = step * (1 - zoom)  # of the way to the nearest point
        moved = step * (1 - forward)
        stretch: Tensor | float = SLANT * step
        if path.forwards:
            stretch = (stretch + forward / (1 - forward)).clamp(max=0.49)
        if points:
            yield _shots(points, path, moved, forward, stretch)
            continue
        shrink = near * moved
        y, x = down - v * shrink, across - u * shrink
        if path.forwards:
            closer = (1 - forward * near).clamp(min=0.05)
            y, x = y / closer, x / closer
        yield screen.shot(y, x, colour, stretch)


def _shots(points: Sequence[Points], path: Path, moved: Tensor, forward: Tensor, stretch: Tensor | float) -> Tensor:
    """int64 [n, h, w], a picture after the other: an array of one stays in the cache."""
    ahead, apart = forward.flatten().numpy(), stretch.flatten().numpy() if isinstance(stretch, Tensor) else [stretch] * len(points)
    cameras = [Step(a, b if path.forwards else None, c) for a, b, c in zip(moved.flatten().numpy(), ahead, apart, strict=True)]
    ways = zip(points, cameras, path.u.numpy(), path.v.numpy(), strict=True)
    return torch.from_numpy(np.stack([each.shot(camera, u, v) for each, camera, u, v in ways]))


class _Screen:
    """Forward warp with a z-buffer: of the points that fall on a pixel the nearest layer wins, in it one that is meant for the pixel.

    A point is a whole number: its layer in the upper bits, then whether the pixel is the one that its place rounds to, then which it is.
    """

    def __init__(self, layer: Tensor, size: tuple[int, int]) -> None:
        self.size = size
        self.bits = layer[0].numel().bit_length()
        place = torch.arange(layer[0].numel(), device=layer.device, dtype=torch.int64 if self.bits > 22 else torch.int32)
        self.key = (layer.flatten(1).to(place.dtype) << (self.bits + 1) | place).flatten()
        self.best = self.key | 1 << self.bits
        # Two pixels of waste on every side take what falls outside the frame.
        self.wide, self.room = size[1] + 4, (size[0] + 4) * (size[1] + 4)
        self.start = torch.arange(len(layer), device=layer.device)[:, None, None] * self.room

    def points(self, near: Tensor, down: Tensor, across: Tensor, colour: Tensor) -> list[Points]:
        """The same for each picture alone, in NumPy."""
        n, bit = len(near), 1 << self.bits
        place = tuple(part.expand(near.shape[1:]).flatten().numpy() for part in (down, across))
        parts = zip(self.key.view(n, -1).numpy(), near.flatten(1).numpy(), colour.numpy(), strict=True)
        return [Points(key, bit, far, (place[0], place[1]), shown, self.size) for key, far, shown in parts]

    def shot(self, y: Tensor, x: Tensor, colour: Tensor, stretch: Tensor | float) -> Tensor:
        """The frame whose points lie at (y, x) pixels from the middle, neighbours at most 1 + stretch apart; int64 [n, h, w]."""
        height, width = self.size
        rows = [row * self.wide + self.start for row in _pixels(y, height, stretch)]
        columns = _pixels(x, width, stretch)
        buffer = torch.full((len(y) * self.room,), -1, dtype=self.key.dtype, device=y.device)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                buffer.scatter_reduce_(0, (row + column).flatten(), self.key if i or j else self.best, "amax")
        seen = _filled(buffer.view(len(y), height + 4, self.wide)[:, 2:-2, 2:-2].long())
        return colour.gather(1, (seen & (1 << self.bits) - 1).flatten(1)).view(len(y), height, width)


def _filled(seen: Tensor) -> Tensor:
    """Empty pixels (-1) take the farthest of the nearest that are not: up, down, left, right. [n, h, w], the smaller the farther."""
    flat = seen.flatten()
    empty = (flat < 0).nonzero()[:, 0]
    # -1 with any place in the upper bits is -1 still, so the running maximum along an axis is the last pixel that is not empty.
    found = [
        torch.cummax(line | place, dim)[0].flip(turned).flatten()[empty] & NOTHING
        for dim in (1, 2)
        for turned in ((), (dim,))
        for line in (seen.flip(turned),)
        for place in (_along(seen, dim),)
    ]
    return flat.scatter(0, empty, torch.stack(found).amin(0)).view_as(seen)


NOTHING = (1 << 44) - 1  # above every key; its lower bits are still a place, should a frame hold no point at all


def _along(seen: Tensor, dim: int) -> Tensor:
    place = torch.arange(seen.shape[dim], device=seen.device) << 44
    return place[:, None] if dim == 1 else place


def _pixels(at: Tensor, size: int, stretch: Tensor | float) -> tuple[Tensor, Tensor]:
    """The pixel that a place rounds to, and the one that it nearly rounds to (else the same); 0 to size + 3, two of waste at each end.

    Two neighbours 1 + e pixels apart leave out the pixel between theirs only if the first was within e of it, so that is near enough.
    """
    at = at + (size - 1) / 2 + 2
    low, high = (at + (0.5 - stretch)).floor(), (at + (0.5 + stretch)).floor()
    mine = (at + 0.5).floor()
    return mine.clamp(0, size + 3).long(), (low + high - mine).clamp(0, size + 3).long()


def _packed(x: Tensor) -> Tensor:
    """[n, 3, h, w] in [0, 1] to int64 [n, h, w], 8-bit levels in 20 bits a channel."""
    red, green, blue = (x * 255 + 1e-3).floor().long().unbind(1)
    return red | green << 20 | blue << 40


def unpacked(total: Tensor) -> Tensor:
    """Sums of packed frames as float32 [n, 3, h, w]."""
    mask = (1 << 20) - 1
    return torch.stack([total & mask, total >> 20 & mask, total >> 40], 1).float()


def packed_levels(frame: Tensor) -> Tensor:
    """Levels of one frame, uint8 [h, w, 3]."""
    return torch.stack([frame.to(torch.uint8), (frame >> 20).to(torch.uint8), (frame >> 40).to(torch.uint8)], -1)
