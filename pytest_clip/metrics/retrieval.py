"""Retrieval: does an image find its captions and a caption its image; and does a caption beat one that only swaps words."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import _checks, _cosines

WINOGROUND_CHANCE = {"text": 1 / 4, "image": 1 / 4, "group": 1 / 6}


@dataclass(frozen=True)
class Winoground:
    """Outcomes [n] of n quadruples; the share of True is the text, image and group score."""

    text: _checks.Bools
    image: _checks.Bools
    group: _checks.Bools


def ranks(
    queries: npt.ArrayLike,
    gallery: npt.ArrayLike,
    *,
    query_groups: npt.ArrayLike,
    gallery_groups: npt.ArrayLike,
    same: npt.ArrayLike | None = None,
    query_same: npt.ArrayLike | None = None,
    chunk: int = 1024,
) -> _checks.Ints:
    """Rank of the best positive of each query, 1 = first: 1 + #{negatives with a cosine >= that of the best positive}.

    Positives are the gallery items of the query's group, any number from 1 (Flickr30k: 5 captions per image, 1 image per caption).
    Tie rule: worst case. A negative that ties with the best positive counts against it, where "ties" includes differences that the order
    of float64 additions can make (8 d 2^-53); so collapsed embeddings rank last, not first. Positives never push each other down.

    same: int [m], 0 or more; items of one number are one thing that several groups own (COCO gives some images the same caption). Such an
    item is no negative for a query whose group owns its twin. query_same: int [n], the same where the queries are such things: no item of a
    group that owns the query's twin is a negative. So a caption that two images share leaves the other image out when it asks for one of
    them, as an image leaves out the other's copy of its caption.

    queries: float [n, d]; gallery: float [m, d], normalised here; groups: int [n] and [m], 0 or more. For images to captions pass images as
    queries, for captions to images the captions. Returns int64 [n] in 1 .. m. No more than chunk x chunk cosines exist at a time, and the
    result does not depend on `chunk`. ValueError for NaN, rows of length 0, queries without a positive, wrong shapes.
    """
    asked, offered = _cosines.two_sets(queries, gallery, names=("queries", "gallery"))
    wanted = _checks.integers(query_groups, name="query_groups", n=asked.shape[0])
    held = _checks.integers(gallery_groups, name="gallery_groups", n=offered.shape[0])
    chunk = _checks.count(chunk, name="chunk")
    lost = wanted.size - int(np.count_nonzero(np.isin(wanted, held)))
    if lost:
        raise ValueError(f"{lost} of {wanted.size} queries have no item of their group in the gallery")
    # by group, so that the positives of a block of queries lie in one stretch of the gallery
    order, places = np.argsort(wanted, kind="stable"), np.argsort(held, kind="stable")
    asked, wanted, offered, held = asked[order], wanted[order], offered[places], held[places]
    things = None if same is None else _checks.integers(same, name="same", n=held.size)[places]
    twins = np.empty(0, dtype=np.int64) if things is None else _twins(things, held)
    slack = 8 * asked.shape[1] * 2.0**-53
    found, bests = np.empty(wanted.size, dtype=np.int64), np.empty((wanted.size, 1))
    for rows in _cosines.blocks(0, wanted.size, size=chunk):
        some, own = asked[rows], wanted[rows, None]
        best = np.full((own.size, 1), -np.inf)
        first, last = int(np.searchsorted(held, own[0, 0], side="left")), int(np.searchsorted(held, own[-1, 0], side="right"))
        for items in _cosines.blocks(first, last, size=chunk):
            positives = np.where(held[items] == own, some @ offered[items].T, -np.inf)
            best = np.maximum(best, positives.max(axis=1, keepdims=True))
        ahead = np.zeros(own.size, dtype=np.int64)
        for items in _cosines.blocks(0, held.size, size=chunk):
            ahead += np.count_nonzero((some @ offered[items].T >= best - slack) & (held[items] != own), axis=1)
        for items in _cosines.blocks(0, twins.size, size=chunk):
            assert things is not None
            at = twins[items]
            owned = _owned(own[:, 0], things[at], things, held) & (held[at] != own)
            ahead -= np.count_nonzero((some @ offered[at].T >= best - slack) & owned, axis=1)
        found[order[rows]], bests[order[rows]] = 1 + ahead, best
    if query_same is not None:
        asked_for = _checks.integers(query_same, name="query_same", n=wanted.size)[order]
        for places in np.array_split(_twins(asked_for, wanted), max(1, wanted.size // chunk)):
            best, own = bests[order[places]], wanted[places, None]
            for items in _cosines.blocks(0, held.size if places.size else 0, size=chunk):
                owned = _owned(held[items], asked_for[places], asked_for, wanted).T & (held[items] != own)
                found[order[places]] -= np.count_nonzero((asked[places] @ offered[items].T >= best - slack) & owned, axis=1)
    return found


def recall(ranked: npt.ArrayLike, *, k: int) -> float:
    """Recall@k: share of the queries with a positive among the first `k`: mean of [rank_i <= k].

    ranked: int [n], 1 or more (`ranks`); k: 1 or more. Returns 0 to 1, higher is better; with captions as queries it is "image retrieval",
    with images "text retrieval", where one of the five captions is enough. Interval: `intervals.wilson`. Source: Karpathy & Fei-Fei 2015.
    """
    return float(np.mean(_ranks(ranked) <= _checks.count(k, name="k")))


def mean_rank(ranked: npt.ArrayLike) -> float:
    """Mean of the ranks, 1 or more, lower is better; a few hopeless queries decide it. Inputs as in `recall`."""
    return float(np.mean(_ranks(ranked)))


def median_rank(ranked: npt.ArrayLike) -> float:
    """Median of the ranks, 1 or more, lower is better; between two middle ranks it is their mean. Inputs as in `recall`."""
    return float(np.median(_ranks(ranked)))


def chance_recall(*, positives: int, gallery: int, k: int) -> float:
    """Recall@k of a random order: 1 - C(gallery - positives, k) / C(gallery, k), 1 for k above gallery - positives.

    positives: relevant items in a gallery of `gallery` items, the same for each query. ValueError for more positives than items.
    """
    positives, gallery = _checks.count(positives, name="positives"), _checks.count(gallery, name="gallery")
    if positives > gallery:
        raise ValueError(f"positives must be at most gallery; got {positives} in {gallery}")
    k = min(_checks.count(k, name="k"), gallery)
    return 1.0 - math.comb(gallery - positives, k) / math.comb(gallery, k)


def prefers(true_scores: npt.ArrayLike, foil_scores: npt.ArrayLike, *, margin: float = 0.0) -> _checks.Bools:
    """Whether the true caption beats every hard negative of its image, strictly: s_i > max_j f_ij + margin. Bool [n].

    A tie is wrong: with an argmax a model that cannot tell the captions apart looks perfect when the true one comes first. `margin`, 0 or
    more, is for scores that differ only by rounding (1e-6 for float32 cosines). The mean is the compositional accuracy, 0 to 1, higher is
    better; chance is `chance_preference`, and a model blind to word order has 0, not chance.

    true_scores: float [n]; foil_scores: float [n] or [n, foils]. ValueError for NaN and wrong shapes. Source: the strict rule of Thrush et
    al. 2022 (Winoground) applied to pairs as in ARO (Yuksekgonul et al. 2023) and SugarCrepe (Hsieh et al. 2023).
    """
    true = _checks.finite(true_scores, name="true_scores", ndim=1)
    foils = np.asarray(foil_scores)
    foils = _checks.finite(foils[:, None] if foils.ndim == 1 else foils, name="foil_scores", ndim=2)
    if foils.shape[0] != true.size:
        raise ValueError(f"foil_scores has {foils.shape[0]} rows where {true.size} are needed, one per sample")
    beaten: _checks.Bools = true > foils.max(axis=1) + _margin(margin)
    return beaten


def chance_preference(*, foils: int) -> float:
    """Share of `prefers` for scores in random order: 1 / (1 + foils)."""
    return 1 / (1 + _checks.count(foils, name="foils"))


def winoground(scores: npt.ArrayLike, *, margin: float = 0.0) -> Winoground:
    """Two captions and two images that belong together crosswise: each comparison strict, as in `prefers`.

    scores: float [n, 2, 2], s_iab = caption a with image b, the pairs (0, 0) and (1, 1) right. text: the right caption wins for both
    images, s_00 > s_10 and s_11 > s_01; image: the right image wins for both captions, s_00 > s_01 and s_11 > s_10; group: both. The means
    are 0 to 1, higher is better; random scores reach `WINOGROUND_CHANCE`. ValueError for NaN and wrong shapes. Source: Thrush et al. 2022,
    "Winoground", section 4.
    """
    s, least = _checks.finite(scores, name="scores", ndim=3), _margin(margin)
    if s.shape[1:] != (2, 2):
        raise ValueError(f"scores must have shape [n, 2, 2] (caption, image), not {s.shape}")
    text = (s[:, 0, 0] > s[:, 1, 0] + least) & (s[:, 1, 1] > s[:, 0, 1] + least)
    image = (s[:, 0, 0] > s[:, 0, 1] + least) & (s[:, 1, 1] > s[:, 1, 0] + least)
    return Winoground(text, image, text & image)


def _twins(things: _checks.Ints, held: _checks.Ints) -> _checks.Ints:
    """Places of the items whose thing more than one group owns."""
    pairs = np.unique(np.stack([things, held], axis=1), axis=0)
    numbers, groups = np.unique(pairs[:, 0], return_counts=True)
    return np.flatnonzero(np.isin(things, numbers[groups > 1]))


def _owned(groups: _checks.Ints, wanted: _checks.Ints, things: _checks.Ints, held: _checks.Ints) -> _checks.Bools:
    """Bool [len(groups), len(wanted)]: whether the group owns an item that is this thing."""
    width = int(things.max()) + 1
    owned: _checks.Bools = np.isin(groups[:, None] * width + wanted, np.unique(held * width + things))
    return owned


def _ranks(ranked: npt.ArrayLike) -> _checks.Ints:
    values = _checks.integers(ranked, name="ranked")
    if values.min() < 1:
        raise ValueError("ranked must be 1 or more; found 0: ranks start at 1")
    return values


def _margin(value: float) -> float:
    margin = float(value)
    if not (margin >= 0 and math.isfinite(margin)):
        raise ValueError(f"margin must be a finite number of 0 or more, not {margin}")
    return margin
