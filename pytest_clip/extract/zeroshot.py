"""The zero-shot classifier and its answers: cosines of images with class prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..data.prompts import fill


def prompts(classes: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """One list of texts per class, the templates filled in."""
    return [[fill(t, c) for t in templates] for c in classes]


def prompts_hash(classes: Sequence[str], templates: Sequence[str]) -> str:
    """Identifies a prompt set; runs with different ones are not comparable."""
    return hashlib.sha256("\n".join(p for texts in prompts(classes, templates) for p in texts).encode()).hexdigest()[:12]


def classifier(encode: Callable[[list[str]], NDArray[np.float32]], classes: Sequence[str], templates: Sequence[str]) -> NDArray[np.float64]:
    """Class embeddings [C, d]: per class the mean of the normalised text embeddings, normalised (Radford et al. 2021, section 3.1.4)."""
    texts = prompts(classes, templates)
    flat = encode([p for group in texts for p in group]).astype(np.float64)
    means = flat.reshape(len(classes), len(templates), -1).mean(1)
    out: NDArray[np.float64] = means / np.linalg.norm(means, axis=1, keepdims=True)
    return out


@dataclass(frozen=True)
class ZeroShot:
    """What a model says about the classes of n images."""

    cosines: NDArray[np.float64]
    """[n, C] cosine of image and class embedding"""
    labels: NDArray[np.int64]
    """[n], -1 = none of the classes"""
    scale: float
    """the model's own exp(logit_scale)"""
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    prompts: str
    """hash of the prompt set"""
    templates: int
    pairs: NDArray[np.int64] | None = None

    @cached_property
    def logits(self) -> NDArray[np.float64]:
        """scale x cosines, [n, C]."""
        return self.scale * self.cosines

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """[n] whether the right class scores strictly highest."""
        from ..metrics.accuracy import top_k

        return top_k(self.cosines, self.labels, k=1)

    @cached_property
    def at_chance(self) -> str | None:
        """Why robustness numbers would mean nothing: top-1 (of clean images) is not above 1 / classes; None if it is."""
        from ..metrics.intervals import wilson

        low, _ = wilson(int(self.right.sum()), len(self.right))
        chance = 1 / len(self.classes)
        if low > chance:
            return None
        return f"clean top-1 {self.right.mean():.3f} is not above chance ({chance:.3f}): nothing to lose, nothing to trust"

    @property
    def conventions(self) -> dict[str, object]:
        """What a number made from these answers depends on besides model and images."""
        return {"logit_scale": round(self.scale, 6), "prompts": self.prompts, "templates": self.templates, "classes": len(self.classes)}
