"""One run's way from model and image set to answers, each made once and kept in memory and in the cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from .embed import Batches, image_embeddings, pictures
from .pixels import ensure, place
from .store import recall
from .zeroshot import ZeroShot, classifier, prompts_hash

if TYPE_CHECKING:
    import torch

    from ..data import Data
    from ..models.protocol import ClipModel


class Progress(Protocol):
    """Hears how a long step goes."""

    def advance(self, n: int) -> None: ...
    def close(self) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def advance(self, n: int) -> None:
        del n

    def close(self) -> None: ...


@dataclass
class Extraction:
    """Where answers come from: `cache` is a folder, `wanted` the image sets the run will ask for (rendered together, on all cores)."""

    cache: Path
    batch_size: int | None = None
    workers: int | None = None
    progress: Callable[[str, int], Progress] = lambda label, total: Silent()
    say: Callable[[str], None] = lambda line: None
    wanted: tuple[str, ...] = ()
    _kept: dict[tuple[str, ...], NDArray[np.floating]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._batches = Batches(self.batch_size, say=self.say)

    @property
    def processes(self) -> int:
        """Cores to render or decode on."""
        if self.workers is not None:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def render(self, data: Data, name: str) -> None:
        """Make sure that the pictures of `name` exist, and with them those of every set the run will ask for later."""
        images = data.images(name)
        if images.scenes is None or place(images, self.cache).exists():
            return
        known = {s.name for s in data.sets}
        sets = [data.images(n) for n in dict.fromkeys((name, *(w for w in self.wanted if w in known)))]
        missing = [s for s in sets if not place(s, self.cache).exists()]
        bar = self.progress(f"rendering {len(missing)} image sets of {data.name}", sum(len(s) for s in missing))
        try:
            ensure(missing, self.cache, processes=self.processes, advance=bar.advance)
        finally:
            bar.close()

    def embeddings(self, model: ClipModel, data: Data, name: str, *, first: int | None = None) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of image set `name`, or of its `first` images."""
        images = data.images(name)
        n = min(first or len(images), len(images))
        whole = ("image", model.fingerprint, images.fingerprint, str(len(images)))
        if whole in self._kept:
            return self._kept[whole][:n]
        key = (*whole[:3], str(n))
        if key not in self._kept:
            part = "" if n == len(images) else f"-first-{n}"
            path = self.cache / "answers" / model.fingerprint / f"{images.data}-{name}-{images.fingerprint}{part}.npy"
            self._kept[key] = recall(path, lambda: self._embed(model, data, name, n))
        return self._kept[key]

    def _embed(self, model: ClipModel, data: Data, name: str, n: int) -> NDArray[np.float32]:
        self.render(data, name)
        bar = self.progress(f"{model.label} on {data.name}/{name}", n)
        try:
            return image_embeddings(
                model, data.images(name), n=n, cache=self.cache, batches=self._batches, threads=self.processes, advance=bar.advance
            )
        finally:
            bar.close()

    def batch(self, model: ClipModel, data: Data, name: str, *, first: int) -> torch.Tensor:
        """The `first` images of a set, preprocessed, float32 [n, 3, h, w]."""
        import torch

        self.render(data, name)
        picture = pictures(data.images(name), self.cache)
        return torch.stack([model.preprocess(picture(i)) for i in range(min(first, len(data.images(name))))])

    def classifier(self, model: ClipModel, data: Data) -> NDArray[np.float64]:
        """Class embeddings float64 [C, d] of the data set's classes and templates."""
        key = ("text", model.fingerprint, prompts_hash(data.classes, data.templates))
        if key not in self._kept:
            self._kept[key] = classifier(model, data.classes, data.templates)
        return self._kept[key]  # type: ignore[return-value]

    def zero_shot(self, model: ClipModel, data: Data, name: str, *, first: int | None = None) -> ZeroShot:
        """The zero-shot answers on image set `name`, or on its `first` images."""
        images = data.images(name)
        cosines = self.embeddings(model, data, name, first=first).astype(np.float64) @ self.classifier(model, data).T
        # float32 embeddings can put the cosine of equal directions an ulp above 1. Beyond twelve digits a matrix product depends on the
        # number of threads; rounded, a run with two workers judges the same cosines as one with none.
        cosines, n = cosines.clip(-1.0, 1.0).round(12), len(cosines)
        return ZeroShot(
            cosines=cosines, labels=images.labels[:n], scale=model.logit_scale, ids=images.ids[:n], classes=data.classes,
            prompts=prompts_hash(data.classes, data.templates), templates=len(data.templates),
            pairs=None if images.pairs is None else images.pairs[:n],
        )  # fmt: skip
