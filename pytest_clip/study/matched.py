"""Runs that differ in one factor alone, held against each other image by image, p corrected by Holm over all pairs and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from pytest_clip.metrics.holm import holm
from pytest_clip.runs.changes import Change, changes
from pytest_clip.runs.saved import SavedRun

COUNTS = ("parameters", "gflops", "resolution", "training_set_size", "samples_seen")
"""What follows from other factors and makes no second difference."""


@dataclass(frozen=True)
class Pair:
    """Two runs that differ in `factor` alone: every gate of `second` against `first`."""

    factor: str
    levels: tuple[str, str]
    first: str
    second: str
    changes: tuple[Change, ...]

    @property
    def worse(self) -> tuple[Change, ...]:
        return tuple(each for each in self.changes if each.sure)


def matched(runs: Sequence[SavedRun], factors: Mapping[str, Mapping[str, Any]]) -> list[Pair]:
    """Every two runs of one model each that differ in one factor; `factors` by name of the run. ClipError as in `runs.changes`."""
    found = []
    for first, second in combinations(runs, 2):
        differing = different(factors.get(first.name, {}), factors.get(second.name, {}))
        if len(differing) == 1:
            (factor,) = differing
            levels = tuple(str(factors[run.name].get(factor)) for run in (first, second))
            found.append(Pair(factor, (levels[0], levels[1]), first.name, second.name, tuple(changes(first, second))))
    p = {
        (at, number): change.found.change.p
        for at, pair in enumerate(found)
        for number, change in enumerate(pair.changes)
        if change.found.change is not None and change.found.change.p is not None
    }
    corrected = holm(p)
    return [
        replace(pair, changes=tuple(replace(change, p=corrected.get((at, number))) for number, change in enumerate(pair.changes)))
        for at, pair in enumerate(found)
    ]


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Factors that both are known to differ in, or of which one alone is known."""
    return sorted(key for key in {*one, *other} if key not in COUNTS and one.get(key) != other.get(key))
