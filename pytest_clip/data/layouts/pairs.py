"""What data of pairs of pictures share: a pool of pictures that each go through the model once, and sets whose rows are pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..setinfo import Role, SetInfo
from .captioned import fingerprint

if TYPE_CHECKING:
    from ..imageset import Frame, ImageSet
    from .found import Found

POOL = "pictures"


@dataclass(frozen=True)
class Pool:
    """Every picture that some pair needs, once."""

    ids: tuple[str, ...]
    files: tuple[Path, ...]
    frame: Frame
    """by row"""
    depths: tuple[Path, ...] = ()
    """files that decide the frame"""
    how: str = "square"
    """what the frame does"""


@dataclass(frozen=True)
class Pairs:
    """The rows of a set. `pictures`: the names in the pool of its first and second one."""

    role: Role
    ids: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...]
    said: tuple[str, ...]
    """all that is known about each pair, for the fingerprint"""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def infos(pictures: int, counts: Mapping[str, int], role: Role) -> tuple[SetInfo, ...]:
    """The pool, and one set for each kind of pair that there is."""
    sets = (SetInfo(name, role, n, labelled=False, within=POOL) for name, n in counts.items() if n)
    return (SetInfo(POOL, "pool", pictures, labelled=False), *sets)


def pool_set(found: Found, pool: Pool) -> ImageSet:
    """All pictures."""
    import numpy as np

    from ..imageset import ImageSet

    return ImageSet(
        name=POOL, data=found.name, role="pool", ids=pool.ids, labels=np.full(len(pool.ids), -1), classes=(), files=pool.files,
        frame=pool.frame, fingerprint=fingerprint([*pool.files, *pool.depths], [pool.how]),
    )  # fmt: skip


def pair_set(found: Found, name: str, pool: Pool, some: Pairs) -> ImageSet:
    """A row is a pair: `pairs` and `at` say which pictures of the pool are its first and its second."""
    import numpy as np

    from ..imageset import ImageSet
    from ..remaining import ChosenFrames

    row = {picture: k for k, picture in enumerate(pool.ids)}
    first, second = ([row[both[k]] for both in some.pictures] for k in (0, 1))
    files: Sequence[Path] = [pool.files[k] for k in second]
    return ImageSet(
        name=name, data=found.name, role=some.role, ids=some.ids, labels=np.full(len(some.ids), -1), classes=(), files=tuple(files),
        frame=ChosenFrames(pool.frame, tuple(second)), within=POOL, at=np.array(second, dtype=np.int64),
        pairs=np.array(first, dtype=np.int64), attributes=some.attributes, fingerprint=fingerprint(files, some.said),
    )  # fmt: skip
