"""What the suite `lmm` asks of a large multimodal model; anything that answers this can be measured beside a CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import PIL.Image


@dataclass(frozen=True, eq=False)
class OptionScores:
    """How likely each option is as the beginning of the answer."""

    total: NDArray[np.float32]
    """[n, k] log-likelihood of all tokens of the option, in nats, at most 0; the end of the answer is not counted"""
    tokens: NDArray[np.int64]
    """[n, k] how many tokens the option has, at least 1"""

    @property
    def per_token(self) -> NDArray[np.float32]:
        """[n, k] mean log-likelihood of a token."""
        out: NDArray[np.float32] = (self.total / self.tokens).astype(np.float32)
        return out


@runtime_checkable
class Lmm(Protocol):
    """A model that answers questions about a picture. The hook `pytest_clip_make_lmm` may return any object of this shape."""

    @property
    def label(self) -> str:
        """Short name for reports."""

    @property
    def fingerprint(self) -> str:
        """16 hex digits that change whenever the model could answer differently, and never with its name or place."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the report says about it, in builtins only."""

    def option_scores(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str], options: Sequence[Sequence[str]], /) -> OptionScores:
        """Of each picture its question and its k options (as many for each): how likely each option is as the answer.

        Rows that hold the same picture object are looked at once.
        """

    def answer(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str], /) -> list[str]:
        """Of each picture the answer to its question, generated greedily, without the prompt."""
