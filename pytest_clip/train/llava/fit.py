"""The training loop of projector and language model; the moving average of their weights is what ships."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ...data.scenes.spec import Scene
from ..loop import Average
from ..pool import ROUND, drawn, source
from .batches import IGNORED, Packed, Words, pack, visible
from .packed import states
from .recipe import LlavaRecipe

EVERY = 25
"""Steps behind one row of the curve."""


def scenes_of(recipe: LlavaRecipe, count: int) -> list[Scene]:
    """The scenes whose pictures the pool holds, in its order: facts alone do not say where a companion stands."""
    rounds = (drawn(source(recipe.seed, number), recipe.scenes) for number in range(count // ROUND))
    return [scene for some in rounds for scene in some]


def losses(model: Any, words: Words, features: Tensor, packed: Packed) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each answer's token and whether it was the likeliest; features [n, patches, width of the tower]."""
    lm, start = model.model.language_model, torch.tensor(words.start)
    n, shared = len(features), len(start) + features.shape[1]
    image = model.model.multi_modal_projector(features)
    embedded = lm.embed_tokens(torch.cat([start.expand(n, -1), packed.tokens], 1))
    inputs = torch.cat([embedded[:, : len(start)], image, embedded[:, len(start) :]], 1)
    places = torch.cat([torch.arange(shared).expand(n, -1), shared + packed.places], 1)
    mask = torch.zeros(()).masked_fill(~visible(packed, before=shared), float("-inf"))
    found = states(lm, inputs, places=places, mask=mask, before=shared)
    asked = packed.targets != IGNORED
    logits = model.lm_head(found[asked])
    wanted = packed.targets[asked]
    return F.cross_entropy(logits, wanted, reduction="none"), logits.argmax(1) == wanted


def speed(recipe: LlavaRecipe, step: int) -> float:
    """Learning rate of a step: linear warm-up times a cosine to 0."""
    return recipe.lr * min(1, (step + 1) / recipe.warmup) * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps))


def optimizer_for(model: Any, recipe: LlavaRecipe) -> torch.optim.Optimizer:
    """AdamW with weight decay on matrices only, and a slower projector: a group's rate is `scale` times the recipe's."""
    groups: dict[tuple[bool, bool], list[Tensor]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault((weight.ndim >= 2 and "embed" not in name, "projector" in name), []).append(weight)
    return torch.optim.AdamW(
        [
            {"params": some, "weight_decay": recipe.decay if matrix else 0.0, "scale": recipe.projector_rate if slow else 1.0}
            for (matrix, slow), some in groups.items()
        ],
        lr=recipe.lr, betas=(0.9, 0.98), fused=True,
    )  # fmt: skip


def fit(
    model: Any,
    recipe: LlavaRecipe,
    features: NDArray[np.float16],
    scenes: Sequence[Scene],
    *,
    log: Callable[[str], None],
    save: Callable[[dict[str, Tensor], list[dict[str, float]]], None],
) -> list[dict[str, float]]:
    """Train in place and leave the average in the model; returns the curve (means over EVERY steps, minutes of clock and processor)."""
    torch.manual_seed(recipe.seed)
    g, words = np.random.default_rng([recipe.seed, 1]), Words()
    optimizer, average = optimizer_for(model, recipe), Average(model, keep=recipe.ema)
    curve: list[dict[str, float]] = []
    sums, began, worked = np.zeros(3), time.monotonic(), time.process_time()
    model.train()
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = group["scale"] * speed(recipe, step)
        pick = g.integers(0, len(scenes), recipe.batch)
        packed = pack(words, g, [scenes[i] for i in pick], budget=recipe.budget)
        each, right = losses(model, words, torch.from_numpy(features[pick]).float(), packed)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(each.mean())
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        average.update()
        first = packed.targets[packed.targets != IGNORED] != words.end
        sums += [float(each[first].detach().mean()), float(right[first].float().mean()), int(first.sum())]
        if (step + 1) % EVERY == 0 or step + 1 == recipe.steps:
            count, (loss, hits, asked) = step % EVERY + 1, sums.tolist()
            curve.append({"step": step + 1, "loss": round(loss / count, 4), "right": round(hits / count, 4), "questions": int(asked)})
            curve[-1]["minutes"] = round((time.monotonic() - began) / 60, 2)
            curve[-1]["processor_minutes"] = round((time.process_time() - worked) / 60, 2)
            sums[:] = 0
            log(" ".join(f"{k} {v}" for k, v in curve[-1].items()))
            save(average.state, curve)
    model.load_state_dict(average.state)
    return curve
