"""Class scores as zero-shot answers: which of a classifier's classes are those of the data, and the answers from its logits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import ModelError
from .answers import answered, apart
from .zeroshot import ZeroShot

if TYPE_CHECKING:
    from ..data import Data
    from ..data.imageset import ImageSet
    from ..models.protocol import Classifier

SHOWN = 3


def plain(name: str) -> str:
    """A class name without what people write differently: capitals, `_` and `-` for spaces."""
    return " ".join(re.split(r"[\s_-]+", name.casefold())).strip()


def columns(names: Sequence[str], classes: Sequence[str], *, model: str, data: str) -> NDArray[np.int64]:
    """[C] the place among a classifier's `names` of each of `classes`.

    Of several classes with one name the first stands for the first, the second for the second. ModelError with the sizes of both lists and
    the nearest names where a class is none of the classifier's.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[plain(name)].append(place)
    if strangers := [name for name in classes if plain(name) not in places]:
        told = ", ".join(_nearest(name, names) for name in strangers[:SHOWN])
        more = f" and {len(strangers) - SHOWN} more" if len(strangers) > SHOWN else ""
        verb = "is" if len(strangers) == 1 else "are"
        raise ModelError(
            f"{model} scores {len(names)} classes, and {len(strangers)} of the {len(classes)} classes of {data} {verb} none of them: "
            f"{told}{more}. "
            "Measure it on data with its classes, name them alike with --clip-classes=FILE, or measure a dual encoder such as photo-dual"
        )
    seen: dict[str, int] = defaultdict(int)
    out = []
    for name in map(plain, classes):
        out.append(places[name][min(seen[name], len(places[name]) - 1)])
        seen[name] += 1
    return np.array(out, dtype=np.int64)


def _nearest(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(plain(name), dict.fromkeys(map(plain, names)), n=2, cutoff=0.6)
    return f"{name!r} (nearest: {', '.join(map(repr, near))})" if near else f"{name!r} (nothing like it)"


def scored(model: Classifier, data: Data, images: ImageSet, logits: NDArray[np.float32]) -> ZeroShot:
    """The answers on the first images of a set from `logits` [n, C] over all classes of the model.

    Classes of the data alone are answered, and counted together as the set says. A set that asks with words of its own says which classes
    it means by `members`, or its names are those of the classifier.
    """
    asked = data.classes if images.templates is None or images.members is not None else images.classes
    at, n = columns(model.names, asked, model=model.label, data=data.name), len(logits)
    every = len(at) == len(model.names)
    told = {} if every else {"scored": f"{len(at)} of {len(model.names)} classes of the model: softmax over these alone"}
    whole = ZeroShot(
        cosines=logits.astype(np.float64)[:, at], labels=images.labels[:n], scale=1.0, ids=images.ids[:n], classes=tuple(asked),
        prompts="", templates=0, pairs=None if images.pairs is None else images.pairs[:n], told=told, scorer=model.label,
    )  # fmt: skip
    alone = whole if len(set(at.tolist())) == len(at) else apart(whole)  # two classes of the data may be one of the classifier's
    return answered(alone, replace(images, templates=None))
