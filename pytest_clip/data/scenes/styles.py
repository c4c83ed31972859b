"""Rendering styles other than the photograph: drawn from edges of depth and normals, or from the finished picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def edges(depth: Tensor, normal: Tensor) -> Tensor:
    """Where depth [n, h, w] jumps by more than 0.12 or the normal [n, h, w, 3] turns: bool [n, h, w]."""
    d = F.pad(depth[:, None], (0, 1, 0, 1), mode="replicate")[:, 0]
    n = F.pad(normal.permute(0, 3, 1, 2), (0, 1, 0, 1), mode="replicate")
    jump = ((d[:, 1:, :-1] - depth).abs() > 0.12) | ((d[:, :-1, 1:] - depth).abs() > 0.12)
    here = normal.permute(0, 3, 1, 2)
    turn = ((n[:, :, 1:, :-1] - here).abs().sum(1) > 0.6) | ((n[:, :, :-1, 1:] - here).abs().sum(1) > 0.6)
    return jump | turn


def _luminance(rgb: Tensor) -> Tensor:
    return rgb.mean(-1, keepdim=True)


def _halftone(rgb: Tensor) -> Tensor:
    """Black dots on white, 6 pixels apart, area by darkness."""
    size = rgb.shape[1]
    i = torch.arange(size, device=rgb.device)
    u, v = ((i % 6) - 2.5).view(1, size, 1), ((i % 6) - 2.5).view(1, 1, size)
    tone = F.avg_pool2d(_luminance(rgb).permute(0, 3, 1, 2), 5, 1, 2)[:, 0]
    ink = (u * u + v * v) < (1 - tone) * 14
    return torch.where(ink[..., None], 0.08, 0.96).expand_as(rgb)


def _mosaic(rgb: Tensor) -> Tensor:
    """Tiles of 6 x 6 pixels in 4 levels per channel, with dark joints."""
    size = rgb.shape[1]
    small = F.avg_pool2d(rgb.permute(0, 3, 1, 2), 6, 6, ceil_mode=True)
    big = F.interpolate(small, scale_factor=6.0, mode="nearest")[:, :, :size, :size].permute(0, 2, 3, 1)
    joint = (torch.arange(size, device=rgb.device) % 6 == 0).float()
    lines = 1 - 0.6 * torch.maximum(joint.view(1, size, 1, 1), joint.view(1, 1, size, 1))
    return (big * 3).round() / 3 * lines


def restyle(style: str, rgb: Tensor, *, depth: Tensor, normal: Tensor, mask: Tensor) -> Tensor:
    """Pictures [n, h, w, 3] in [0, 1] in another style; depth is 9 where nothing stands, mask marks the main object."""
    if style == "sketch":
        return torch.where(edges(depth, normal)[..., None], 0.15, 0.9 + 0.1 * _luminance(rgb)).expand_as(rgb)
    if style == "cartoon":
        return torch.where(edges(depth, normal)[..., None], rgb * 0.15, rgb)
    if style == "silhouette":
        return torch.where(mask[..., None], 0.03, rgb * 0.3 + 0.7)
    if style == "grayscale":
        return _luminance(rgb).expand_as(rgb)
    if style == "blueprint":
        paper = torch.tensor([0.10, 0.25, 0.55], device=rgb.device) * (0.85 + 0.15 * _luminance(rgb))
        return torch.where(edges(depth, normal)[..., None], 0.95, paper)
    if style == "halftone":
        return _halftone(rgb)
    if style == "mosaic":
        return _mosaic(rgb)
    return rgb
