"""An image set without some of its images: another set, of which every row still belongs together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .imageset import Frame, ImageSet, Reader

BY_ROW = (
    "ids", "captions", "all_captions", "rows", "scenes", "portraits", "noted", "files", "depth", "accepted", "negated", "questions",
)  # fmt: skip
BY_ROW_AND_NAME = ("attributes", "foils", "triples")
WHOLE = ("name", "data", "role", "classes", "depth_model", "border", "members", "merge", "templates", "known", "within", "source")
"""What does not depend on which images there are; every field is in one of these or named in `without`."""


@dataclass(frozen=True)
class ChosenFrames:
    """A frame whose rows are some of another's."""

    frame: Frame
    rows: tuple[int, ...]

    def __call__(self, row: int, size: tuple[int, int], /) -> tuple[int, int, int, int]:
        return self.frame(self.rows[row], size)


@dataclass(frozen=True)
class ChosenPictures:
    """A reader whose rows are some of another's."""

    read: Reader
    rows: tuple[int, ...]

    def __call__(self, row: int) -> bytes:
        """The encoded picture of a row."""
        return self.read(self.rows[row])

    def where(self, row: int) -> str:
        """Its place."""
        return self.read.where(self.rows[row])


def without(images: ImageSet, place: Mapping[int, int]) -> ImageSet:
    """The rows that `place` maps to new ones; the fingerprint says that and which ones are left out."""
    return _chosen(images, tuple(place))


def following(images: ImageSet, *, place: Mapping[int, int]) -> ImageSet:
    """A set within another one, or second views of it, that keeps the rows whose pictures `place` (old row -> new one) still has."""
    links = [each for each in (images.at, images.pairs) if each is not None]
    kept = [row for row in range(len(images)) if all(int(each[row]) in place for each in links)]
    if len(kept) == len(images) and all(int(row) == place[int(row)] for each in links for row in each):
        return images
    some = _chosen(images, tuple(kept))
    return replace(some, at=_moved(some.at, place), pairs=_moved(some.pairs, place))


def _moved(links: NDArray[np.int64] | None, place: Mapping[int, int]) -> NDArray[np.int64] | None:
    return None if links is None else np.array([place[int(row)] for row in links], dtype=np.int64)


def _chosen(images: ImageSet, kept: tuple[int, ...]) -> ImageSet:
    place = {row: k for k, row in enumerate(kept)}
    changed: dict[str, Any] = {name: tuple(values[row] for row in kept) for name in BY_ROW if (values := getattr(images, name)) is not None}
    for name in BY_ROW_AND_NAME:
        changed[name] = {key: tuple(values[row] for row in kept) for key, values in getattr(images, name).items()}
    lost = [name for row, name in enumerate(images.ids) if row not in place]
    digest = hashlib.sha256(f"{images.fingerprint} without {lost}".encode()).hexdigest()[:16]
    at = list(kept)
    return replace(
        images, **changed, labels=images.labels[at], fingerprint=digest,
        pairs=None if images.pairs is None else images.pairs[at], at=None if images.at is None else images.at[at],
        frame=None if images.frame is None else ChosenFrames(images.frame, kept),
        read=None if images.read is None else ChosenPictures(images.read, kept),
        worst_of=None if images.worst_of is None else _groups(images.worst_of, place),
    )  # fmt: skip


def _groups(worst_of: Sequence[tuple[int, ...]], place: Mapping[int, int]) -> tuple[tuple[int, ...], ...]:
    """Groups that are whole: the worst of some of the frames could be better than the worst of all."""
    return tuple(tuple(place[row] for row in rows) for rows in worst_of if all(row in place for row in rows))


NAMED = {*BY_ROW, *BY_ROW_AND_NAME, *WHOLE, "labels", "fingerprint", "pairs", "at", "frame", "read", "worst_of"}
assert {each.name for each in fields(ImageSet)} == NAMED, "a new field of ImageSet: say here what becomes of it when images are left out"
