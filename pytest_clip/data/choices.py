"""Captions of one image among which a model has to choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """Captions of one image, exactly one of them true; `types` says of each whether it affirms (positive), denies (negative) or both, ""
    where nobody says."""

    captions: tuple[str, ...]
    types: tuple[str, ...]
    right: int
    """which one is true; its type is that of the question"""

    @property
    def kind(self) -> str:
        """positive, negative or hybrid, or "" where nobody says."""
        return self.types[self.right]
