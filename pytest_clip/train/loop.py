"""The training loop: AdamW, warm-up and cosine, and an exponential moving average of the weights, which is what ships."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .augment import augment
from .hardened import Hardened
from .loss import OBJECTS, WORD, Classes, Objective
from .pool import CAPTIONS, Pool
from .recipe import Recipe

State = dict[str, Tensor]
Curve = list[dict[str, float]]
EVERY = 250
"""Steps behind one row of the curve."""


def optimizer_for(model: Any, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with weight decay on matrices only."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    matrix = [p.ndim >= 2 and "embedding" not in n for n, p in named]
    groups = [
        {"params": [p for (_, p), is_matrix in zip(named, matrix, strict=True) if is_matrix == wanted], "weight_decay": decay}
        for wanted, decay in ((True, recipe.decay), (False, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), fused=True)


class Average:
    """Exponential moving average of a model's weights and batch statistics; young averages follow faster."""

    def __init__(self, model: Any, *, keep: float) -> None:
        self._state, self._keep, self._steps = model.state_dict(), keep, 0
        self.state: State = {k: v.clone() for k, v in self._state.items()}
        self._floating = [k for k, v in self._state.items() if v.is_floating_point()]
        self._counters = [k for k in self._state if k not in self._floating]

    @torch.no_grad()
    def update(self) -> None:
        """Take one step towards the model as it is now."""
        keep = min(self._keep, (self._steps + 1) / (self._steps + 10))
        torch._foreach_lerp_([self.state[k] for k in self._floating], [self._state[k] for k in self._floating], 1 - keep)
        for k in self._counters:
            self.state[k].copy_(self._state[k])
        self._steps += 1


def rate(recipe: Recipe, step: int) -> float:
    """Learning rate of a step: linear warm-up times a cosine to 0."""
    return recipe.lr * min(1, (step + 1) / recipe.warmup) * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps))


def train(
    model: Any,
    recipe: Recipe,
    pool: Pool,
    *,
    objective: Objective | Classes | Hardened,
    mean: Tensor,
    std: Tensor,
    log: Callable[[str], None],
    save: Callable[[State, Curve], None],
) -> tuple[State, Curve]:
    """Train in place; returns the moving average of the weights and the curve (means over EVERY steps, minutes of clock and processor)."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    model.visual.to(memory_format=torch.channels_last)  # 0.79 -> 0.57 s a step of 256 images on one core
    optimizer, average = optimizer_for(model, recipe), Average(model, keep=recipe.ema)
    curve: Curve = []
    sums: dict[str, float] = {}
    began, worked = time.monotonic(), time.process_time()
    model.train()
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(recipe, step)
        pick = rng.integers(0, int(pool.filled[0]), recipe.batch)
        facts = torch.from_numpy(pool.facts[pick].astype(np.int64))
        text = torch.from_numpy(pool.tokens[pick, rng.integers(0, CAPTIONS, recipe.batch)].astype(np.int64))
        image = augment(torch.from_numpy(pool.pixels[pick]), may_mirror=(facts[:, OBJECTS] == 1) & (facts[:, WORD] < 0), mean=mean, std=std)
        loss, terms = objective(image=image, text=text, facts=facts)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        objective.settle()
        average.update()
        for k, v in terms.items():
            sums[k] = sums.get(k, 0.0) + float(v)
        if (step + 1) % EVERY == 0 or step + 1 == recipe.steps:
            count = (step % EVERY) + 1
            minutes, scale = (time.monotonic() - began) / 60, objective.scale
            curve.append({"step": step + 1, "minutes": round(minutes, 2), "images": int(pool.filled[0]), "scale": round(scale, 2)})
            curve[-1]["processor_minutes"] = round((time.process_time() - worked) / 60, 2)
            curve[-1] |= {k: round(v / count, 4) for k, v in sums.items()}
            sums = {}
            log(" ".join(f"{k} {v}" for k, v in curve[-1].items()))
            save(average.state, curve)
            if recipe.first_images < recipe.most_images and int(pool.filled[0]) >= len(pool.pixels):
                torch.set_num_threads(os.cpu_count() or 1)  # the renderer has finished: its core is free
    return average.state, curve
