"""The 25 objects: `build` draws one instance of a class as a list of placed primitives."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ..primitives import Builder, Primitive
from ..vocabulary import CLASSES, HELD_OUT
from . import heldout, indoor, outdoor, stagehands, variants

JITTER = 0.1
"""Training stretches every axis of an instance by a factor from [1 - JITTER, 1 + JITTER]; the `shape` factor goes beyond it."""


def _drawer(name: str, variant: str) -> Callable[[np.random.Generator, Builder], None]:
    rooms = (variants,) if variant == "unseen" else (indoor, outdoor, heldout, stagehands)
    for room in rooms:
        if hasattr(room, name):
            found: Callable[[np.random.Generator, Builder], None] = getattr(room, name)
            return found
    raise KeyError(f"no {variant} shape for class {name!r}; classes: {', '.join((*CLASSES, *HELD_OUT))}")


@lru_cache(maxsize=1024)  # a matched scene shows the object of its partner: 500 of them come back in each of two dozen sets
def build(
    name: str, *, instance: int, stretch: tuple[float, float, float] = (1.0, 1.0, 1.0), variant: str = "standard"
) -> tuple[Primitive, ...]:
    """Primitives of one instance in object space (about [-1, 1] along its longest axis, y up).

    `instance` seeds the proportions, `stretch` multiplies the axes, `variant="unseen"` takes the sub-shape that training never shows.
    """
    g = np.random.default_rng(instance)
    builder = Builder()
    _drawer(name, variant)(g, builder)
    S = np.diag(g.uniform(1 - JITTER, 1 + JITTER, 3) * np.asarray(stretch))
    return tuple(part.moved(S, np.zeros(3)) for part in builder.parts)
