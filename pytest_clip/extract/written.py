"""What a model makes of pictures with notes, whatever the data has: scenes with notes, photographs that get one, or published pairs.

Three sources, one kind of answers. The embedded scenes have image sets with notes (role `note`). Published typographic data has its own
pictures (roles `bare` and `written`) and the two-way protocol of SCAM. Any other data with classes gets notes as a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.writing import READING, choices, neutral_words, pick, wrong_words
from ..metrics.agreement import predictions
from ..models.protocol import embedding_model
from ..views import notes
from .examples import answer, truth
from .zeroshot import prompts_hash

if TYPE_CHECKING:
    from ..data import Data
    from ..data.imageset import ImageSet
    from ..models.protocol import ClipModel
    from ..views import View
    from .extraction import Extraction
    from .zeroshot import ZeroShot

PHOTOGRAPHS = 400
"""The first images of own data that get notes."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Noted:
    """Answers to n images under one kind of note, in the same order under every kind."""

    right: Bools
    """[n] whether the thing shown is named"""
    fell: Bools
    """[n] whether the written word is named; all False where none is written"""
    ids: tuple[str, ...]
    conventions: dict[str, Any] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    """[n] how large each note is, or empty where nobody knows"""
    chance: float = 0.5
    """what guessing names"""
    truths: tuple[str, ...] = ()
    """[n] the thing shown"""
    said: tuple[str, ...] = ()
    """[n] what is named"""
    sure: tuple[float, ...] = ()
    """[n] how surely, 0 to 1; empty where an answer has no probability"""


@dataclass(frozen=True)
class Read:
    """Which words on empty notes were found among `choices`."""

    right: Bools
    ids: tuple[str, ...]
    choices: int
    conventions: dict[str, Any]

    @property
    def chance(self) -> float:
        """What guessing finds."""
        return 1 / self.choices


class Written:
    """The answers of one model on one data set, each kind made once."""

    def __init__(self, model: ClipModel, data: Data, extraction: Extraction) -> None:
        self._model, self._data, self._extraction = model, data, extraction
        self._roles = {each.name: each.role for each in data.sets}
        self._known: dict[str, Noted] = {}
        self._views: dict[str, View] = {}

    @property
    def two_way(self) -> bool:
        """Whether the data brings its own pictures with notes, and two answers for each."""
        return "written" in self._roles.values()

    @property
    def embedded(self) -> bool:
        """Whether the data has scenes with notes."""
        return "note" in self._roles.values()

    @property
    def before(self) -> str:
        """What a drop starts from: the same picture with a blank note, or without one where there are no blank ones."""
        return "none" if self.two_way else "blank"

    @property
    def with_words(self) -> tuple[str, ...]:
        """The kinds under which the name of something else is written."""
        return tuple(name for name, role in self._roles.items() if role == "written") or ("word",)

    def __call__(self, kind: str) -> Noted:
        """Answers under `none`, `word`, `blank`, `neutral`, or another set of published data."""
        if kind not in self._known:
            self._known[kind] = self._two_way(kind) if self.two_way else self._of_classes(kind)
        return self._known[kind]

    def _of_classes(self, kind: str) -> Noted:
        """Zero-shot among all classes; the written word is named where its class is the answer."""
        answers, words = self._on_scenes(kind) if self.embedded else self._on_photographs(kind)
        named = predictions(answers.cosines if answers.shares is None else answers.shares)
        number = {name: k for k, name in enumerate(answers.classes)}
        fell = named == np.array([number.get(word, -2) for word in words])
        sizes = self._scene_sizes if self.embedded else tuple(notes.size_of(each) for each in answers.ids)
        told = answers.conventions | {"notes": "none" if kind == "none" else "in the scene" if self.embedded else "stuck on the picture"}
        rows = range(len(answers.ids))
        said = tuple(answer(answers, row)[0] if named[row] >= 0 else "undecided" for row in rows)
        sure, truths = (tuple(each) for each in zip(*((answer(answers, row)[1], truth(answers, row)) for row in rows), strict=True))
        sizes = sizes if kind != "none" else ()
        return Noted(answers.right, fell, answers.ids, told, sizes, 1 / len(answers.classes), truths, said, sure)

    def place(self, kind: str, row: int) -> tuple[str, int, View | None]:
        """The image set, the row and the view of a picture under a kind of note."""
        if self.two_way:
            return kind, row, None
        if not self.embedded:
            return "clean", row, None if kind == "none" else self._view(kind)
        if kind != "none":
            return f"note_{kind}", row, None
        pairs = self._data.images("note_word").pairs
        assert pairs is not None
        return "clean", int(pairs[row]), None

    def _on_scenes(self, kind: str) -> tuple[ZeroShot, Sequence[str]]:
        images = self._data.images("note_word" if kind == "none" else f"note_{kind}")
        if kind != "none":
            return self._extraction.zero_shot(self._model, self._data, images.name), images.attributes["written"]
        from dataclasses import replace

        whole, rows = self._extraction.zero_shot(self._model, self._data, "clean"), images.pairs
        assert rows is not None
        some = replace(
            whole, cosines=whole.cosines[rows], labels=whole.labels[rows], ids=tuple(whole.ids[row] for row in rows), pairs=None,
            accepted=None if whole.accepted is None else tuple(whole.accepted[row] for row in rows),
            shares=None if whole.shares is None else whole.shares[rows],
        )  # fmt: skip
        return some, [""] * len(some.ids)

    @cached_property
    def _scene_sizes(self) -> tuple[str, ...]:
        return self._data.images("note_word").attributes["size"]

    def _on_photographs(self, kind: str) -> tuple[ZeroShot, Sequence[str]]:
        clean = self._extraction.zero_shot(self._model, self._data, "clean", first=PHOTOGRAPHS)
        if kind == "none":
            return clean, [""] * len(clean.ids)
        view = self._view(kind)
        return self._extraction.zero_shot(self._model, self._data, "clean", first=PHOTOGRAPHS, view=view), self._words_on(kind)

    def _words_on(self, kind: str) -> Sequence[str]:
        """What is written on each of the first clean pictures."""
        clean = self._extraction.zero_shot(self._model, self._data, "clean", first=PHOTOGRAPHS)
        if kind == "word":
            return wrong_words(clean.ids, clean.accepted or [(int(k),) for k in clean.labels], clean.classes)
        return neutral_words(clean.ids, clean.classes) if kind == "neutral" else [""] * len(clean.ids)

    def _view(self, kind: str) -> View:
        """The first clean pictures under their notes."""
        if kind not in self._views:
            ids = self._data.images("clean").ids[:PHOTOGRAPHS]
            self._views[kind] = notes.view(kind, dict(zip(ids, self._words_on(kind), strict=True)))
        return self._views[kind]

    def _two_way(self, kind: str) -> Noted:
        """SCAM's protocol: does the picture lie nearer to the name of its object, or to the word that was written for it?"""
        images = self._data.images(kind)
        things = [images.classes[k] for k in images.labels]
        words = list(images.attributes["written"])
        names = tuple(dict.fromkeys([*things, *words]))
        heads, how = self._extraction.raw_classifier(self._model, names, self._data.templates)
        place = {name: k for k, name in enumerate(names)}
        pictures = self._extraction.embeddings(self._model, self._data, kind).astype(np.float64)
        thing, word = ((pictures * heads[[place[name] for name in side]]).sum(1) for side in (things, words))
        told = {
            "protocol": "two-way: object against written word", "prompts": prompts_hash(names, self._data.templates),
            "templates": len(self._data.templates), "text_mean": how,
        }  # fmt: skip
        said = tuple(np.where(thing > word, things, words).tolist())
        return Noted(thing > word, word > thing, images.ids, told, truths=tuple(things), said=said)

    @cached_property
    def reading(self) -> Read:
        """Which of at most CHOICES words stands on an empty note, asked with READING."""
        embedding_model(self._model)
        if self.embedded:
            answers = self._extraction.zero_shot(self._model, self._data, "note_read", templates=READING)
            return Read(answers.right, answers.ids, len(answers.classes), answers.conventions)
        images = self._pictures_to_write_on
        words = choices(self._words)
        ids = images.ids[:PHOTOGRAPHS]
        truth = np.array([pick(each, "read", len(words)) for each in ids])
        view = notes.view("read", {name: words[k] for name, k in zip(ids, truth, strict=True)}, empty=True)
        pictures = self._extraction.embeddings(self._model, self._data, images.name, first=PHOTOGRAPHS, view=view).astype(np.float64)
        heads = self._extraction.classifier(self._model, self._data, templates=READING, classes=words)
        told = {"prompts": prompts_hash(words, READING), "templates": len(READING), "classes": len(words)}
        return Read(predictions(pictures @ heads.T) == truth, ids, len(words), told)

    @property
    def _pictures_to_write_on(self) -> ImageSet:
        """A set whose ids and sizes the empty pictures take: nothing of it is seen."""
        return self._data.images(next(iter(self._roles)) if self.two_way else "clean")

    @property
    def _words(self) -> tuple[str, ...]:
        if not self.two_way:
            images = self._data.images("clean")
            return images.classes if images.templates is not None else self._data.classes
        name = next(n for n, role in self._roles.items() if role == "written")
        return tuple(sorted(set(self._data.images(name).attributes["written"])))
