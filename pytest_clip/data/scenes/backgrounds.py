"""What lies behind the objects: flat backdrops, a lawn and floors with a real ground plane, and three walls that training never shows."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from .camera import HALF_WIDTH, WALL, pose, view_rotation
from .spec import Scene
from .staging import COLOUR_NAMES
from .textures import value_noise
from .vectors import dot
from .vocabulary import PALETTE

HORIZON = 40.0


def rays(size: int, *, device: torch.device) -> tuple[Tensor, Tensor]:
    """x and y [size, size] of the pixel rays (x, y, -1)."""
    axis = ((torch.arange(size, device=device) + 0.5) / size * 2 - 1) * HALF_WIDTH
    return axis.view(1, size).expand(size, size), (-axis).view(size, 1).expand(size, size)


def second_colour(name: str) -> tuple[float, float, float]:
    """The backdrop's second colour: another entry of the palette, washed out."""
    r, g, b = PALETTE[COLOUR_NAMES[(COLOUR_NAMES.index(name) * 7 + 3) % 11]]
    return r * 0.5 + 0.25, g * 0.5 + 0.25, b * 0.5 + 0.25


def _cloud(seed: int, size: int, *, device: torch.device) -> Tensor:
    noise = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(noise, size=(size, size), mode="bicubic").clamp(0, 1)[0, 0].to(device)


def _ground(scene: Scene, first: Tensor, second: Tensor, X: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """Lawn or checkered floor one unit under the object, with a soft contact shadow; colour [3, size, size], depth [size, size]."""
    size, device = X.shape[0], X.device
    V = torch.from_numpy(view_rotation(scene)).float().to(device)
    centre = torch.from_numpy(pose(scene)[1]).float().to(device)
    up = V[:, 1]
    slope = up[0] * X + up[1] * Y - up[2]
    t = ((up * (centre - up)).sum()) / slope
    hit = (t > 0) & (t < HORIZON) & (slope < 0)
    t = torch.where(hit, t, WALL)
    rel = (X * t - centre[0], Y * t - centre[1], -t - centre[2])
    gx, gz = dot(rel, V[:, 0].unbind()), dot(rel, V[:, 2].unbind())
    v = (torch.arange(size, device=device) + 0.5).view(size, 1) / size
    if scene.background == "outdoor":
        across, along = (gx * 5).view(-1), (gz * 5).view(-1)
        grass = value_noise((across, along, across * 0)).view(size, size)
        floor = torch.tensor([0.25, 0.5, 0.15], device=device).view(3, 1, 1) * (0.8 + 0.4 * grass)
        sky = torch.tensor([0.55, 0.75, 0.95], device=device).view(3, 1, 1) * (1 - 0.25 * v) + 0.12 * v
    else:
        odd = (torch.floor(gx * 1.1) + torch.floor(gz * 1.1)) % 2
        floor, sky = first * (1 - odd) + second * odd, second
    shadow = 1 - 0.45 * torch.exp(-(gx**2 + gz**2) / 0.5)
    return torch.where(hit, floor * shadow, sky), t


def _share(scene: Scene, X: Tensor, Y: Tensor) -> Tensor:
    """Share of the second colour [size, size] of a flat backdrop."""
    size, kind = X.shape[0], scene.background
    x, y = X / HALF_WIDTH, Y / HALF_WIDTH
    if kind == "plain":
        out = torch.zeros_like(x)
    elif kind == "gradient":
        out = (1 - y) / 2
    elif kind == "cloudy":
        out = 1 - _cloud(scene.instance, size, device=X.device)
    elif kind == "striped wall":
        angle = torch.tensor(float(scene.instance % 6283) / 1000)
        out = (torch.sin((x * torch.cos(angle) + y * torch.sin(angle)) * 14.5) <= 0).float()
    elif kind == "dotted wall":
        u, v = (x * 4) % 1 - 0.5, (y * 4) % 1 - 0.5
        out = (u * u + v * v < 0.09).float()
    elif kind == "rings":
        out = (torch.sin(torch.sqrt(x * x + y * y) * 22 + scene.instance % 7) > 0).float()
    else:  # brick wall
        course = y * 6
        row = torch.floor(course)
        along = x * 3 + 0.5 * (row % 2)
        out = ((course - row < 0.14) | (along - torch.floor(along) < 0.07)).float()
    return out


def backdrop(scenes: Sequence[Scene], *, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Colour [3, n, size, size] before exposure, and depth [n, size, size], of the scenes without their objects."""
    X, Y = rays(size, device=device)
    colour = torch.empty(3, len(scenes), size, size, device=device)
    depth = torch.full((len(scenes), size, size), WALL, device=device)
    for i, s in enumerate(scenes):
        first = torch.tensor(PALETTE[s.background_colour], device=device).view(3, 1, 1)
        second = torch.tensor(second_colour(s.background_colour), device=device).view(3, 1, 1)
        if s.background in ("outdoor", "checker floor"):
            shown, depth[i] = _ground(s, first, second, X, Y)
        else:
            w = _share(s, X, Y)
            shown = first * (1 - w) + second * w
        colour[:, i] = shown * (min(0.5 + 0.5 * s.light_intensity, 1.05) * torch.tensor(s.tint, device=device)).view(3, 1, 1)
    return colour, depth
