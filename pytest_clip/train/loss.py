"""What training asks of a batch: images near their captions, and near the prompts of their class, colour and texture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.scenes.captions import STYLE_TEMPLATES, TEXTURE_WORDS, attribute_prompts, fill
from ..data.scenes.vocabulary import CLASSES, COLOURS, STYLES, TEMPLATES, TEXTURES, TWO_COLOURED
from .recipe import Recipe
from .towers import Words, encode_text

TEXTURE_NAMES = [TEXTURE_WORDS[t][0] or "plain" for t in TEXTURES]
COLOURED = torch.tensor([s in ("photo", "cartoon") for s in STYLES])
AMBIGUOUS = torch.tensor([t in TWO_COLOURED for t in TEXTURES])
CLASS, COLOUR, SECOND_COLOUR, TEXTURE, STYLE, OBJECTS = range(6)
"""Columns of the pool's facts."""


def class_prompts() -> list[list[str]]:
    """One list of the 19 classes per template, those of drawn and grey styles included."""
    templates = [*TEMPLATES, *(ts[0] for s, ts in STYLE_TEMPLATES.items() if s != "photo")]
    return [[fill(t, c) for c in CLASSES] for t in templates]


def prompt_tokens(words: Words) -> list[list[Tensor]]:
    """Tokens of the class, colour and texture prompts, one tensor per template."""
    kinds = (class_prompts(), attribute_prompts(list(COLOURS)), attribute_prompts(TEXTURE_NAMES))
    return [[words(texts) for texts in kind] for kind in kinds]


def colour_loss(logits: Tensor, facts: Tensor) -> Tensor:
    """Cross-entropy against the colour; on two-coloured textures either colour counts (log of the sum of both probabilities)."""
    logp = logits.log_softmax(1)
    first, second = logp.gather(1, facts[:, COLOUR : COLOUR + 1]), logp.gather(1, facts[:, SECOND_COLOUR : SECOND_COLOUR + 1])
    return -torch.where(AMBIGUOUS[facts[:, TEXTURE]][:, None], torch.logaddexp(first, second), first).mean()


def batch_loss(
    model: Any, contrastive: Any, recipe: Recipe, *, image: Tensor, text: Tensor, facts: Tensor, prompts: list[list[Tensor]]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of one batch, and its terms and training accuracies; of each kind of prompt one random template is used."""
    chosen = [kind[int(torch.randint(len(kind), (1,)))] for kind in prompts]
    f, t = model.encode_image(image, normalize=True), encode_text(model, torch.cat([text, *chosen]))
    scale = model.logit_scale.exp()
    own, of_class, of_colour, of_texture = torch.split(t, [len(text), *(len(c) for c in chosen)])
    seen = COLOURED[facts[:, STYLE]]
    class_logits, texture_logits = scale * f @ of_class.T, scale * f[seen] @ of_texture.T
    terms = {
        "clip": contrastive(f, own, scale),
        "class": F.cross_entropy(class_logits, facts[:, CLASS]),
        "colour": colour_loss(scale * f[seen] @ of_colour.T, facts[seen]),
        "texture": F.cross_entropy(texture_logits, facts[seen, TEXTURE]),
    }
    weights = {"clip": 1.0, "class": recipe.class_weight, "colour": recipe.colour_weight, "texture": recipe.texture_weight}
    loss = sum((weights[k] * v for k, v in terms.items()), torch.zeros(()))
    terms["accuracy"] = class_logits.argmax(1).eq(facts[:, CLASS]).float().mean()
    terms["texture_accuracy"] = texture_logits.argmax(1).eq(facts[seen, TEXTURE]).float().mean()
    return loss, {k: v.detach() for k, v in terms.items()}
