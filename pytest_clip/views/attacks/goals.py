"""What an attack makes grow: the cross-entropy, told as odds, or the difference of logits ratio towards one wrong class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Losses = Callable[[Tensor, "Goal"], Tensor]
"""Logits [n, C] and their goal to a loss [n], which the attack makes as large as it can."""


@dataclass(frozen=True)
class Goal:
    """Of n pictures: `right` bool [n, C], the classes that are right (at least one each), and `target` int64 [n], a wrong class or None."""

    right: Tensor
    target: Tensor | None = None

    def of(self, rows: Tensor) -> Goal:
        """The goal of some of the pictures."""
        return Goal(self.right[rows], None if self.target is None else self.target[rows])

    def towards(self, target: Tensor) -> Goal:
        """The same pictures, each driven to the class `target` [n]."""
        return replace(self, target=target)


def margin(logits: Tensor, right: Tensor) -> Tensor:
    """[n] the highest right logit less the highest wrong one; not above 0 means a wrong answer (a tie counts as one)."""
    return logits.masked_fill(~right, -torch.inf).amax(1) - logits.masked_fill(right, -torch.inf).amax(1)


def odds(logits: Tensor, goal: Goal) -> Tensor:
    """[n] the log-odds of the wrong classes against the right ones.

    The cross-entropy is softplus of them, and only the sign of a gradient and the order of two losses make a step: an attack along these
    goes where one along the cross-entropy goes. But its gradient is theirs times the probability of the wrong classes, which in float32 is
    0 where a model is sure, and the search would stand still.
    """
    logits = logits.double()
    wrong, right = (logits.masked_fill(mask, -torch.inf).logsumexp(1) for mask in (goal.right, ~goal.right))
    return wrong - right


def targeted_dlr(logits: Tensor, goal: Goal) -> Tensor:
    """-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2), equation 7 of the paper: no scale of the logits changes it.

    With fewer than four classes there is no such ratio: then z_t - z_y as it is.
    """
    assert goal.target is not None
    logits = logits.double()
    aim = logits.gather(1, goal.target[:, None])[:, 0]
    lead = logits.masked_fill(~goal.right, -torch.inf).amax(1) - aim
    if logits.shape[1] < 4:
        return -lead
    highest = logits.topk(4, dim=1).values
    return -lead / (highest[:, 0] - (highest[:, 2] + highest[:, 3]) / 2).clamp_min(1e-12)


def wrong_classes(logits: Tensor, right: Tensor) -> Tensor:
    """int64 [n, C]: the classes of each picture, the likeliest wrong one first; right ones come last."""
    return logits.masked_fill(right, -torch.inf).argsort(dim=1, descending=True, stable=True)
