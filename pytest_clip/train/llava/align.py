"""The projector's first training, under a head that is thrown away: one attention over the patches for class, colour and texture each.

A picture costs a twentieth here of what it costs behind the language model, which learns little before the projector says what there is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from ...data.scenes.vocabulary import CLASSES, COLOURS, TEXTURES
from ..loss import CLASS, COLOURED, STYLE, TEXTURE, colour_loss
from .recipe import LlavaRecipe

EVERY = 100


class Head(nn.Module):
    """Three learned questions, each an attention over the patches, and their answers' logits."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.asked = nn.Parameter(torch.randn(1, 3, width) * 0.1)
        self.block = nn.TransformerDecoderLayer(width, heads, 2 * width, batch_first=True, norm_first=True, dropout=0.0)
        self.answers = nn.ModuleList(nn.Linear(width, len(names)) for names in (CLASSES, COLOURS, TEXTURES))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Logits [n, 19], [n, 11], [n, 11] of projected patches [n, patches, width]."""
        found = self.block(self.asked.expand(len(image), -1, -1), image)
        return [answer(found[:, i]) for i, answer in enumerate(self.answers)]


def align(
    projector: Any, features: NDArray[np.float16], facts: NDArray[np.int16], recipe: LlavaRecipe, *, log: Callable[[str], None]
) -> dict[str, float]:
    """Train the projector in place; `facts` are the pool's. Returns the head's accuracy on classes at the end and processor minutes."""
    head = Head(recipe.width, recipe.heads)
    moving = [*projector.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(moving, lr=recipe.align_lr, weight_decay=recipe.decay, betas=(0.9, 0.98), fused=True)
    g, worked, right, last = np.random.default_rng([recipe.seed, 2]), time.process_time(), 0.0, 0.0
    for step in range(recipe.align_steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.align_lr * min(1, (step + 1) / 50) * (0.55 + 0.45 * math.cos(math.pi * step / recipe.align_steps))
        pick = np.sort(g.integers(0, len(features), recipe.align_batch))
        known = torch.from_numpy(facts[pick].astype(np.int64))
        by_class, by_colour, by_texture = head(projector(torch.from_numpy(features[pick]).float()))
        seen = COLOURED[known[:, STYLE]]
        loss = F.cross_entropy(by_class, known[:, CLASS]) + 0.3 * colour_loss(by_colour[seen], known[seen])
        loss = loss + 0.3 * F.cross_entropy(by_texture[seen], known[seen, TEXTURE])
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        optimizer.step()
        right += float((by_class.argmax(1) == known[:, CLASS]).float().mean())
        if (step + 1) % EVERY == 0:
            last, right = right / EVERY, 0.0
            log(f"align {step + 1} loss {float(loss.detach()):.3f} class {last:.3f} processor_minutes {minutes(worked)}")
    return {"class_accuracy": round(last, 4), "processor_minutes": minutes(worked)}


def minutes(since: float) -> float:
    """Processor minutes."""
    return round((time.process_time() - since) / 60, 2)
