"""What single places of pictures say of classes, as one number an image: patch features are many and are not kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.imageset import ImageSet
from ..models.protocol import embedding_model
from .answers import highest
from .embed import Batches
from .entry import Entry, recall
from .source import Source
from .zeroshot import prompts_hash

if TYPE_CHECKING:
    import torch

    from ..data import Data
    from ..models.protocol import ClipModel
    from .extraction import Extraction

BATCH = 32


def local_scores(
    model: ClipModel, source: Source, rows: Sequence[int], *, prompts: NDArray[np.float64], images: ImageSet, tau: float, batches: Batches
) -> NDArray[np.float64]:
    """`metrics.neglabel.local_mcm` of images `rows`, float64 [n]: over the classes `prompts` [C, d] or the set's groups of them."""
    from ..metrics.neglabel import local_mcm
    from ..models.patches import patch_features

    def answer(batch: torch.Tensor) -> NDArray[Any]:
        patches = batches.door.patches(model, patch_features(model, batch), len(batch)).astype(np.float64)
        lengths = np.linalg.norm(patches, axis=-1, keepdims=True)
        cosines = (patches / np.maximum(lengths, 1e-12)) @ prompts.T  # a place without a direction is equally near to all classes
        if images.members is not None and images.templates is None:
            n, places, c = cosines.shape
            cosines = highest(cosines.reshape(-1, c), images.members).reshape(n, places, -1)
        return local_mcm(cosines.round(12), tau=tau)

    size = min(batches.size or BATCH, BATCH)
    return np.concatenate([batches.through(model, source.batch(rows[at : at + size]), answer) for at in range(0, len(rows), size)])


def stored_scores(
    home: Path, key: Mapping[str, Any], n: int, *, asked: str, prompts: NDArray[np.float64], images: ImageSet, tau: float, batches: Batches,
    model: ClipModel, source: Callable[[], Source], told: Mapping[str, Any],
) -> NDArray[np.float64]:  # fmt: skip
    """The same of the first `n` images, from the store at `home` or made and put there; `asked` identifies the prompts."""
    made = cache(source)

    def fill(entry: Entry) -> None:
        for span in entry.claims():
            entry.put(span, local_scores(model, made(), span, prompts=prompts, images=images, tau=tau, batches=batches))

    return recall(Entry(home, {**key, "kind": "local_mcm", "prompts": asked, "tau": tau}, n, told), fill)


def local_mcm(extraction: Extraction, model: ClipModel, data: Data, name: str, *, tau: float) -> NDArray[np.float64]:
    """What the surest place of each image of a set says of any class, float64 [n]; asked as `zero_shot` asks."""
    images = data.images(name)
    templates, classes = extraction.asked(data, images)
    return stored_scores(
        extraction.cache / "answers", extraction.key(model, images), len(images), asked=prompts_hash(classes, templates), tau=tau,
        prompts=extraction.classifier(model, data, templates=templates, classes=classes), images=images, batches=extraction.batches,
        model=model, source=lambda: extraction.source(model, data, name), told={"data": images.data},
    )  # fmt: skip


def no_patches(model: ClipModel) -> str | None:
    """Why the model has no patch features; None if it has."""
    from ..models.patches import lacking

    embedding_model(model)
    return lacking(model)
