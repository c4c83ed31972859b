"""The objects as photographs show them: `build` makes one instance of a class."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..mesh import Mesh, Sculptor
from . import animal, furniture, garden, kitchen, tools, vehicles

ROOMS = (animal, furniture, garden, kitchen, tools, vehicles)


@lru_cache(maxsize=4)
def build(name: str, *, instance: int) -> Mesh:
    """The mesh of one instance of class `name`; everything about it follows from the seed `instance`."""
    make: Callable[[np.random.Generator, Sculptor], None] = next(getattr(room, name) for room in ROOMS if hasattr(room, name))
    sculptor = Sculptor()
    make(np.random.default_rng(instance), sculptor)
    return sculptor.mesh()
