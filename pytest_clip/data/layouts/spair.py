"""SPair-71k: two pictures of two instances of a class, and the places of their common landmarks.

As in Probe3D at most 200 pairs of each of the 18 classes are taken, in an order shuffled with seed 20 (ours starts from the sorted file
names, so the 200 are not Probe3D's own), over all pairs and by how far the viewpoints differ. Pictures are padded to a square with white.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from ..setinfo import SetInfo
from .found import Found, Problem, entries, places
from .pairs import POOL, Pairs, Pool, infos, pair_set, pool_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..correspondences import KeypointPair, ViewPair
    from ..imageset import ImageSet

NAME = "spair"
PAGE, LICENCE = "https://cvlab.postech.ac.kr/research/SPair-71k", "non-commercial research"
PAIRS, CLASSES = 12_234, 18
MOST = 200
SIZE = 800
"""Side of the square in which places are given, as in Probe3D."""
VIEWPOINTS = {"spair-viewpoint-0": 0, "spair-viewpoint-1": 1, "spair-viewpoint-2": 2}


@dataclass(frozen=True)
class Pair:
    """One test pair; places and boxes in pixels of the original pictures."""

    name: str
    category: str
    pictures: tuple[str, str]
    sizes: tuple[tuple[int, int], tuple[int, int]]
    """width and height"""
    places: tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]
    box: tuple[float, float]
    """height and width of the target's"""
    viewpoint: int


class PadToSquare:
    """The whole picture, padded on the right or below."""

    def __call__(self, row: int, size: tuple[int, int], /) -> tuple[int, int, int, int]:
        return 0, 0, max(size), max(size)


def detect(root: Path) -> list[Found]:
    """SPair-71k as its archive unpacks."""
    for place in places(root):
        if (place / "PairAnnotation").is_dir() and (place / "JPEGImages").is_dir():
            return [Found(NAME, "spair-71k", place, {"pairs": place / "PairAnnotation", "pictures": place / "JPEGImages"})]
    return []


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`spair`, one set for each difference of viewpoints that there is, and the pool of their pictures."""
    pool = _pool(found)
    missing = [name for name in pool if not (found.parts["pictures"] / f"{name}.jpg").is_file()]
    if missing:
        raise ClipError(
            f"{found.parts['pictures']}: {len(missing)} of {len(pool)} pictures are missing, the first one {missing[0]}.jpg; unpack it "
            f"again from {PAGE} ({LICENCE})"
        )
    return infos(len(pool), {name: len(_chosen(found, name)) for name in ("spair", *VIEWPOINTS)}, "keypoints")


def problems(found: Found) -> list[Problem]:
    """Counts."""
    pairs = _pairs(found.parts["pairs"])
    classes = len({pair.category for pair in pairs})
    if (len(pairs), classes) == (PAIRS, CLASSES):
        return []
    return [
        Problem(
            "warn", f"{found.parts['pairs']}: {len(pairs)} test pairs of {classes} classes, SPair-71k has {PAIRS} of {CLASSES}; unpack it"
        )
    ]


def facts(found: Found) -> dict[str, Any]:
    """For reports."""
    return {"page": PAGE, "licence": LICENCE, "imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """A set of pairs, or the pool. A limit keeps the balance."""
    ids = _pool(found)
    pool = Pool(ids, tuple(found.parts["pictures"] / f"{picture}.jpg" for picture in ids), PadToSquare())
    if name == POOL:
        return pool_set(found, pool)
    some = _chosen(found, name)[:limit]
    told = {"category": tuple(pair.category for pair in some)}
    return pair_set(
        found, name, pool,
        Pairs("keypoints", tuple(pair.name for pair in some), tuple(pair.pictures for pair in some), tuple(map(repr, some)), told),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """None to be named."""
    return ()


def templates(found: Found) -> tuple[str, ...]:
    """None."""
    return ()


def view_pairs(found: Found, images: ImageSet) -> Sequence[ViewPair]:
    """Nobody knows: these are different objects."""
    raise ClipError(f"{found.name} does not know which points of {images.name} correspond, only landmarks")


def keypoint_pairs(found: Found, images: ImageSet) -> Sequence[KeypointPair]:
    """Landmarks in the padded square, scaled to `SIZE`."""
    import numpy as np

    from ..correspondences import KeypointPair

    by_name, out = {pair.name: pair for pair in _pairs(found.parts["pairs"])}, []
    for name in images.ids:
        pair = by_name[name]
        scale = [SIZE / max(size) for size in pair.sizes]
        one, other = ((np.array(at, dtype=np.float64).reshape(-1, 2) + 0.5) * by - 0.5 for at, by in zip(pair.places, scale, strict=True))
        out.append(KeypointPair((SIZE, SIZE), one, other, (pair.box[0] * scale[1], pair.box[1] * scale[1])))
    return tuple(out)


def _pool(found: Found) -> tuple[str, ...]:
    pairs = [pair for name in ("spair", *VIEWPOINTS) for pair in _chosen(found, name)]
    return tuple(dict.fromkeys(picture for pair in pairs for picture in pair.pictures))


def _chosen(found: Found, name: str) -> tuple[Pair, ...]:
    """At most `MOST` pairs of each class, every class in turn."""
    by_class: dict[str, list[Pair]] = {}
    for pair in _pairs(found.parts["pairs"]):
        if name == "spair" or pair.viewpoint == VIEWPOINTS[name]:
            by_class.setdefault(pair.category, []).append(pair)
    for pairs in by_class.values():
        random.Random(20).shuffle(pairs)
    return tuple(pairs[k] for k in range(MOST) for _, pairs in sorted(by_class.items()) if k < len(pairs))


@cache
def _pairs(folder: Path) -> tuple[Pair, ...]:
    """Of the test split, by file name."""
    files = [Path(entry.path) for entry in entries(folder / "test") if entry.name.endswith(".json")]
    if not files:
        raise ClipError(f"{folder / 'test'}: no pair; unpack SPair-71k again (names with a colon need a file system that allows them)")
    return tuple(map(_read, files))


def _read(path: Path) -> Pair:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        category = str(told["category"])
        names = tuple(f"{category}/{Path(str(told[key])).stem}" for key in ("src_imname", "trg_imname"))
        sizes = tuple((int(told[key][0]), int(told[key][1])) for key in ("src_imsize", "trg_imsize"))
        spots = tuple(tuple((float(x), float(y)) for x, y in told[key]) for key in ("src_kps", "trg_kps"))
        left, top, right, bottom = map(float, told["trg_bndbox"])
        if len(spots[0]) != len(spots[1]) or "/" in category or ".." in category:
            raise ValueError(f"{len(spots[0])} and {len(spots[1])} landmarks of {category}")
        return Pair(
            path.stem, category, (names[0], names[1]), (sizes[0], sizes[1]), (spots[0], spots[1]), (bottom - top, right - left),
            int(told.get("viewpoint_variation", -1)),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError, AttributeError) as error:
        raise ClipError(f"{path}: not a pair of SPair-71k ({error or type(error).__name__}); unpack it again from {PAGE}") from None
