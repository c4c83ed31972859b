"""Attacked answers: which images of a set an attack makes a model answer wrongly, at each budget, and the smallest that does.

Outcomes are stored as answers are, in shards whose rows are attacked together, so that a run that was killed goes on where it was and a
second one attacks nothing. An image that is answered wrongly at one budget is at every larger one: the larger box holds the smaller.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ModelError
from ..models.protocol import is_classifier
from ..views.attacks import BUDGETS, VERSION
from ..views.attacks.budgets import HALVINGS, LEVELS, TARGETS
from .entry import Entry, recall
from .gallery import Progress, Silent
from .scores import columns
from .zeroshot import ZeroShot

if TYPE_CHECKING:
    import torch

    from ..data import Data
    from ..data.imageset import ImageSet
    from ..models.protocol import ClipModel
    from .extraction import Extraction

Bools = NDArray[np.bool_]
SMOOTH = 0.9
"""Share of images on which a small step against the gradient must shrink the lead of the right class; 1 for every network measured."""
STEP = next(iter(BUDGETS.values()))
"""Of that step: the smallest budget."""


@dataclass(frozen=True)
class Attacked:
    """Of one model the first images of one set, `answers`, under attacks of `steps` steps."""

    model: ClipModel
    answers: ZeroShot
    home: Path
    """where outcomes are kept"""
    key: Mapping[str, Any]
    """of model and images"""
    pixels: Callable[[Sequence[int]], torch.Tensor]
    """rows to uint8 [n, 3, h, w] at the model's input size, on its device"""
    prompts: Callable[[], NDArray[np.float64]]
    """class embeddings [C, d]; not asked of a classifier"""
    steps: int
    progress: Callable[[str], Progress] = lambda what: Silent()
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> int:
        """To how many wrong classes a picture with one right one is driven: the published nine, or as many as there are."""
        from ..views.attacks.search import tried

        return tried(len(self._columns))

    def survived(self, budget: str) -> Bools:
        """[n] answered rightly, and still so after everything that was tried within `budget` (a key of `BUDGETS`)."""
        names = list(BUDGETS)
        left = self.answers.right & self._known
        for name in names[: names.index(budget) + 1]:
            left = self._within(name, left)
        return left

    def breaks(self) -> NDArray[np.float64]:
        """[n] the smallest change of a pixel, of 255 levels, that was found to make the answer wrong: 0 where it is wrong anyway, inf where
        nothing within the largest budget does."""
        curve = np.stack([self.answers.right & self._known, *(self.survived(name) for name in BUDGETS)])
        ladder = np.array([0.0, *BUDGETS.values()])
        last = curve.sum(0)  # budgets survived, the clean picture counted
        wanted = np.flatnonzero((last > 0) & (last < len(ladder)) & self._breakable)
        out = np.where(last == 0, 0.0, np.inf)

        def fill(entry: Entry) -> None:
            from ..views.attacks.search import bisected

            for span in self._spans(entry, "smallest breaks"):
                rows = [int(row) for row in wanted if row in span]
                found = np.zeros(len(span), np.float32)
                if rows:
                    low, high = (self._floats(ladder[last[rows] + k]) for k in (-1, 0))
                    images, right, ids = self._pictures(rows)
                    levels = bisected(self._forward, images, right, ids, low=low, high=high, steps=self.steps) * LEVELS
                    found[np.array(rows) - span.start] = levels.cpu().numpy()
                entry.put(span, found)

        found = recall(self._entry("attack-break", {}), fill)
        out[wanted] = found[wanted].astype(np.float64).round(6)  # so that a value is not told with the tail of a float32
        return out

    def blind(self) -> str | None:
        """Why attacks along gradients say nothing of this model; None where gradients lead somewhere."""
        rows = np.flatnonzero(self.answers.right & self._known & self._breakable)
        if not len(rows):
            return "no image is answered rightly: there is nothing to attack"

        def fill(entry: Entry) -> None:
            from ..views.attacks.search import slopes

            for span in entry.claims():
                some, found = [int(row) for row in rows if row in span], np.zeros((len(span), 2), np.bool_)
                if some:
                    images, right, _ = self._pictures(some)
                    there, useful = slopes(self._forward, images, right, eps=STEP)
                    found[np.array(some) - span.start] = np.stack([there.cpu().numpy(), useful.cpu().numpy()], 1)
                entry.put(span, found)

        there, useful = (recall(self._entry("attack-slopes", {"step": STEP}), fill)[rows].mean(0)).tolist()
        if there >= SMOOTH and useful >= SMOOTH:
            return None
        lost = f"{1 - there:.0%} of {len(rows)} images have no gradient" if there < SMOOTH else "their gradients lead nowhere"
        return (
            f"an attack along gradients would find nothing, however little there is to find: {lost} (a step of {STEP * LEVELS:g}/255 "
            f"against them shrinks the lead of the right class on {useful:.0%}); the model rounds, cuts off or draws lots on its way"
        )

    def _within(self, name: str, alive: Bools) -> Bools:
        def fill(entry: Entry) -> None:
            from ..views.attacks.search import broken

            for span in self._spans(entry, f"{BUDGETS[name] * LEVELS:g}/255"):
                rows = [int(row) for row in np.flatnonzero(alive & self._breakable) if row in span]
                found = alive[span.start : span.stop].copy()
                if rows:
                    images, right, ids = self._pictures(rows)
                    eps = self._floats(np.full(len(rows), BUDGETS[name]))
                    hit = broken(self._forward, images, right, ids, eps=eps, steps=self.steps)
                    found[np.array(rows) - span.start] = ~hit.cpu().numpy()
                entry.put(span, found)

        return np.asarray(recall(self._entry("attack", {"eps": BUDGETS[name]}), fill), np.bool_)

    def _spans(self, entry: Entry, what: str) -> Iterator[range]:
        bar = self.progress(what)
        try:
            for span in entry.claims():
                yield span
                bar.advance(len(span))
        finally:
            bar.close()

    def _entry(self, kind: str, more: Mapping[str, Any]) -> Entry:
        """The right answers belong to the key: another class list or prompt set is another question."""
        tried = {"attack": VERSION, "steps": self.steps, "targets": TARGETS, "halvings": HALVINGS, "budgets": list(BUDGETS.values())}
        asked = json.dumps([self.answers.prompts, self.answers.scale, self._names, np.packbits(self._right).tobytes().hex()])
        key = {**self.key, **tried, **more, "kind": kind, "asked": hashlib.sha256(asked.encode()).hexdigest()[:32]}
        return Entry(self.home, key, len(self.answers.ids), told=self.told)

    @cached_property
    def _columns(self) -> NDArray[np.int64]:
        """Of classes with one name the first is answered; of two classes of the data that are one of a classifier's, too."""
        places: Sequence[object] = self.answers.classes
        if is_classifier(self.model):
            places = columns(self.model.names, self.answers.classes, model=self.model.label, data="the data").tolist()  # type: ignore[attr-defined]
        return np.array([k for k, place in enumerate(places) if place not in places[:k]], np.int64)

    @property
    def _names(self) -> list[str]:
        return [self.answers.classes[k] for k in self._columns]

    @cached_property
    def _right(self) -> Bools:
        """[n, C] the classes that are right."""
        right = np.zeros((len(self.answers.ids), len(self.answers.classes)), np.bool_)
        accepted = self.answers.accepted if self.answers.accepted is not None else [(int(k),) for k in self.answers.labels]
        for row, labels in enumerate(accepted):
            right[row, [k for k in labels if k >= 0]] = True
        return right[:, self._columns]

    @property
    def _known(self) -> Bools:
        return np.asarray(self._right.any(1), np.bool_)

    @property
    def _breakable(self) -> Bools:
        """[n] there is a wrong answer at all."""
        return np.asarray(~self._right.all(1), np.bool_)

    def _pictures(self, rows: list[int]) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
        """Of some images the pixels in [0, 1], the right classes and the ids."""
        import torch

        images = self.pixels(rows).to(self.model.device).float() / LEVELS
        return images, torch.from_numpy(self._right[rows]).to(self.model.device), [self.answers.ids[row] for row in rows]

    def _floats(self, numbers: NDArray[np.float64]) -> torch.Tensor:
        import torch

        return torch.from_numpy(numbers.astype(np.float32)).to(self.model.device)

    @cached_property
    def _forward(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """From pixels to logits at the model's own scale, differentiable."""
        import torch

        from ..models.gradients import way

        through = way(self.model)
        if is_classifier(self.model):
            at = columns(self.model.names, self._names, model=self.model.label, data="the data").tolist()  # type: ignore[attr-defined]

            def scores(pixels: torch.Tensor) -> torch.Tensor:
                return self._finite(through(pixels)[:, at])

            return scores
        heads = torch.from_numpy(self.answers.scale * self.prompts()[self._columns].T).float().to(self.model.device)

        def logits(pixels: torch.Tensor) -> torch.Tensor:
            return self._finite(through(pixels) @ heads)

        return logits

    def _finite(self, logits: torch.Tensor) -> torch.Tensor:
        if not bool(logits.isfinite().all()):
            raise ModelError(f"from_pixels of the model {self.model.label} returned NaN or inf for an attacked picture; use fp32")
        return logits


def grouped(images: ImageSet) -> str | None:
    """Why a set is not attacked: its answers are more than the highest of its classes; None where it is."""
    if images.members is None and images.worst_of is None:
        return None
    return f"the answers on {images.name} are put together from several classes or images, and only plain ones are attacked"


def attacked(extraction: Extraction, model: ClipModel, data: Data, name: str, *, first: int, steps: int) -> Attacked:
    """The `first` images of a set and what attacks of so many steps make of their answers."""
    images, answers = data.images(name), extraction.zero_shot(model, data, name, first=first)
    templates, classes = extraction.asked(data, images)

    def bar(what: str) -> Progress:
        return extraction.progress(f"{model.label} on {data.name}/{name} under attack, {what}", len(answers.ids))

    return Attacked(
        model, answers, extraction.cache / "answers", extraction.key(model, images),
        pixels=lambda rows: extraction.source(model, data, name).resized(rows), steps=steps, progress=bar,
        prompts=lambda: extraction.classifier(model, data, templates=templates, classes=classes), told={"data": images.data},
    )  # fmt: skip
