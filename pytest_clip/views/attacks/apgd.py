"""Auto-PGD: projected gradient ascent with momentum that halves its step where progress ends (Croce and Hein 2020, algorithm 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .goals import Goal, Losses, margin

Forward = Callable[[Tensor], Tensor]
"""float32 [n, 3, h, w] in [0, 1] to logits [n, C], differentiable; and what it says of a picture depends on that picture alone."""
TOGETHER = {"cpu": 16, "cuda": 64}
"""Pictures in a pass. Below 16 the last bits depend on the number of threads (`extract.cores.FEW`)."""
MOMENTUM, RHO = 0.75, 0.75
"""alpha: how much of a step is new; rho: which share of the steps between two checkpoints must have gained."""


def checkpoints(steps: int) -> list[int]:
    """Steps after which the step size is looked at: w_j = ceil(p_j N), p = 0, 0.22, then p + max(last distance - 0.03, 0.06)."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(round(shares[-1] - shares[-2] - 0.03, 6), 0.06))
    return sorted({math.ceil(round(share * steps, 6)) for share in shares[1:] if share <= 1})


@dataclass
class _Way:
    """Where the search of each picture is: all of it is [n, ...], so that finished pictures can leave."""

    rows: Tensor
    """which pictures these are"""
    low: Tensor
    high: Tensor
    size: Tensor
    here: Tensor
    before: Tensor
    loss: Tensor
    gradient: Tensor
    best: Tensor
    best_loss: Tensor
    best_gradient: Tensor
    gains: Tensor
    """steps since the last checkpoint that made the loss larger"""
    halved: Tensor
    """whether the last checkpoint halved the step"""
    known: Tensor
    """the best loss at the last checkpoint"""

    def keep(self, some: Tensor) -> None:
        """Only the pictures `some`, a mask."""
        for name, value in vars(self).items():
            setattr(self, name, value[some])


def apgd(forward: Forward, images: Tensor, goal: Goal, loss: Losses, *, eps: Tensor, start: Tensor, steps: int) -> Tensor:
    """Bool [n]: which `images` [n, 3, h, w] have a picture within `eps` [n] (L-infinity, in [0, 1]) that is answered wrongly, as far as
    `steps` steps find one.

    `start` [n, 3, h, w] in [-1, 1] says where in the box a search begins. A picture whose wrong answer is found is searched no further.
    """
    wide = eps.view(-1, 1, 1, 1)
    low, high = (images - wide).clamp(0, 1), (images + wide).clamp(0, 1)
    here = torch.minimum(torch.maximum(images + wide * start, low), high)
    found = torch.zeros(len(images), dtype=torch.bool, device=images.device)
    value, slope, broken = look(forward, here, goal, loss, slope=steps > 0)
    found |= broken
    way = _Way(
        torch.arange(len(images), device=images.device), low, high, 2 * wide, here, here, value, slope, here, value, slope,
        torch.zeros_like(value), torch.zeros_like(found), value,
    )  # fmt: skip
    way.keep(~broken)
    looked = checkpoints(steps)
    for step in range(1, steps + 1):
        if not len(way.rows):
            break
        broken = _step(forward, way, goal.of(way.rows), loss, first=step == 1, last=step == steps)
        found[way.rows[broken]] = True
        way.keep(~broken)
        if step in looked:
            _checkpoint(way, since=step - max((each for each in looked if each < step), default=0))
    return found


def together(images: Tensor) -> int:
    """How many pictures pass at a time where these lie."""
    return TOGETHER.get(images.device.type, 16)


def look(forward: Forward, images: Tensor, goal: Goal, loss: Losses, *, slope: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The loss [n], its gradient by the pictures (zeros unless `slope`), and whether the answer is wrong [n].

    Always `TOGETHER` pictures at a time, the last ones repeated: what the model says of a picture then depends, to the last bit, neither on
    how many are left of the others nor on threads, and the sign of a gradient makes a step of any last bit.
    """
    values, slopes, broken = [], [], []
    size = together(images)
    for at in range(0, len(images), size):
        rows = torch.arange(at, at + size, device=images.device).clamp(max=len(images) - 1)
        own = goal.of(rows)
        with torch.set_grad_enabled(slope):
            asked = images[rows].detach().requires_grad_(slope)
            logits = forward(asked)
            value = loss(logits, own)
            gradient = torch.autograd.grad(value.sum(), asked)[0] if slope else torch.zeros_like(asked)
        here = min(size, len(images) - at)
        values.append(value.detach()[:here])
        slopes.append(gradient[:here])
        broken.append((margin(logits.detach(), own.right) <= 0)[:here])
    return torch.cat(values), torch.cat(slopes), torch.cat(broken)


def _step(forward: Forward, way: _Way, goal: Goal, loss: Losses, *, first: bool, last: bool) -> Tensor:
    """One step of each picture; whether it is answered wrongly now."""

    def inside(x: Tensor) -> Tensor:
        return torch.minimum(torch.maximum(x, way.low), way.high)

    moved = inside(way.here + way.size * way.gradient.sign())
    if not first:
        moved = inside(way.here + MOMENTUM * (moved - way.here) + (1 - MOMENTUM) * (way.here - way.before))
    way.before, way.here = way.here, moved
    value, way.gradient, broken = look(forward, way.here, goal, loss, slope=not last)
    way.gains = way.gains + (value > way.loss)
    better = value > way.best_loss
    shaped = better.view(-1, 1, 1, 1)
    way.loss, way.best_loss = value, torch.where(better, value, way.best_loss)
    way.best = torch.where(shaped, way.here, way.best)
    way.best_gradient = torch.where(shaped, way.gradient, way.best_gradient)
    return broken


def _checkpoint(way: _Way, *, since: int) -> None:
    """Halve the step, and go on from the best, where too few of the last steps gained, or none did and the step was not halved either."""
    halve = (way.gains < RHO * since) | (~way.halved & (way.known >= way.best_loss))
    shaped = halve.view(-1, 1, 1, 1)
    way.size = torch.where(shaped, way.size / 2, way.size)
    way.here, way.gradient = torch.where(shaped, way.best, way.here), torch.where(shaped, way.best_gradient, way.gradient)
    way.loss = torch.where(halve, way.best_loss, way.loss)
    way.gains, way.halved, way.known = torch.zeros_like(way.gains), halve, way.best_loss
