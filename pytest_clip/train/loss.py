"""What training asks of a batch: images near their captions, and near the prompts of their class, colour and texture."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.scenes.captions import STYLE_TEMPLATES, TEXTURE_WORDS, attribute_prompts, fill
from ..data.scenes.vocabulary import CLASSES, COLOURS, STYLES, TEMPLATES, TEXTURES, TWO_COLOURED
from ..data.scenes.written import WORDS
from ..data.writing import READING
from .recipe import Recipe
from .towers import Words, encode_text

TEXTURE_NAMES = [TEXTURE_WORDS[t][0] or "plain" for t in TEXTURES]
COLOURED = torch.tensor([s in ("photo", "cartoon") for s in STYLES])
AMBIGUOUS = torch.tensor([t in TWO_COLOURED for t in TEXTURES])
CLASS, COLOUR, SECOND_COLOUR, TEXTURE, STYLE, OBJECTS, WORD = range(7)
"""Columns of the pool's facts."""


def class_prompts() -> list[list[str]]:
    """One list of the 19 classes per template, those of drawn and grey styles included."""
    templates = [*TEMPLATES, *(ts[0] for s, ts in STYLE_TEMPLATES.items() if s != "photo")]
    return [[fill(t, c) for c in CLASSES] for t in templates]


def prompt_tokens(words: Words, *, written: bool = False) -> list[list[Tensor]]:
    """Tokens of the class, colour and texture prompts, one tensor per template; those of the words on notes where there are some."""
    kinds = [class_prompts(), attribute_prompts(list(COLOURS)), attribute_prompts(TEXTURE_NAMES)]
    if written:
        kinds.append([[t.replace("{c}", word) for word in WORDS] for t in READING])
    return [[words(texts) for texts in kind] for kind in kinds]


def colour_loss(logits: Tensor, facts: Tensor) -> Tensor:
    """Cross-entropy against the colour; on two-coloured textures either colour counts (log of the sum of both probabilities)."""
    logp = logits.log_softmax(1)
    first, second = logp.gather(1, facts[:, COLOUR : COLOUR + 1]), logp.gather(1, facts[:, SECOND_COLOUR : SECOND_COLOUR + 1])
    return -torch.where(AMBIGUOUS[facts[:, TEXTURE]][:, None], torch.logaddexp(first, second), first).mean()


def contrastive_for(recipe: Recipe) -> Any:
    """open_clip's loss of image and text embeddings [n, d] by the recipe's kind."""
    from open_clip.loss import ClipLoss, SigLipLoss

    return SigLipLoss() if recipe.loss == "sigmoid" else ClipLoss()


def terms_of(
    model: Any, contrastive: Any, recipe: Recipe, *, f: Tensor, t: list[Tensor], facts: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The losses of a batch, and training accuracies.

    An object beside the name of a class has no loss of its class; a name alone counts as what it names, as in labels taken from the web.
    """
    scale, bare, there = model.logit_scale.exp(), facts[:, WORD] < 0, facts[:, OBJECTS] > 0
    name_of_class = ~bare & (facts[:, WORD] < len(CLASSES))
    seen, named = COLOURED[facts[:, STYLE]] & there, there ^ name_of_class
    class_of = torch.where(there, facts[:, CLASS], facts[:, WORD])
    own, of_class, of_colour, of_texture, *of_word = t
    by_class, by_colour, by_texture = scale * f[named] @ of_class.T, scale * f[seen] @ of_colour.T, scale * f[seen] @ of_texture.T
    coloured = facts[seen]
    offset = (model.logit_bias,) if recipe.loss == "sigmoid" else ()
    terms = {
        "clip": contrastive(f, own, scale, *offset),
        "class": F.cross_entropy(by_class, class_of[named]),
        "colour": colour_loss(by_colour, coloured),
        "texture": F.cross_entropy(by_texture, coloured[:, TEXTURE]),
    }
    with torch.no_grad():
        hits = {
            "accuracy": by_class.argmax(1).eq(class_of[named]).float().mean(),
            "texture_accuracy": by_texture.argmax(1).eq(coloured[:, TEXTURE]).float().mean(),
        }
    for heads in of_word:
        by_word = scale * f[~bare] @ heads.T
        terms["word"] = F.cross_entropy(by_word, facts[~bare, WORD])
        hits["word_accuracy"] = by_word.detach().argmax(1).eq(facts[~bare, WORD]).float().mean()
    return terms, hits


class Objective:
    """The loss of a batch for a model of images and texts, of each kind of prompt by one random template.

    With a `teacher` (a model of the same embedding dimension), 1 - cosine of both image embeddings is a fifth term.
    """

    def __init__(self, model: Any, recipe: Recipe, words: Words, *, teacher: Any = None) -> None:
        self._model, self._recipe, self._teacher = model, recipe, teacher
        self._prompts, self._contrastive = prompt_tokens(words, written=recipe.scenes == "written"), contrastive_for(recipe)
        self._weights = {
            "clip": 1.0, "class": recipe.class_weight, "colour": recipe.colour_weight, "texture": recipe.texture_weight,
            "teacher": recipe.teacher_weight, "word": recipe.word_weight,
        }  # fmt: skip

    @property
    def scale(self) -> float:
        """The factor on cosines."""
        return float(self._model.logit_scale.detach().exp())

    def __call__(self, *, image: Tensor, text: Tensor, facts: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and its terms and training accuracies."""
        chosen = [kind[int(torch.randint(len(kind), (1,)))] for kind in self._prompts]
        f, t = self._model.encode_image(image, normalize=True), encode_text(self._model, torch.cat([text, *chosen]))
        parts = list(torch.split(t, [len(text), *(len(c) for c in chosen)]))
        terms, hits = terms_of(self._model, self._contrastive, self._recipe, f=f, t=parts, facts=facts)
        if self._teacher is not None:
            with torch.no_grad():
                aim = self._teacher.encode_image(image, normalize=True)
            terms["teacher"] = (1 - (f * aim).sum(1)).mean()
        loss = sum((self._weights[k] * v for k, v in terms.items()), torch.zeros(()))
        return loss, {k: v.detach() for k, v in (terms | hits).items()}

    @torch.no_grad()
    def settle(self) -> None:
        """After a step: CLIP's bounds on the scale."""
        self._model.logit_scale.clamp_(0, math.log(100))


class Classes:
    """Cross-entropy of a model that scores classes; what it is told of texts it ignores."""

    scale = 1.0

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(self, *, image: Tensor, text: Tensor, facts: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and the training accuracy."""
        logits = self._model(image)
        loss = F.cross_entropy(logits, facts[:, CLASS])
        return loss, {"class": loss.detach(), "accuracy": logits.argmax(1).eq(facts[:, CLASS]).float().mean()}

    def settle(self) -> None:
        """Nothing has bounds."""
