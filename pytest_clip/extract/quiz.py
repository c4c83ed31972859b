"""Questions with options about the images of a set, in every order in which they are asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..metrics import choices

QUESTION = "What is the main object in this image? Choose from the following list: {options}."
"""ImageNet-D's (Zhang et al. 2024), its options in every order instead of the truth first."""
LISTED = "{question} Choose from the following list: {options}."
"""A question of a table, with its options."""
EVERY = 5
"""Options up to which a question is asked in all rotations."""
VERSION = 1
"""Of how questions are put together."""


@dataclass(frozen=True, eq=False)
class Quiz:
    """n questions, each asked in r orders of its k options."""

    rows: tuple[int, ...]
    """[n] the image of the set that each is about"""
    ids: tuple[str, ...]
    prompts: tuple[tuple[str, ...], ...]
    """[n][r]"""
    options: tuple[tuple[tuple[str, ...], ...], ...]
    """[n][r][k] as they are listed"""
    truth: NDArray[np.int64]
    """[n, r] the place of the right one"""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def orders(self) -> int:
        """r."""
        return int(self.truth.shape[1])

    @property
    def k(self) -> int:
        """Options of a question."""
        return len(self.options[0][0])

    @cached_property
    def digest(self) -> str:
        """32 hex digits of all that is asked of which images."""
        return hashlib.sha256(json.dumps([VERSION, self.rows, self.prompts, self.options]).encode()).hexdigest()[:32]


def orders(k: int, seeds: Sequence[int], *, every: bool) -> NDArray[np.int64]:
    """In which orders each of n questions lists its options, int64 [n, r, k]: the option at each place, option 0 the right one.

    The options of an image are shuffled by its own seed, so that neither the truth nor the likeliest distractor has a usual place. `every`:
    all k rotations of that (both orders of two), else it alone.
    """
    turns = choices.rotations(k)[: k if every else 1]
    return np.stack([np.random.default_rng(seed).permutation(k)[turns] for seed in seeds])


def quiz(
    names: Sequence[str], options: NDArray[np.int64], order: NDArray[np.int64], *, rows: Sequence[int], ids: Sequence[str],
    question: str = QUESTION,
) -> Quiz:  # fmt: skip
    """`options` [n, k] are classes, by number in `names`, the right one first; `order` as `orders` gives it."""
    listed = tuple(
        tuple(tuple(names[own[at]] for at in turn) for turn in turns) for own, turns in zip(options.tolist(), order.tolist(), strict=True)
    )
    prompts = tuple(tuple(question.format(options=", ".join(turn)) for turn in turns) for turns in listed)
    return Quiz(tuple(map(int, rows)), tuple(ids), prompts, listed, (order == 0).argmax(-1))


def of_table(
    questions: Sequence[str], options: Sequence[Sequence[str]], order: NDArray[np.int64], *, rows: Sequence[int], ids: Sequence[str]
) -> Quiz:
    """Questions of their own, each with its options, the right one first."""
    listed = tuple(tuple(tuple(own[at] for at in turn) for turn in turns) for own, turns in zip(options, order.tolist(), strict=True))
    prompts = tuple(
        tuple(LISTED.format(question=asked, options=", ".join(turn)) for turn in turns)
        for asked, turns in zip(questions, listed, strict=True)
    )
    return Quiz(tuple(rows), tuple(ids), prompts, listed, (order == 0).argmax(-1))
