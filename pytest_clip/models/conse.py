"""A dual encoder made of a classifier and a sentence encoder: ConSE, "Zero-Shot Learning by Convex Combination of Semantic Embeddings"
(Norouzi et al. 2014, https://arxiv.org/abs/1312.5650, equation 3).

A picture is the mean of the text embeddings of its likeliest classes, weighted by their probabilities; a text is its own embedding. From
both nine tenths of the mean class embedding are taken, because all sentences have much in common (`a photo of a ...`) that tells no class
from another; then both are divided by their length.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip.models import fingerprint
from pytest_clip.models.classifier import ImageClassifier
from pytest_clip.models.sentences import LENGTH, Sentences
from pytest_clip.models.sight import Seeing

if TYPE_CHECKING:
    from pytest_clip.models.protocol import ClipModel

    def _conforms(model: ConSE) -> ClipModel:
        return model


LIKELIEST = 10
"""Classes that a picture is mixed from."""
COMMON = 0.9
"""Share of the mean class embedding that is taken away."""
TEMPLATE = "a photo of a {}."
"""How the classes of the classifier are said."""


class ConSE(Seeing):
    """Embeds pictures and texts into the space of the sentence encoder."""

    logit_bias = None

    def __init__(
        self, classifier: ImageClassifier, texts: Sentences, *, label: str, logit_scale: float, facts: dict[str, Any] | None = None
    ) -> None:
        self.classifier, self.texts, self.label, self.logit_scale = classifier, texts, label, logit_scale
        self.precision, self.sight = classifier.precision, classifier.sight
        parts = (classifier.module, texts.module)
        parameters = sum(each.numel() for part in parts for each in part.parameters())
        self.facts: dict[str, Any] = {**classifier.facts, "context_length": LENGTH, "parameters": parameters, **(facts or {})}
        self._lock = _Lock()
        self._made: tuple[torch.Tensor, torch.Tensor] | None = None

    def __repr__(self) -> str:
        return f"ConSE({self.label!r}, {self.precision} on {self.device})"

    @cached_property
    def fingerprint(self) -> str:
        """Changes with either part, with the preprocessing and with how they are put together."""
        whole = {"classifier": self.classifier.fingerprint, "texts": self.texts.identity, "preprocess": self.preprocess_config}
        made = {"likeliest": LIKELIEST, "common": COMMON, "template": TEMPLATE, "scale": self.logit_scale, "precision": self.precision}
        return fingerprint.model_fingerprint(weights=self.texts.identity["weights"], **whole, **made)

    @property
    def module(self) -> torch.nn.Module:
        """The two networks, to be looked at for weights that are no numbers, and to be moved."""
        return torch.nn.ModuleDict({"image": self.classifier.module, "text": self.texts.module})

    @module.setter
    def module(self, parts: torch.nn.ModuleDict) -> None:
        self.classifier, self.texts = copy.copy(self.classifier), copy.copy(self.texts)
        self.classifier.module, self.texts.module = parts["image"], parts["text"]

    @property
    def device(self) -> str:
        """Where both networks are."""
        return self.classifier.device

    @device.setter
    def device(self, place: str) -> None:
        self.classifier, self.texts = copy.copy(self.classifier), copy.copy(self.texts)
        self.classifier.device = self.texts.device = place

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """Embed preprocessed images [b, 3, h, w]: float32 [b, d] on the CPU, rows of length 1."""
        return self._mixed(self.classifier.class_scores(images))

    def from_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embed pictures in 0..1 with gradients: see `models.gradients`. Which classes are the likeliest has none."""
        return self._mixed(self.classifier.from_pixels(pixels))

    def _mixed(self, scores: torch.Tensor) -> torch.Tensor:
        classes, common = (each.to(scores.device) for each in self._space)
        likeliest = scores.softmax(1).topk(min(LIKELIEST, len(classes)), dim=1)
        weights = likeliest.values / likeliest.values.sum(1, keepdim=True)
        mixed = (weights[..., None] * classes[likeliest.indices]).sum(1)
        return torch.nn.functional.normalize(mixed - common, dim=1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed texts: float32 [n, d] on the CPU, rows of length 1."""
        _, common = self._space
        return torch.nn.functional.normalize(self.texts.encode(texts) - common, dim=1)

    def tokenize(self, texts: Sequence[str]) -> torch.Tensor:
        """Token ids [n, context_length]."""
        return self.texts.tokenize(texts)

    def dense_features(self, images: torch.Tensor, *, layer: int = -1) -> torch.Tensor:
        """Those of the classifier."""
        return self.classifier.dense_features(images, layer=layer)

    def with_normalization(self, mean: Sequence[float], std: Sequence[float]) -> ConSE:
        """The same networks behind a preprocessing with another mean and standard deviation."""
        view: ConSE = self.seen_by(self.sight.normalized_by(mean, std))
        return view

    @property
    def _space(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings of the classes [C, d], and what is common to them [d]. Made when first needed: 1,000 sentences take seconds."""
        with self._lock:
            if self._made is None:
                classes = self.texts.encode([TEMPLATE.format(name) for name in self.classifier.names])
                self._made = classes, COMMON * classes.mean(0)
            return self._made


class _Lock:
    """A lock that a model may have and still travel to another process, where it is a new one."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *raised: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[_Lock], tuple[()]]:
        return _Lock, ()
