"""The objects as photographs show them: `build` makes one instance of a class."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..mesh import Mesh
from ..sculptor import Sculptor
from . import airplane, car, dog, furniture, house, key, kitchen, ladder, mushroom, rocket, sailboat, snowman, tools, tree

ROOMS = (airplane, car, dog, furniture, house, key, kitchen, ladder, mushroom, rocket, sailboat, snowman, tools, tree)


@lru_cache(maxsize=4)
def build(name: str, *, instance: int, variant: int = 0) -> Mesh:
    """The mesh of one instance of class `name`: of the kind `variant`, and everything else about it follows from the seed `instance`."""
    make: Callable[[np.random.Generator, Sculptor], None] = next(getattr(room, name) for room in ROOMS if hasattr(room, name))
    sculptor = Sculptor(variant)
    make(np.random.default_rng(instance), sculptor)
    return sculptor.mesh()
