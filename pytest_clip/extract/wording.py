"""Texts and class prompts through the models of a run: each once a model, kept in memory and in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..models.protocol import embedding_model
from .cores import Cores
from .embed import together
from .provenance import answered_by
from .texts import Texts, side_by_side
from .zeroshot import classifier, prompts, prompts_hash

if TYPE_CHECKING:
    from ..models.door import Door
    from ..models.protocol import ClipModel


class Wording:
    """What has been asked in words: embeddings of texts, and of classes under sets of templates."""

    def __init__(self, cache: Path, door: Door, cores: Cores) -> None:
        self._cache, self._door, self._cores = cache, door, cores
        self._texts: dict[str, Texts] = {}
        self._raw: dict[str, Texts] = {}
        self._classifiers: dict[tuple[str, str], NDArray[np.float64]] = {}

    def texts(self, model: ClipModel, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings float32 [n, d]."""
        embedding_model(model)
        if model.fingerprint not in self._texts:
            self._texts[model.fingerprint] = Texts(self._cache, answered_by(model))

        def encode(new: list[str]) -> NDArray[np.float32]:
            return self._door.embeddings(model, "encode_text", model.encode_text(new), len(new))

        return self._texts[model.fingerprint].embed(texts, side_by_side(encode, self._cores) if together(model) else encode)

    def classifier(self, model: ClipModel, names: tuple[str, ...], templates: tuple[str, ...]) -> NDArray[np.float64]:
        """Class embeddings float64 [C, d]."""
        key = (model.fingerprint, prompts_hash(names, templates))
        if key not in self._classifiers:
            self._classifiers[key] = classifier(lambda texts: self.texts(model, texts), names, templates)
        return self._classifiers[key]

    def raw_classifier(self, model: ClipModel, names: tuple[str, ...], templates: tuple[str, ...]) -> tuple[NDArray[np.float64], str]:
        """Class embeddings float64 [C, d] whose mean over templates is that of embeddings as the tower gives them, and what was done.

        The protocol of SCAM (Westerhoff et al. 2025). A model without `raw_text` gives only embeddings of length 1: then these.
        """
        embedding_model(model)
        give = getattr(model, "raw_text", None)
        if give is None:
            return self.classifier(model, names, templates), "of normalised embeddings: the model gives no others"
        known = self._raw.setdefault(model.fingerprint, Texts(self._cache, {**answered_by(model), "raw": True}))
        texts = [text for group in prompts(names, templates) for text in group]
        flat = known.embed(texts, lambda new: self._door.raw(model, give(new), len(new))).astype(np.float64)
        means = flat.reshape(len(names), len(templates), -1).mean(1)
        return means / np.linalg.norm(means, axis=1, keepdims=True), "of embeddings that are not normalised, then normalised"

    def forget(self, model: ClipModel) -> None:
        """Free the memory that a model's take; what is stored stays."""
        self._texts.pop(model.fingerprint, None)
        self._raw.pop(model.fingerprint, None)
        for key in [each for each in self._classifiers if each[0] == model.fingerprint]:
            del self._classifiers[key]
