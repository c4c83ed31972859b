"""An image set: ordered ids and labels, and where each picture comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .choices import Question
from .layouts.found import shown

if TYPE_CHECKING:
    from ..models.depth import DepthModel
    from .scenes.notes.note import Noted
    from .scenes.spec import Scene
    from .scenes.studio.portrait import Portrait


class Frame(Protocol):
    """The part of a picture that a model is to see whole. Can be pickled, and called by threads."""

    def __call__(self, row: int, size: tuple[int, int], /) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a square in an upright picture of `size` (width, height); white where it reaches over the edge."""


class Reader(Protocol):
    """Encoded pictures that are no files of their own: in shards, or in a Hugging Face data set. Can be pickled, and called by threads."""

    def __call__(self, row: int) -> bytes:
        """The encoded picture (JPEG, PNG, WebP ...) of a row; ClipError names it when it cannot be had."""

    def where(self, row: int) -> str:
        """The place of a row for messages, such as `DIR/test/0.tar: s0000012.webp`."""


@dataclass(frozen=True)
class ImageSet:
    """n images in a fixed order.

    Exactly one of `scenes`, `portraits` and `noted` (to be rendered), `files` and `read` (to be decoded) is given.
    """

    name: str
    data: str
    role: str
    ids: tuple[str, ...]
    labels: NDArray[np.int64]
    """[n] index into `classes`, -1 for an image of no class (OOD)"""
    classes: tuple[str, ...]
    """the names that an image can be given: those of the data set, unless `members` or `templates` say otherwise"""
    fingerprint: str
    """changes whenever a pixel, an id or a label may change"""
    pairs: NDArray[np.int64] | None = None
    """[n] for a matched counterfactual or a second view: the row of `clean` that shows the scene without the change, or the first view"""
    captions: tuple[str, ...] | None = None
    all_captions: tuple[tuple[str, ...], ...] | None = None
    """[n] the captions of each image where it has several, in place of `captions`"""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """per-image facts by name, each n long"""
    foils: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """by kind, a caption of each image that is false in one fact; each n long"""
    triples: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """by kind, for each image a second true caption in other words than `captions`, and a false one; each n long"""
    negated: tuple[tuple[str, ...], ...] | None = None
    """[n] true captions of each image that also deny what is absent: as many as it has others, in their order"""
    questions: tuple[Question, ...] | None = None
    """[n] captions of each image among which to choose"""
    scenes: tuple[Scene, ...] | None = None
    portraits: tuple[Portrait, ...] | None = None
    noted: tuple[Noted, ...] | None = None
    rows: tuple[int, ...] | None = None
    """[n] for scenes: which ones of the whole embedded set they are (a limit can leave some out)"""
    files: tuple[Path, ...] | None = None
    read: Reader | None = None
    """encoded pictures by row, for sets whose pictures are no files"""
    depth: tuple[Path, ...] | None = None
    """[n] depth maps of `files`; scenes know theirs"""
    depth_model: DepthModel | None = None
    """what estimates the depth of pictures that have no maps"""
    frame: Frame | None = None
    """what to cut out of each picture: a square is seen whole by every model, whatever its own resize and crop"""
    border: int = 0
    """pixels to cut off every side of a picture before anything else"""
    members: tuple[tuple[int, ...], ...] | None = None
    """for each of `classes` the classes of the data set that count as it; a class of the data set in none of them cannot be answered"""
    merge: Literal["max", "mean"] = "max"
    """how the scores of `members` become one: the highest cosine, or the mean probability of a softmax over all classes of the data set"""
    templates: tuple[str, ...] | None = None
    """patterns for `classes` themselves, for a set that asks with words of its own; then `members` is only a note"""
    accepted: tuple[tuple[int, ...], ...] | None = None
    """[n] all labels that are right, where an image can have several; `labels` holds the first"""
    worst_of: tuple[tuple[int, ...], ...] | None = None
    """for each answer the rows of the images of which the one answered worst counts, such as the neighbours of a frame of a film"""
    known: str = "clean"
    """for images of no known class: the set of known ones that they are told from"""
    within: str | None = None
    """the image set of the data set that holds the same pictures, in its rows `at`: they are embedded once"""
    at: NDArray[np.int64] | None = None
    source: str = "DIR"
    """what --clip-data said, for commands in messages"""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def drawn(self) -> tuple[Scene, ...] | tuple[Portrait, ...] | tuple[Noted, ...] | None:
        """What its pictures are rendered from; None for pictures that are there already."""
        if self.noted is not None:
            return self.noted
        return self.scenes if self.portraits is None else self.portraits

    def where(self, row: int) -> str:
        """The place of an image for messages: its file, its place in a shard, or its id."""
        if self.files is not None:
            return shown(self.files[row])
        return self.ids[row] if self.read is None else self.read.where(row)
