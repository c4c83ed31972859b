"""What was found out about a model by passes that nobody else asks for: whether a batch backwards changes an answer, the smallest break.

Kept with the answers and keyed as they are, and by every line of the package, because what is kept is a result and not what it was made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import CacheError
from ..store import read_sealed, write_sealed
from .entry import digest
from .pixels import identity
from .provenance import answered_by

if TYPE_CHECKING:
    from ..data import Data
    from ..metrics.outcomes import Outcomes
    from ..models.protocol import ClipModel

PLACE = "found"
"""Folder of the cache."""
SET = "clean"
"""The image set on which it is found out."""


def found(cache: Path, model: ClipModel, data: Data | None, what: str, make: Callable[[], Any], **asked: Any) -> Any:
    """What `make` gave for this model and data when it was first asked for `what`; plain JSON, in which NaN and infinity may stand.

    `data` is None where the answer has nothing to do with pictures or classes; `asked` are settings that it depends on besides. What
    `make` raises is kept by nobody.
    """
    key = {**answered_by(model), "precision": model.precision, "what": what, "asked": asked}
    if data is not None:
        images = data.images(SET)
        key |= {**identity(images), "n": len(images), "classes": list(data.classes), "templates": list(data.templates)}
    return _kept(cache, key, make)


def interval(cache: Path, gate: str, outcomes: Outcomes, make: Callable[[], Any]) -> Any:
    """The interval that `make` gave for these outcomes of a gate when it was first asked for: of a function of its outcomes and its seed
    alone, which is that of its id. A bootstrap of 50,000 outcomes takes 0.7 s, their hash 2 ms.
    """
    held = hashlib.sha256(json.dumps([outcomes.statistic, sorted(outcomes.params.items())]).encode())
    sides = {"arrays": outcomes.arrays, "others": outcomes.others}
    clusters = {"clusters": outcomes.clusters, "other_clusters": outcomes.other_clusters}
    sides["clusters"] = {name: each for name, each in clusters.items() if each is not None}
    for side, arrays in sides.items():
        for name, each in arrays.items():
            held.update(json.dumps([side, name, each.dtype.str, each.shape]).encode() + np.ascontiguousarray(each).tobytes())
    try:
        return _kept(cache, {"what": f"interval of {gate}", "outcomes": held.hexdigest()}, make)
    except CacheError:  # a cache that can only be read
        return make()


def _kept(cache: Path, key: dict[str, Any], make: Callable[[], Any]) -> Any:
    path = cache / PLACE / f"{digest({**key, 'code': code()})}.json"
    with suppress(OSError, ValueError):
        return read_sealed(path)
    made = make()
    write_sealed(path, made)
    return read_sealed(path)  # what a warm run gets: lists for tuples


@once
def code() -> str:
    """Hash of the package, its suites and what computes beside it. 30 ms; a changed line anywhere finds everything out anew."""
    from importlib import metadata

    hashed = hashlib.sha256()
    for name in ("numpy", "scipy", "hypothesis"):
        hashed.update(metadata.version(name).encode())
    for path in files():
        hashed.update(path.name.encode() + path.read_bytes())
    return hashed.hexdigest()[:32]


def files() -> list[Path]:
    """Every line that could find out something else."""
    home = Path(__file__).parents[1]
    suites = home / "suites" if (home / "suites").is_dir() else home.parent / "suites"  # in a wheel; in a checkout
    return [path for folder in (home, suites) for path in sorted(folder.rglob("*.py"))]
