"""What was found out about a model by passes that nobody else asks for: whether a batch backwards changes an answer, the smallest break.

Kept with the answers and keyed as they are, and by every line of the package, because what is kept is a result and not what it was made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..store import read_sealed, write_sealed
from .entry import digest
from .pixels import identity
from .provenance import answered_by

if TYPE_CHECKING:
    from ..data import Data
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
    key = {**answered_by(model), "precision": model.precision, "what": what, "asked": asked, "code": code()}
    if data is not None:
        images = data.images(SET)
        key |= {**identity(images), "n": len(images), "classes": list(data.classes), "templates": list(data.templates)}
    path = cache / PLACE / f"{digest(key)}.json"
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
