"""Image sets to feature maps, through the same pictures and batches as embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .embed import Batches
from .entry import Entry, recall
from .source import Source

if TYPE_CHECKING:
    import torch

    from ..models.protocol import ClipModel

BATCH = 32


@dataclass(frozen=True)
class Maps:
    """What a layer of an image tower says about each place of n pictures."""

    features: NDArray[np.float32]
    """[n, d, gh, gw], not normalised"""
    layer: int
    """as the tower counts its layers from the first, 0; -1 where the model chose itself"""

    @property
    def conventions(self) -> dict[str, object]:
        """What a number made from these maps depends on besides model and images."""
        return {"layer": self.layer, "grid": "{2}x{3}".format(*self.features.shape), "channels": self.features.shape[1]}


def maps(model: ClipModel, source: Source, rows: Sequence[int], *, layer: int, batches: Batches) -> NDArray[np.float32]:
    """Feature maps float32 [n, d, gh, gw] of images `rows` of a source, of `layer`, counted from the first."""
    from ..models.dense import dense_features

    def answer(images: torch.Tensor) -> NDArray[np.float32]:
        return batches.door.maps(model, dense_features(model, images, layer=layer), len(images))

    size = min(batches.size or BATCH, BATCH)
    return np.concatenate([batches.through(model, source.batch(rows[at : at + size]), answer) for at in range(0, len(rows), size)])


def stored_maps(
    home: Path, key: Mapping[str, Any], rows: tuple[int, ...], *, layer: int | None, batches: Batches,
    model: ClipModel, source: Callable[[], Source], told: Mapping[str, Any],
) -> Maps:  # fmt: skip
    """Maps of images `rows`, of `layer` (below 0: from the last) or of the deepest fit, from the store at `home` or made and put there.

    `told` is what the manifest says besides `key`.
    """
    made = cache(source)

    def count(entry: Entry) -> None:
        from ..models.dense import deepest_layer, from_the_first

        for span in entry.claims():
            one = made().batch(rows[:1])
            found = deepest_layer(model, one) if layer is None else from_the_first(model, one, layer=layer)
            entry.put(span, np.array([found], np.int64))

    asked = {**key, "layer": layer, "rows": hashlib.sha256(repr(rows).encode()).hexdigest()[:16]}
    chosen = int(recall(Entry(home, {**asked, "kind": "layer"}, 1, told), count)[0])

    def fill(entry: Entry) -> None:
        for span in entry.claims():
            entry.put(span, maps(model, made(), rows[span.start : span.stop], layer=chosen, batches=batches))

    return Maps(recall(Entry(home, {**asked, "kind": "dense"}, len(rows), told), fill), chosen)
