"""One run's way from model and image set to answers, each made once and kept in memory and in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.pictures import upright
from ..models import door
from ..models.protocol import embedding_model, is_classifier
from . import large
from .answers import composed
from .cores import Cores, cores, steady
from .embed import Batches, Local, Work
from .entry import Entry, recall
from .executor import Executor
from .gallery import Gallery, Progress, Silent
from .pixels import identity
from .provenance import answered_by
from .rates import Clock
from .recent import Recent
from .scores import scored
from .source import Source, pictures
from .wording import Wording
from .zeroshot import ZeroShot, prompts_hash

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from ..data import Data
    from ..data.imageset import ImageSet
    from ..models.protocol import ClipModel
    from ..views.view import View
    from .dense import Maps

REMEMBERED = 32_000_000
"""Cosines of all answers that stay in memory, 8 bytes each: every gate of a suite asks for the same ones."""
KEPT = 1 << 30
"""Bytes of embeddings that stay in memory: 500,000 rows of 512 numbers. Any number of views then needs no more than one of them."""


@dataclass
class Extraction:
    """Where answers come from: `cache` is a folder, `wanted` the image sets the run will ask for, in that order.

    With `keep`, resized pictures stay in the cache for the next view, model and run. `close` ends the rendering that may be under way.
    """

    cache: Path
    batch_size: int | None = None
    cores: Cores = field(default_factory=cores)
    progress: Callable[[str, int], Progress] = lambda label, total: Silent()
    say: Callable[[str], None] = lambda line: None
    wanted: tuple[str, ...] = ()
    keep: bool = True
    executor: Executor | None = None
    """who embeds; this process when None"""
    _kept: Recent[NDArray[Any]] = field(default_factory=lambda: Recent(KEPT, lambda rows: rows.nbytes))
    clock: Clock = field(default_factory=Clock)
    _answers: Recent[ZeroShot] = field(default_factory=lambda: Recent(REMEMBERED, lambda answers: answers.held))

    def __post_init__(self) -> None:
        self.batches = Batches(self.batch_size, say=self.say)
        self._wording = Wording(self.cache, self.batches.door, self.cores)
        self._gallery = Gallery(self.cache, processes=self.cores.renderers, wanted=self.wanted, progress=self.progress)

    def start(self, data: Data) -> None:
        """Begin to render what the run will ask for and lacks, beside whatever comes next."""
        self._gallery.start(data)

    def hang(self, data: Data, name: str) -> None:
        """See that the pictures of a set are there: rendered, if they are."""
        self._gallery.hang(data, name)

    def close(self) -> None:
        """Stop rendering; finished sets stay in the cache."""
        self._gallery.close()
        if self.keep:
            self.clock.keep(self.cache)
        if self.executor is not None:
            self.executor.close()

    def embeddings(
        self, model: ClipModel, data: Data, name: str, *, first: int | None = None, view: View | None = None
    ) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of image set `name`, or of its `first` images, seen through `view`."""
        embedding_model(model)
        return self._rows(model, data, name, first=first, view=view)

    def _rows(self, model: ClipModel, data: Data, name: str, *, first: int | None = None, view: View | None = None) -> NDArray[np.float32]:
        """What the model says of images, a row for each: embeddings, or class scores."""
        images = data.images(name)
        n = min(first or len(images), len(images))
        if images.within is not None and images.at is not None:
            return self._rows(model, data, images.within, view=view)[images.at[:n]]
        whole = self._entry(model, images, view, len(images))
        known = (model.fingerprint, whole.name) in self._kept
        entry = whole if known or n == len(images) or whole.complete else self._entry(model, images, view, n)
        key = (model.fingerprint, entry.name)
        if key not in self._kept:
            self._kept[key] = recall(entry, lambda entry: self._embed(entry, model, data, name, view))
        return self._kept[key][:n]

    def _entry(self, model: ClipModel, images: ImageSet, view: View | None, n: int) -> Entry:
        key = {
            **self.key(model, images),
            "kind": "scores" if is_classifier(model) else "image",
            "view": None if view is None else view.key,
        }
        return Entry(self.cache / "answers", key, n, told={"data": images.data})

    @staticmethod
    def key(model: ClipModel, images: ImageSet) -> dict[str, Any]:
        """What every answer of a model on a set depends on."""
        return {**answered_by(model), **identity(images)}

    def _embed(self, entry: Entry, model: ClipModel, data: Data, name: str, view: View | None) -> None:
        self.hang(data, name)
        bar = self.progress(f"{model.label} on {data.name}/{name}" + (f" under {view.name}" if view else ""), entry.n)
        try:
            work = Work(model, data.images(name), self.cache, view=view, keep=self.keep)
            executor = self.executor or Local(self.batches, self.cores)
            with self.clock.of(model.label, model.device, bar.advance) as advance:
                executor.fill(entry, work, advance=advance)
        finally:
            bar.close()

    def batch(self, model: ClipModel, data: Data, name: str, *, first: int) -> torch.Tensor:
        """The `first` images of a set, preprocessed, float32 [n, 3, h, w]."""
        return self.source(model, data, name).batch(range(min(first, len(data.images(name)))))

    def ask(self, model: ClipModel, what: torch.Tensor | Sequence[str]) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of preprocessed images or of texts, in one call of the model and not kept.

        Of the right type and number, but perhaps with NaN or of another length than 1: for gates that ask for just that.
        """
        door.check(model)
        with steady(len(what), model.device):
            return self.batches.door.asked(model, list(what) if not hasattr(what, "shape") else what)

    def pictures(self, model: ClipModel, data: Data, name: str, *, first: int, view: View | None = None) -> torch.Tensor:
        """The `first` images of a set at the model's input size, not yet normalised, uint8 [n, 3, h, w]."""
        return self.source(model, data, name, view=view).resized(range(min(first, len(data.images(name)))))

    def seen(self, model: ClipModel, data: Data, name: str, row: int, *, view: View | None = None) -> torch.Tensor:
        """Image `row` of a set for a person who wants to see what the model saw through `view`, uint8 [3, h, w].

        On one thread: 105 views of one picture take 1.1 s of processor so, and 20 s on two threads that wait for each other on busy cores.
        """
        with steady(1, model.device):
            return self.source(model, data, name, view=view).seen(row).cpu()

    def picture(self, data: Data, name: str, row: int) -> Image:
        """Image `row` of a set, upright, at its own size."""
        self.hang(data, name)
        found: Image = upright(pictures(data.images(name), self.cache)(row))
        return found

    def no_maps(self, model: ClipModel) -> str | None:
        """Why the model has no dense features; None if it has."""
        from ..models.dense import lacking

        return lacking(model)

    def maps(self, model: ClipModel, data: Data, name: str, *, rows: Sequence[int] | None = None, layer: int | None = None) -> Maps:
        """Dense features of images `rows` of a set (all), of `layer` (the deepest that still tells places apart)."""
        from .dense import stored_maps

        images = data.images(name)
        chosen = tuple(range(len(images)) if rows is None else rows)
        return stored_maps(
            self.cache / "answers", self.key(model, images), chosen, layer=layer, batches=self.batches,
            model=model, source=lambda: self.source(model, data, name), told={"data": images.data},
        )  # fmt: skip

    def source(self, model: ClipModel, data: Data, name: str, *, view: View | None = None) -> Source:
        """Images of a set as the model sees them through `view`."""
        self.hang(data, name)
        return Source(model, data.images(name), self.cache, view=view, keep=self.keep)

    def texts(self, model: ClipModel, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of texts; each distinct text is encoded once per model and cache."""
        return self._wording.texts(model, texts)

    def classifier(
        self, model: ClipModel, data: Data, *, templates: tuple[str, ...] | None = None, classes: tuple[str, ...] | None = None
    ) -> NDArray[np.float64]:
        """Class embeddings float64 [C, d] of `classes` under `templates`, by default those of the data set."""
        chosen, names = data.templates if templates is None else templates, data.classes if classes is None else classes
        return self._wording.classifier(model, names, chosen)

    def raw_classifier(self, model: ClipModel, names: tuple[str, ...], templates: tuple[str, ...]) -> tuple[NDArray[np.float64], str]:
        """As `classifier`, from text embeddings that are not normalised before their mean, where the model gives such; and how."""
        return self._wording.raw_classifier(model, names, templates)

    def zero_shot(
        self, model: ClipModel, data: Data, name: str, *, first: int | None = None, view: View | None = None,
        templates: tuple[str, ...] | None = None,
    ) -> ZeroShot:  # fmt: skip
        """The zero-shot answers on image set `name`, or on its `first` images, seen through `view` and asked with `templates`."""
        images = data.images(name)
        asked, classes = self.asked(data, images, templates)
        if is_classifier(model):
            return self._scored(model, data, name, first=first, view=view, templates=templates)
        embedding_model(model)
        n, named = min(first or len(images), len(images)), prompts_hash(classes, asked)
        key = (model.fingerprint, data.name, name, images.fingerprint, None if view is None else view.key, str(n), named)

        def rows() -> NDArray[np.float32]:
            return self.embeddings(model, data, name, first=first, view=view)

        def prompts() -> NDArray[np.float64]:
            return self.classifier(model, data, templates=asked, classes=classes)

        def compose() -> ZeroShot:
            scale = door.scale_of(model)
            if not large.fits(images, n, len(classes)):
                return composed(rows(), prompts(), images, scale=scale, classes=classes, templates=asked)
            told = {**self.key(model, images), **large.key_of(images), "view": key[4], "n": n, "prompts": named, "scale": scale}
            return large.Large(images, n, rows, prompts, scale, classes, asked, self.cache, told).answers

        return self._remembered(key, compose)

    @staticmethod
    def asked(data: Data, images: ImageSet, templates: tuple[str, ...] | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Templates and class names. A set may ask with names of its own, and with words of its own unless the run has others."""
        if images.templates is None:
            return data.templates if templates is None else templates, data.classes
        asked = images.templates if templates is None and data.prompts is None else data.templates if templates is None else templates
        return asked, images.classes

    def _scored(
        self, model: Any, data: Data, name: str, *, first: int | None, view: View | None, templates: tuple[str, ...] | None
    ) -> ZeroShot:
        """The answers of a classifier; it cannot be asked in other words."""
        if templates is not None:
            embedding_model(model)
        images, logits = data.images(name), self._rows(model, data, name, first=first, view=view)
        key = (model.fingerprint, data.name, name, images.fingerprint, None if view is None else view.key, str(len(logits)), "scores")
        return self._remembered(key, lambda: scored(model, data, images, logits))

    def _remembered(self, key: tuple[str | None, ...], make: Callable[[], ZeroShot]) -> ZeroShot:
        if key not in self._answers:
            made = make()
            if made.held:
                made.cosines.setflags(write=False)
            self._answers[key] = made
        return self._answers[key]

    def forget(self, model: ClipModel) -> None:
        """Free the memory that the answers of a model take; what is stored stays."""
        self._wording.forget(model)
        self._kept.forget(model.fingerprint)
        self._answers.forget(model.fingerprint)
