"""Negatives of NegLabel for one model and the classes of a data set: mined from a list of words, in groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..metrics import neglabel

if TYPE_CHECKING:
    from ..data.wordlist import WordList


@dataclass(frozen=True)
class Negatives:
    """Words far from every known class, and which of them compete together."""

    words: tuple[str, ...]
    embeddings: NDArray[np.float64]
    """[M, d], rows of length 1"""
    groups: NDArray[np.int64]
    """[groups, size]"""
    source: WordList

    @property
    def conventions(self) -> dict[str, object]:
        """What a number made with them depends on."""
        listed = len(self.source.nouns) + len(self.source.adjectives)
        groups, size = self.groups.shape
        return {
            "words": self.source.source, "word_list": self.source.hash, "listed": listed, "negatives": len(self.words),
            "groups": f"{groups} of {size}, seed {neglabel.SEED} of numpy", "quantile": neglabel.QUANTILE, "share": neglabel.SHARE,
        }  # fmt: skip


def mined(encode: Callable[[Sequence[str]], NDArray[np.float32]], classes: NDArray[np.float64], words: WordList) -> Negatives:
    """The first SHARE of nouns and of adjectives, each by itself, as published; `encode` gives rows of length 1, `classes` is [C, d]."""
    found, chosen = [], []
    for names, prompts in zip((words.nouns, words.adjectives), words.prompts, strict=True):
        if not names:
            continue
        rows = encode(prompts).astype(np.float64)
        kept = neglabel.mine(rows, classes)
        found.append(rows[kept])
        chosen += [names[row] for row in kept]
    embeddings = np.concatenate(found)
    return Negatives(tuple(chosen), embeddings, neglabel.groups(len(chosen)), words)
