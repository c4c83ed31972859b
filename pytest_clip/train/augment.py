"""Image augmentation of the training loop: crop, mirror, contrast, blur and noise. Fog, JPEG and pixelation are left unseen on purpose."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .recipe import IMAGE


def blurred(x: Tensor) -> Tensor:
    """Gaussian blur with one sigma from [0.4, 1.3] pixels for the whole batch."""
    sigma = float(torch.empty(1).uniform_(0.4, 1.3))
    k = torch.exp(-(torch.arange(-3, 4.0) ** 2) / (2 * sigma * sigma))
    k = (k / k.sum()).expand(3, 1, 1, 7)
    return F.conv2d(F.conv2d(x, k, padding=(0, 3), groups=3), k.transpose(2, 3), padding=(3, 0), groups=3)


def augment(pixels: Tensor, *, may_mirror: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 [n, h, w, 3] to a normalised float batch; only images of `may_mirror` [n] may be mirrored (captions say left and right)."""
    n = len(pixels)
    x = pixels.permute(0, 3, 1, 2).float().div_(255)
    i, j = torch.randint(0, 9, (2,)).tolist()
    x = F.pad(x, (4, 4, 4, 4), mode="replicate")[:, :, i : i + IMAGE, j : j + IMAGE].contiguous()
    chosen = (torch.rand(n) < 0.5) & may_mirror
    x[chosen] = x[chosen].flip(-1)
    chosen = torch.rand(n) < 0.3
    if k := int(chosen.sum()):
        mu = x[chosen].mean((1, 2, 3), keepdim=True)
        contrast, shift = torch.empty(k, 1, 1, 1).uniform_(0.5, 1.25), torch.empty(k, 1, 1, 1).uniform_(-0.12, 0.12)
        x[chosen] = (x[chosen] - mu) * contrast + mu + shift
    chosen = torch.rand(n) < 0.12
    if bool(chosen.any()):
        x[chosen] = blurred(x[chosen])
    chosen = torch.rand(n) < 0.2
    if k := int(chosen.sum()):
        x[chosen] = x[chosen] + torch.randn(k, 3, IMAGE, IMAGE) * torch.empty(k, 1, 1, 1).uniform_(0, 0.15)
    return ((x.clamp_(0, 1) - mean) / std).contiguous(memory_format=torch.channels_last)
