"""What data must have for a metric to mean something: checked from names and facts of its image sets, before anything loads."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from pytest_clip.gates.catalog.metric import STORED, Need
from pytest_clip.gates.catalog.table import NEEDS

SEVERITIES = range(1, 6)


def has(image_set: Any, fact: str) -> bool:
    """Whether a set has a fact. One that knows nothing of facts (a project's own, a stub's) has those that most sets have."""
    return bool(getattr(image_set, fact, fact not in ("line", "imagenet", "published", "columns")))


def matches(image_set: Any, pattern: str) -> bool:
    """Whether a set is meant by a name, a pattern of names, or `role:NAME`."""
    if pattern.startswith("role:"):
        return bool(image_set.role == pattern.removeprefix("role:"))
    return fnmatchcase(image_set.name, pattern)


def paired(metric_id: str) -> bool:
    """Whether a metric compares images with partners that show the same without the change."""
    return any("paired" in need.facts or any(each.endswith("+paired") for each in need.one_of) for need in needs_of(metric_id))


@cache
def needs_of(metric_id: str) -> tuple[Need, ...]:
    """What a metric asks of data. Kept: a list of all gates asks a hundred metrics ten times each."""
    return tuple(need for need in NEEDS if fnmatchcase(metric_id, need.metrics))


def usable(metric_id: str, sets: Sequence[Any]) -> list[Any] | None:
    """The sets that can be slices of a metric; None where the data lacks what every slice needs; nothing is lacking without data."""
    left = list(sets)
    for need in needs_of(metric_id):
        if need.one_of and sets and not any(_meant(each, pattern) for each in sets for pattern in need.one_of):
            return None
        left = [each for each in left if all(has(each, fact) for fact in need.facts)]
    return left


def on_disk(slices: Sequence[str], sets: Sequence[Any]) -> tuple[str, ...] | None:
    """Of the slices of a corruption suite those whose images lie on disk (`fog-3`, and `fog` with all severities); None: make them."""
    stored = {each.name for each in sets if each.role == STORED}
    if not stored:
        return None
    return tuple(name for name in slices if name in stored or all(f"{name}-{s}" in stored for s in SEVERITIES))


def _meant(image_set: Any, pattern: str) -> bool:
    name, _, fact = pattern.partition("+")
    return matches(image_set, name) and (not fact or has(image_set, fact))
