"""The training loop: ClipLoss plus prompt terms, AdamW, warm-up and cosine, an exponential moving average that is what ships."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.scenes.captions import STYLE_TEMPLATES, TEXTURE_WORDS, attribute_prompts, fill
from ..data.scenes.vocabulary import CLASSES, COLOURS, STYLES, TEMPLATES, TEXTURES, TWO_COLOURED
from .augment import augment
from .pool import CAPTIONS, Pool
from .recipe import Recipe
from .towers import Words, encode_text

TEXTURE_NAMES = [TEXTURE_WORDS[t][0] or "plain" for t in TEXTURES]
COLOURED = torch.tensor([s in ("photo", "cartoon") for s in STYLES])
AMBIGUOUS = torch.tensor([t in TWO_COLOURED for t in TEXTURES])


def class_prompts() -> list[list[str]]:
    """One list of the 19 classes per template, those of drawn and grey styles included."""
    templates = [*TEMPLATES, *(ts[0] for s, ts in STYLE_TEMPLATES.items() if s != "photo")]
    return [[fill(t, c) for c in CLASSES] for t in templates]


def colour_loss(logits: Tensor, facts: Tensor) -> Tensor:
    """Cross-entropy against the colour; on two-coloured textures either colour counts (log of the sum of both probabilities)."""
    logp = logits.log_softmax(1)
    first, second = logp.gather(1, facts[:, 1:2]), logp.gather(1, facts[:, 2:3])
    return -torch.where(AMBIGUOUS[facts[:, 3]][:, None], torch.logaddexp(first, second), first).mean()


State = dict[str, Tensor]
Curve = list[dict[str, float]]


def train(
    model: Any,
    recipe: Recipe,
    pool: Pool,
    words: Words,
    *,
    mean: Tensor,
    std: Tensor,
    log: Callable[[str], None],
    save: Callable[[State, Curve], None],
) -> tuple[State, Curve]:
    """Train in place; returns the moving average of the weights and the curve (means over 250 steps)."""
    from open_clip.loss import ClipLoss

    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    model.visual.to(memory_format=torch.channels_last)  # 440 -> 591 images/s on one core
    prompts = [[words(p) for p in group] for group in (class_prompts(), attribute_prompts(list(COLOURS)), attribute_prompts(TEXTURE_NAMES))]
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decayed = [p for n, p in named if p.ndim >= 2 and "embedding" not in n]
    others = [p for n, p in named if p.ndim < 2 or "embedding" in n]
    groups = [{"params": decayed, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), fused=True)
    contrastive, state = ClipLoss(), model.state_dict()
    average = {k: v.clone() for k, v in state.items()}
    floating = [k for k, v in state.items() if v.is_floating_point()]
    curve: Curve = []
    sums: dict[str, float] = {}
    began = time.monotonic()
    model.train()
    for step in range(recipe.steps):
        rate = recipe.lr * min(1, (step + 1) / recipe.warmup) * (0.5 + 0.5 * math.cos(math.pi * step / recipe.steps))
        for group in optimizer.param_groups:
            group["lr"] = rate
        pick = rng.integers(0, int(pool.filled[0]), recipe.batch)
        facts = torch.from_numpy(pool.facts[pick].astype(np.int64))
        text = torch.from_numpy(pool.tokens[pick, rng.integers(0, CAPTIONS, recipe.batch)].astype(np.int64))
        image = augment(torch.from_numpy(pool.pixels[pick]), may_mirror=facts[:, 5] == 1, mean=mean, std=std)
        chosen = [group[int(torch.randint(len(group), (1,)))] for group in prompts]
        f, t = model.encode_image(image, normalize=True), encode_text(model, torch.cat([text, *chosen]))
        scale = model.logit_scale.exp()
        own, of_class, of_colour, of_texture = torch.split(t, [recipe.batch, *(len(c) for c in chosen)])
        seen = COLOURED[facts[:, 4]]
        class_logits = scale * f @ of_class.T
        terms = {
            "clip": contrastive(f, own, scale),
            "class": F.cross_entropy(class_logits, facts[:, 0]),
            "colour": colour_loss(scale * f[seen] @ of_colour.T, facts[seen]),
            "texture": F.cross_entropy(scale * f[seen] @ of_texture.T, facts[seen, 3]),
        }
        weights = {"clip": 1.0, "class": recipe.class_weight, "colour": recipe.colour_weight, "texture": recipe.texture_weight}
        loss = sum((weights[k] * v for k, v in terms.items()), torch.zeros(()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
            keep = min(recipe.ema, (step + 1) / (step + 10))
            torch._foreach_lerp_([average[k] for k in floating], [state[k] for k in floating], 1 - keep)
        terms["accuracy"] = class_logits.argmax(1).eq(facts[:, 0]).float().mean()
        terms["texture_accuracy"] = (f[seen] @ of_texture.T).argmax(1).eq(facts[seen, 3]).float().mean()
        for k, v in terms.items():
            sums[k] = sums.get(k, 0.0) + float(v.detach())
        if (step + 1) % 250 == 0 or step + 1 == recipe.steps:
            count = 250 if (step + 1) % 250 == 0 else recipe.steps % 250
            row = {
                "step": step + 1,
                "minutes": round((time.monotonic() - began) / 60, 2),
                "images": int(pool.filled[0]),
                "scale": round(float(scale.detach()), 2),
            }
            row |= {k: round(v / count, 4) for k, v in sums.items()}
            curve.append(row)
            sums = {}
            log(" ".join(f"{k} {v}" for k, v in row.items()))
            save(average, curve)
            if int(pool.filled[0]) >= len(pool.pixels):
                torch.set_num_threads(os.cpu_count() or 1)  # the renderer has finished: its core is free
    for k, v in state.items():
        if k not in floating:
            average[k] = v.clone()
    return average, curve
