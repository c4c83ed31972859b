"""The zero-shot classifier and its answers: cosines of images with class prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ..data.prompts import fill


def prompts(classes: Sequence[str], templates: Sequence[str]) -> list[list[str]]:
    """One list of texts per class, the templates filled in."""
    return [[fill(t, c) for t in templates] for c in classes]


def prompts_hash(classes: Sequence[str], templates: Sequence[str]) -> str:
    """Identifies a prompt set; runs with different ones are not comparable."""
    return _hash(tuple(classes), tuple(templates))


@lru_cache(maxsize=256)
def _hash(classes: tuple[str, ...], templates: tuple[str, ...]) -> str:
    """Remembered: every gate asks for its own, and 1,000 names under 80 templates take 0.15 s."""
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
    """[n, C] cosine of image and class embedding; of a classifier its logits"""
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
    accepted: tuple[tuple[int, ...], ...] | None = None
    """[n] all labels that are right, where an image can have several"""
    shares: NDArray[np.float64] | None = None
    """[n, C] probability of each class where it is a mean over members; the answer is then the highest of these, not of `cosines`"""
    told: Mapping[str, object] = field(default_factory=dict)
    """how `cosines` came from more classes than there are answers, for `conventions`"""
    scorer: str | None = None
    """the classifier whose logits these are; None for cosines"""

    @cached_property
    def logits(self) -> NDArray[np.float64]:
        """scale x cosines, [n, C]."""
        return self.scale * self.cosines

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax at the model's own scale, [n, C], or `shares`."""
        from ..metrics.calibration import softmax

        return softmax(self.logits) if self.shares is None else self.shares

    def mcm(self, tau: float) -> NDArray[np.float64]:
        """[n] maximum concept matching (Ming et al. 2022); NeedsEmbeddingsError for class scores, which are no cosines."""
        from ..metrics.ood import mcm
        from ..models.protocol import NeedsEmbeddingsError

        if self.scorer is not None:
            raise NeedsEmbeddingsError(f"{self.scorer} scores classes: it has no texts and no cosines")
        return mcm(self.cosines, tau=tau)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """[n] whether the right class scores strictly highest."""
        return self.among(1)

    def among(self, k: int) -> NDArray[np.bool_]:
        """[n] whether the right class, or one of the `accepted`, is strictly among the `k` highest."""
        from ..metrics.accuracy import top_k

        scores = self.cosines if self.shares is None else self.shares
        if self.accepted is None:
            return top_k(scores, self.labels, k=k)
        right = np.zeros(scores.shape, dtype=bool)
        for row, labels in enumerate(self.accepted):
            right[row, list(labels)] = True
        best = np.where(right, scores, -np.inf).max(1, keepdims=True)
        above: NDArray[np.bool_] = ((scores >= best) & ~right).sum(1) < k
        return above

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
        if self.scorer is not None:
            return {"scores": "logits of the model", "classes": len(self.classes), **self.told}
        known = {"logit_scale": round(self.scale, 6), "prompts": self.prompts, "templates": self.templates, "classes": len(self.classes)}
        return {**known, **self.told}
