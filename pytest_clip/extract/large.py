"""Answers on many images of many classes: composed a piece at a time, read once for all gates, and what was read is kept with the answers.

50,000 images of 1,000 classes have 400 MB of cosines. Every gate used to take its own passes over them, and memory for two such tables
besides; a gate needs a number or two of each image. Results are those of all at once: rows of a table know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import shards
from .answers import composed
from .cores import count
from .entry import digest, touch, write_manifest
from .found import code
from .zeroshot import ZeroShot

if TYPE_CHECKING:
    from ..data.imageset import ImageSet

KIND = "columns"
"""Of entries among the answers, so that `pytest-clip cache` lists and trims them as these."""
LARGE = 1_000_000
"""Cosines from which on answers are composed in this way: 8 MB. Below, writing down what was read costs more than reading it again."""
PIECE = 500_000
"""Cosines of a piece. 4 MB stay in a core's cache through all passes over them."""


@dataclass(frozen=True)
class Large:
    """The answers on the first `n` of `images`, of which `rows` gives the embeddings [n, d] and `prompts` the class embeddings [C, d]."""

    images: ImageSet
    n: int
    rows: Callable[[], NDArray[np.float32]]
    prompts: Callable[[], NDArray[np.float64]]
    scale: float
    classes: tuple[str, ...]
    templates: tuple[str, ...]
    cache: Path
    key: dict[str, Any]
    """all that the answers depend on, in plain JSON"""

    @cached_property
    def answers(self) -> ZeroShot:
        """Without cosines until somebody asks for them."""
        nothing = np.zeros((0, 1), np.float32), np.zeros((len(self.classes), 1))
        light = composed(*nothing, _cut(self.images, slice(0, 0)), scale=self.scale, classes=self.classes, templates=self.templates)
        whole = _cut(self.images, slice(0, self.n))
        made: Any = self._cosines
        out = replace(light, cosines=made, labels=whole.labels, ids=whole.ids, accepted=whole.accepted, pairs=whole.pairs)
        out.__dict__.update(_read=self._kept, _some=self.of)
        return out

    def of(self, rows: Any) -> ZeroShot:
        """The answers on some of the images, rows being what numpy takes."""
        at = np.arange(self.n)[rows]
        return self._composed(self.rows()[at], self.prompts(), _some(self.images, at))

    def _composed(self, rows: NDArray[np.float32], prompts: NDArray[np.float64], images: ImageSet) -> ZeroShot:
        return composed(rows, prompts, images, scale=self.scale, classes=self.classes, templates=self.templates)

    def _kept(self, what: str, number: float) -> NDArray[np.float64]:
        key = {**self.key, "kind": KIND, "what": what, "number": number, "code": code()}
        name = digest(key)
        path = self.cache / "answers" / name / f"rows-000000{shards.SUFFIX}"
        with suppress(shards.TornError, FileNotFoundError):  # read anew
            found: NDArray[np.float64] = shards.read(path)
            if shards.header(path).facts.get("entry") == name:
                touch(path.parent)
                return found
        found = self._read(what, number)
        write_manifest(path.parent, key)
        shards.write(path, found, entry=name)
        return found

    def _read(self, what: str, number: float) -> NDArray[np.float64]:
        return np.concatenate(self._pieces(lambda piece: piece.read(what, number)), axis=1)

    def _cosines(self) -> NDArray[np.float64]:
        return np.concatenate(self._pieces(lambda piece: piece.cosines))

    def _pieces(self, of: Callable[[ZeroShot], NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        """`of` each piece, side by side on the cores: numpy lets other threads run."""
        step, rows, prompts = max(16, PIECE // max(len(self.classes), 1)), self.rows(), self.prompts()

        def one(at: int) -> NDArray[np.float64]:
            some = slice(at, min(at + step, self.n))
            return of(self._composed(rows[some], prompts, _cut(self.images, some)))

        with ThreadPoolExecutor(count()) as pool:
            return list(pool.map(one, range(0, self.n, step)))


def fits(images: ImageSet, n: int, classes: int) -> bool:
    """Whether there are many answers, each of which is that of one image."""
    return n * classes >= LARGE and images.worst_of is None and images.merge == "max"


def key_of(images: ImageSet) -> dict[str, Any]:
    """How a set asks, as far as its fingerprint need not tell."""
    asked = [images.classes, images.members, images.accepted, images.merge]
    return {"asked": digest({"how": repr(asked)})}


def _cut(images: ImageSet, at: slice) -> ImageSet:
    return replace(
        images, ids=images.ids[at], labels=images.labels[at], pairs=None if images.pairs is None else images.pairs[at],
        accepted=None if images.accepted is None else images.accepted[at],
    )  # fmt: skip


def _some(images: ImageSet, at: NDArray[np.intp]) -> ImageSet:
    rows = at.tolist()
    return replace(
        images, ids=tuple(images.ids[row] for row in rows), labels=images.labels[at],
        pairs=None if images.pairs is None else images.pairs[at],
        accepted=None if images.accepted is None else tuple(images.accepted[row] for row in rows),
    )  # fmt: skip
