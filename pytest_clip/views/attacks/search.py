"""What is tried on a picture at one budget, and the smallest budget at which something works."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..seeds import draw, generators
from .apgd import Forward, apgd, look, together
from .budgets import HALVINGS, TARGETS
from .goals import Goal, margin, odds, targeted_dlr, wrong_classes


def broken(
    forward: Forward, images: Tensor, right: Tensor, ids: Sequence[str], *, eps: Tensor, steps: int, most: int = TARGETS
) -> Tensor:  # fmt: skip
    """Bool [n]: which `images` float32 [n, 3, h, w] in [0, 1] APGD makes the model answer wrongly, each within its own `eps` [n].

    First along the cross-entropy, then, of those left, towards each of the `most` likeliest wrong classes (of the picture as it is) by the
    targeted ratio of logits. `right` bool [n, C] are the right classes. Where a search begins follows from `ids` alone.
    """
    goal = Goal(right)
    found = apgd(forward, images, goal, odds, eps=eps, start=_start("apgd-ce", ids, images), steps=steps)
    if bool(found.all()):
        return found
    ranked, wrong = wrong_classes(_logits(forward, images, goal), right), (~right).sum(1)
    rank, last = 0, tried(right.shape[1], most)
    while rank < last and not bool(found.all()):
        left = torch.nonzero(~found)[:, 0].tolist()
        ranks = range(rank, min(last, rank + max(1, together(images) // len(left))))  # a pass costs the same with few pictures in it
        rank = ranks.stop
        pairs = [(row, aim) for aim in ranks for row in left if aim < wrong[row]]
        if not pairs:
            break
        rows, aims = torch.tensor(pairs, device=images.device).T
        start = torch.cat([_start(f"apgd-t-{aim}", [ids[row]], images) for row, aim in pairs])
        goals = goal.of(rows).towards(ranked[rows, aims])
        hit = apgd(forward, images[rows], goals, targeted_dlr, eps=eps[rows], start=start, steps=steps)
        found[rows[hit]] = True
    return found


def tried(classes: int, most: int = TARGETS) -> int:
    """To how many wrong classes of so many classes a picture with one right one is driven."""
    return min(most, classes - 1)


def _start(kind: str, ids: Sequence[str], images: Tensor) -> Tensor:
    return 2 * draw(torch.rand, tuple(images.shape[1:]), generators(kind, 0, ids, images.device)) - 1


def _logits(forward: Forward, images: Tensor, goal: Goal) -> Tensor:
    kept: list[Tensor] = []

    def listening(some: Tensor) -> Tensor:
        kept.append(forward(some))
        return kept[-1]

    look(listening, images, goal, odds, slope=False)
    return torch.cat(kept)[: len(images)]


def bisected(
    forward: Forward, images: Tensor, right: Tensor, ids: Sequence[str], *, low: Tensor, high: Tensor, steps: int, halvings: int = HALVINGS
) -> Tensor:
    """[n] the smallest budget found to break each picture: `high` [n] does, `low` [n] was not found to; an upper bound as any attack."""
    for _ in range(halvings):
        middle = (low + high) / 2
        hit = broken(forward, images, right, ids, eps=middle, steps=steps)
        low, high = torch.where(hit, low, middle), torch.where(hit, middle, high)
    return high


def slopes(forward: Forward, images: Tensor, right: Tensor, *, eps: float) -> tuple[Tensor, Tensor]:
    """Bool [n] each: whether the lead of the right class has a gradient at the picture at all, and whether a step of `eps` against its sign
    makes that lead smaller. A model that rounds, thresholds or draws lots on its way has none, or one that leads nowhere, and then a search
    along gradients finds nothing, however little there is to find (Athalye et al. 2018, https://arxiv.org/abs/1802.00420)."""

    def lead(logits: Tensor, goal: Goal) -> Tensor:
        return margin(logits, goal.right)

    goal = Goal(right)
    before, gradient, _ = look(forward, images, goal, lead, slope=True)
    moved = (images - eps * gradient.sign()).clamp(0, 1)
    after, _, _ = look(forward, moved, goal, lead, slope=False)
    some = gradient.flatten(1).abs().amax(1)
    return (some > 0) & some.isfinite(), after < before
