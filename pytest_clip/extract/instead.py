"""What a query found in place of its answer, for reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..gates.evidence import Picture, Queries, Query, Seen

if TYPE_CHECKING:
    from .captions import Captions, Direction

AHEAD = 2
"""Items that are shown of those ahead of the answer: beside the query and the answer they make a line of four."""


def instead(
    told: Captions, direction: Direction, ranks: NDArray[np.integer], images: NDArray[np.floating], texts: NDArray[np.floating], *,
    ids: Sequence[str], see: Callable[[int], Any], k: int, most: int,
) -> Queries | None:  # fmt: skip
    """The `most` queries with the highest `ranks` beyond `k`, items ahead of each answer, and the answer; None where there is none.

    images [n, d], texts [m, d]: embeddings of length 1; `see` gives the picture of an image. Items that ranks leave out are left out here.
    """
    late = np.flatnonzero(ranks > k)
    rows = late[np.argsort(-ranks[late], kind="stable")][:most].tolist()
    asked, sought = (texts, images) if direction == "image" else (images, texts)
    own, theirs = (told.of_text, told.of_image) if direction == "image" else (told.of_image, told.of_text)

    def image(row: int) -> Seen:
        return Seen(ids[row], "" if direction == "text" else _caption(told, row), Picture(see(row)))

    def text(row: int) -> Seen:
        return Seen(text=told.texts[row])

    ask, seek = (text, image) if direction == "image" else (image, text)
    found = []
    for row in rows:
        scores = sought.astype(np.float64) @ asked[row].astype(np.float64)
        right = theirs == own[row]
        best = int(np.where(right, scores, -np.inf).argmax())
        wrong = np.flatnonzero(~right & ~_shared(told, direction, row))
        ahead = wrong[np.argsort(-scores[wrong], kind="stable")][: min(AHEAD, int(ranks[row]) - 1)].tolist()
        found.append(Query(ask(row), [seek(item) for item in ahead], seek(best), int(ranks[row]), len(right)))
    return Queries(found) if found else None


def _caption(told: Captions, image: int) -> str:
    """The first caption of an image."""
    return told.texts[int(np.flatnonzero(told.of_text == told.of_image[image])[0])]


def _shared(told: Captions, direction: Direction, row: int) -> NDArray[np.bool_]:
    """Whether an item is left out because the same text belongs to another image, too."""
    if told.same is None:
        return np.zeros(len(told.of_image if direction == "image" else told.of_text), dtype=np.bool_)
    if direction == "text":
        return np.isin(told.same, told.same[told.of_text == told.of_image[row]])
    return np.isin(told.of_image, told.of_text[told.same == told.same[row]])
