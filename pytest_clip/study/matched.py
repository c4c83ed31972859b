"""Runs that differ in one factor alone, held against each other image by image, p corrected by Holm over all pairs and gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

from pytest_clip.metrics.holm import holm
from pytest_clip.models.trainsets import SETS
from pytest_clip.runs.changes import Change, changes
from pytest_clip.runs.saved import SavedRun, key
from pytest_clip.study.properties import stands_for

MOST = 60
"""Pairs that are compared; of more, the first."""
COUNTS = ("parameters", "gflops", "resolution", "training_set_size", "samples_seen")
"""Amounts: what follows from another factor that differs is no second difference."""
CLOSE = 1.1
"""Amounts within this ratio are taken for one: a logit bias more, the few samples of a fine-tuning."""
LINEAGE = "lineage"
"""Which models are no independent evidence: no property of a model."""


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


def matched(names: Sequence[str], factors: Mapping[str, Mapping[str, Any]], open_: Callable[[str], tuple[SavedRun, str]]) -> list[Pair]:
    """Pairs of models that differ in one factor, `MOST` at most.

    `factors` by name of the model; `open_` gives its saved run and its name there. Compared are the gates that stand for a property, and
    all whose outcomes are right or wrong (exact tests); `pytest-clip compare` holds two runs against each other in all gates. ClipError as
    in `runs.changes`.
    """
    asked = differing(names, factors)
    found: list[Pair] = []
    for one, other, factor in asked[:MOST]:
        levels = (str(factors[one].get(factor)), str(factors[other].get(factor)))
        (first, first_model), (second, second_model) = open_(one), open_(other)
        held = changes(first, second, models=(first_model, second_model), only=partial(asks, second))
        found.append(Pair(factor, levels, one, other, tuple(held)))
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


def differing(names: Sequence[str], factors: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Every two models that differ in one factor (a seed is none), and that factor."""
    held = [(one, other, different(factors[one], factors[other])) for one, other in combinations(names, 2)]
    return [(one, other, found[0]) for one, other, found in held if len(found) == 1 and found[0] != "seed"]


def asks(run: SavedRun, model: str, data: str, gate: str) -> bool:
    if stands_for(gate) is not None:
        return True
    entry = run.index["gates"].get(key(model, data, gate))
    if entry is None or "clusters" in entry or entry["statistic"] not in ("mean", "recall"):
        return False
    return all(run.arrays[each].dtype.kind in "bi" for each in entry["arrays"].values())


def different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Factors that both are known to differ in, or of which one alone is known, and amounts that do not follow from these.

    A network has another size because it is another network, a training set because it is another set (of those whose size is known);
    a longer training and a part of a set are differences of their own.
    """
    plain = sorted(key for key in {*one, *other} - {*COUNTS, LINEAGE} if one.get(key) != other.get(key))
    amounts = [
        ("parameters", "family" not in plain),
        ("training_set_size", not _by_name(one, other)),
        ("samples_seen", "finetuned_on" not in plain),
    ]
    return plain + [key for key, counts in amounts if counts and _apart(one.get(key), other.get(key))]


def _apart(one: Any, other: Any) -> bool:
    """Whether two amounts are known and farther from each other than `CLOSE`."""
    try:
        low, high = sorted((float(one), float(other)))
    except (TypeError, ValueError):
        return False
    return low > 0 and high > CLOSE * low


def _by_name(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two training sets differ and each has the size that is its own."""
    if one.get("training_set") == other.get("training_set"):
        return False
    known = [SETS.get(str(each.get("training_set"))) for each in (one, other)]
    return all(each is not None and each.size is not None for each in known)
