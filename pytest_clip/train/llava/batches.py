"""Pictures and questions to packed rows: the patches of a picture once, behind them several conversations that do not see each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...data.scenes.spec import Scene
from .questions import ask
from .words import END, split, vocabulary

IGNORED = -100


@dataclass(frozen=True)
class Packed:
    """Rows behind the patches: `tokens`, `targets` (IGNORED where nothing is asked), `segments` (-1: padding), `places` within a
    conversation; int64 [n, length]."""

    tokens: Tensor
    targets: Tensor
    segments: Tensor
    places: Tensor


class Words:
    """Texts to ids without a tokenizer; they are the tokenizer's own."""

    def __init__(self) -> None:
        self._ids = {w: i for i, w in enumerate(vocabulary())}
        self.start, self.answer = self("USER:"), self("ASSISTANT:")
        self.end = self._ids[END]
        self._seen: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        """KeyError for a word that is none."""
        return [self._ids[w] for w in split(text)]


def conversation(words: Words, text: str, answer: str) -> tuple[list[int], list[int]]:
    """Tokens behind the picture, and for each the next one if that belongs to the answer."""
    asked, said = [*words(text), *words.answer], [*words(answer), words.end]
    tokens = asked + said
    return tokens[:-1], [IGNORED] * (len(asked) - 1) + said


def pack(words: Words, g: np.random.Generator, scenes: Sequence[Scene], *, budget: int) -> Packed:
    """As many questions about each scene as fit into `budget` tokens, one at least."""
    rows = [_row(words, g, scene, budget) for scene in scenes]
    length = max(len(row[0]) for row in rows)
    blank = (0, IGNORED, -1, 0)
    parts = [torch.tensor([part + [fill] * (length - len(part)) for part in column]) for column, fill in zip(zip(*rows), blank)]  # noqa: B905
    return Packed(*parts)


def _row(words: Words, g: np.random.Generator, scene: Scene, budget: int) -> tuple[list[int], list[int], list[int], list[int]]:
    tokens: list[int] = []
    targets: list[int] = []
    segments: list[int] = []
    places: list[int] = []
    number = 0
    while True:
        question = ask(g, scene)
        more, wanted = conversation(words, question.text, question.answer)
        if tokens and len(tokens) + len(more) > budget:
            return tokens, targets, segments, places
        tokens += more
        targets += wanted
        segments += [number] * len(more)
        places += range(len(more))
        number += 1


def visible(packed: Packed, *, before: int) -> Tensor:
    """bool [n, 1, length, length] with `before` shared tokens first: what each token sees, itself included."""
    n, length = packed.tokens.shape
    ids = torch.cat([torch.full((n, before), -2), packed.segments], 1)
    same = (ids[:, :, None] == ids[:, None, :]) | (ids[:, None, :] == -2)
    return (same & torch.ones(before + length, before + length, dtype=torch.bool).tril())[:, None]
