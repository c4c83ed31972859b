"""The zero-shot classifier and its answers: cosines of images with class prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..data.prompts import fill
from .columns import READERS


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


class _Composed:
    """A field that may be given as a function, which is called when the field is first asked for."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, answers: object | None, owner: type) -> NDArray[np.float64]:
        if answers is None:
            raise AttributeError(self._name)  # so a dataclass knows that it has no default
        held = answers.__dict__[self._name]
        if callable(held):
            held = answers.__dict__[self._name] = held()
            held.setflags(write=False)
        found: NDArray[np.float64] = held
        return found

    def __set__(self, answers: object, value: NDArray[np.float64] | Callable[[], NDArray[np.float64]]) -> None:
        answers.__dict__[self._name] = value


@dataclass(frozen=True)
class ZeroShot:
    """What a model says about the classes of n images."""

    if TYPE_CHECKING:
        cosines: NDArray[np.float64]
    else:
        cosines: NDArray[np.float64] = _Composed()
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

    @property
    def held(self) -> int:
        """Cosines in memory: 0 before `extract.large` has composed them."""
        cosines = self.__dict__["cosines"]
        return 0 if callable(cosines) else int(cosines.size)

    def columns(self, what: str, number: float = 1.0) -> NDArray[np.float64]:
        """Numbers of single images [k, n], read once: `columns.READERS` says which. `large` reads those of many images its own way."""
        known = self.__dict__.setdefault("_columns", {})
        if (what, number) not in known:
            known[what, number] = self.__dict__.get("_read", self.read)(what, number)
        found: NDArray[np.float64] = known[what, number]
        return found

    def some(self, rows: Sequence[int]) -> ZeroShot:
        """The answers on images `rows` alone."""
        if "_some" in self.__dict__ and not self.held:
            few: ZeroShot = self.__dict__["_some"](rows)
            return few
        at = list(rows)
        return replace(
            self, cosines=self.cosines[at], labels=self.labels[at], ids=tuple(self.ids[row] for row in at),
            pairs=None if self.pairs is None else self.pairs[at], shares=None if self.shares is None else self.shares[at],
            accepted=None if self.accepted is None else tuple(self.accepted[row] for row in at),
        )  # fmt: skip

    def read(self, what: str, number: float) -> NDArray[np.float64]:
        """The same off the cosines."""
        return np.stack(READERS[what](self, number)).astype(np.float64)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """[n] the largest softmax probability of each image at the model's own scale."""
        confidence: NDArray[np.float64] = self.columns("answers")[1]
        return confidence

    @property
    def nll(self) -> NDArray[np.float64]:
        """[n] negative log-likelihood of the right class, in nats; ValueError for images of no class."""
        losses: NDArray[np.float64] = self._labelled("losses")[0]
        return losses

    @property
    def brier(self) -> NDArray[np.float64]:
        """[n] Brier score summed over classes; ValueError for images of no class."""
        scores: NDArray[np.float64] = self._labelled("losses")[1]
        return scores

    @property
    def max_logit(self) -> NDArray[np.float64]:
        """[n] the largest logit (`metrics.ood.max_logit`)."""
        highest: NDArray[np.float64] = self.columns("losses")[2]
        return highest

    @property
    def energy(self) -> NDArray[np.float64]:
        """[n] negative free energy of the logits (`metrics.ood.energy`)."""
        energy: NDArray[np.float64] = self.columns("losses")[3]
        return energy

    def scaled(self, temperature: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[n] and [n]: confidence and negative log-likelihood of logits / temperature; ValueError for images of no class."""
        sure, nll = self._labelled("scaled", temperature)
        return sure, nll

    def _labelled(self, what: str, number: float = 1.0) -> NDArray[np.float64]:
        if self.labels.size and self.labels.min() < 0:
            raise ValueError(f"labels must be 0 or more; found {self.labels.min()}")
        return self.columns(what, number)

    @property
    def logits(self) -> NDArray[np.float64]:
        """scale x cosines, [n, C]; made anew each time, for those of ImageNet are 400 MB."""
        return self.scale * self.cosines

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax at the model's own scale, [n, C], or `shares`."""
        from ..metrics.calibration import softmax

        return softmax(self.logits) if self.shares is None else self.shares

    def mcm(self, tau: float) -> NDArray[np.float64]:
        """[n] maximum concept matching (Ming et al. 2022); NeedsEmbeddingsError for class scores, which are no cosines."""
        from ..models.protocol import NeedsEmbeddingsError

        if self.scorer is not None:
            raise NeedsEmbeddingsError(f"{self.scorer} scores classes: it has no texts and no cosines")
        scores: NDArray[np.float64] = self.columns("mcm", tau)[0]
        return scores

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """[n] whether the right class scores strictly highest."""
        if "_read" in self.__dict__ and self.labels.min(initial=0) >= 0:
            return np.asarray(self.columns("answers")[0], dtype=np.bool_)
        return self.among(1)

    def among(self, k: int) -> NDArray[np.bool_]:
        """[n] whether the right class, or one of the `accepted`, is strictly among the `k` highest."""
        if "_read" in self.__dict__ and self.labels.min(initial=0) >= 0:
            return np.asarray(self.columns("among", k)[0], dtype=np.bool_)
        return self.count_among(k)

    def count_among(self, k: int) -> NDArray[np.bool_]:
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
