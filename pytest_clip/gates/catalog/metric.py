"""What the catalog says of a metric: its unit and direction, the image sets it is measured over, and what data must have for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "points", "ratio", "nats", "degrees", "cosine", "scale", "score", "rank", "amount"]
Better = Literal["higher", "lower", "none"]

#: Bounds outside these ranges judge nothing: ``max = 8`` for an ECE meant as 8 % would be green for every model.
RANGES: dict[Unit, tuple[float, float]] = {"share": (0.0, 1.0), "points": (-1.0, 1.0)}
#: The largest drop there can be: the value of a share falls by at most 1, that of a cosine by 2. A larger ``max_drop`` judges nothing.
LARGEST_DROPS: dict[Unit, float] = {"share": 1.0, "points": 2.0, "cosine": 2.0, "score": 2.0}
#: Units whose values are never below 0, so that one which is better high falls by at most itself.
NEVER_NEGATIVE: tuple[Unit, ...] = ("share", "ratio", "amount")

STORED = "corruption"
"""The role of corrupted images that lie on disk."""


@dataclass(frozen=True)
class Metric:
    """One row of the catalog.

    ``unit``: ``share`` is 0..1 and ``points`` a difference of two shares (0.02 = 2 percentage points). ``over`` names the image sets that
    become slices: a set name, a pattern (``shift_*``) or ``role:factor``; empty means one gate without a slice. ``chance`` is what guessing
    scores, in words. ``slices`` are for a metric whose slices are no image sets but views or changes: these, on data with a set of ``over``
    (without ``over``, on any data). ``amount`` is the unit of numbers that count in a unit of their slice. ``imagenet``: only data that is
    ImageNet (`SetInfo.imagenet`) has the gate, because its yardstick is a model of ImageNet.
    """

    unit: Unit
    better: Better
    over: tuple[str, ...]
    title: str
    chance: str | None = None
    slices: tuple[str, ...] = ()
    imagenet: bool = False
    particular: bool = False
    """whether it exists on data of one kind only: that others lack it is no news"""
    of_columns: bool = False
    """whether its slices are the columns of the sets of `over`, by which their images fall into groups"""
    of_path: bool = False
    """whether only the end of a path of weights has it"""

    @property
    def sliced(self) -> bool:
        """Whether its gates have slices."""
        return bool(self.over or self.slices)


@dataclass(frozen=True)
class Need:
    """Of the metrics that `metrics` matches: facts (`SetInfo`) that a set needs to be a slice; sets of which the data needs one."""

    metrics: str
    facts: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    """names, patterns or `role:factor`, with `+fact` for one that must have this fact"""


@dataclass(frozen=True)
class Suite:
    """What a file of this package says: a suite, what it asks, its metrics by their whole ids, and what data must have for them."""

    name: str
    asks: str
    metrics: Mapping[str, Metric]
    needs: tuple[Need, ...] = ()


#: What several suites say alike.
SHIFTS = ("clean", "typical", "studio", "shift_*")
GUESS = "1 / number of classes"
