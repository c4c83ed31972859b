"""The captions of an image set as questions and as answers: whose they are, and which are one text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..metrics.retrieval import chance_recall

if TYPE_CHECKING:
    from ..data.imageset import ImageSet

Direction = Literal["image", "text"]
"""What is sought: ``image``: a caption asks for its image; ``text``: an image for its caption."""


def texts_hash(texts: Iterable[str]) -> str:
    """Identifies texts in their order; numbers of others are not comparable."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


class Captions:
    """The captions of an image set, whose they are, and which are the same text.

    An image of `scenes` has one caption, and all images of that caption are right answers. An image of Flickr30k or COCO has five of its
    own, each asks once, and a text that another image has, too, is no wrong answer to either, nor is that image to the text.
    `of_image` and `of_text` number what belongs together, int [images] and [texts]; `same` numbers equal texts, None where all differ.
    """

    def __init__(self, images: ImageSet) -> None:
        self.same: NDArray[np.intp] | None = None
        if images.all_captions is None:
            texts, self.of_image = np.unique(np.asarray(images.captions), return_inverse=True)
            self.texts: list[str] = texts.tolist()
            self.of_text = np.arange(len(texts))
            return
        self.texts = [text for texts in images.all_captions for text in texts]
        self.of_image, self.of_text = np.arange(len(images)), np.repeat(np.arange(len(images)), [len(t) for t in images.all_captions])
        self.same = np.unique(np.asarray(self.texts), return_inverse=True)[1]

    def chance(self, direction: Direction, k: int) -> float:
        """Recall at k of a random order."""
        images, texts = (np.bincount(groups, minlength=self.of_text.max() + 1) for groups in (self.of_image, self.of_text))
        positives, gallery = (images[self.of_text], len(self.of_image)) if direction == "image" else (texts[self.of_image], len(self.texts))
        cases, counts = np.unique(np.stack([positives, gallery - self.twins(direction)]), axis=1, return_counts=True)
        chances = [n * chance_recall(positives=int(p), gallery=int(g), k=k) for (p, g), n in zip(cases.T, counts, strict=True)]
        return float(sum(chances) / len(positives))

    def twins(self, direction: Direction) -> NDArray[np.intp]:
        """How many items of the gallery each query leaves out, int [queries]."""
        if self.same is None:
            return np.zeros(len(self.texts if direction == "image" else self.of_image), dtype=np.intp)
        pairs = np.unique(np.stack([self.same, self.of_text]), axis=1)  # which image has which text
        if direction == "image":
            left_out: NDArray[np.intp] = np.bincount(pairs[0])[self.same] - 1
            return left_out
        everywhere = np.bincount(pairs[1], np.bincount(self.same)[pairs[0]]).astype(np.intp)
        others: NDArray[np.intp] = everywhere - np.bincount(self.of_text)
        return others

    def conventions(self, direction: Direction) -> dict[str, object]:
        """What ranks in this direction depend on."""
        asked, sought = (len(self.texts), len(self.of_image)) if direction == "image" else (len(self.of_image), len(self.texts))
        told: dict[str, object] = {"gallery": sought, "queries": asked, "ties": "against the right answer"}
        if self.same is None:
            return told
        return told | {"shared_captions": int((self.twins("image") > 0).sum()), "twins": "left out both ways"}
