"""What a baseline had right and the model has wrong, as a gallery: by class, and by whatever else such images have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.runs.facts import CLASS
from pytest_clip.session.evidence import Evidence

if TYPE_CHECKING:
    from pytest_clip.metrics.outcomes import Outcomes
    from pytest_clip.session.evidence import Asked

CLASSES, OTHERS = 3, 2
"""Classes of a gate that the gallery shows, those that lost most, and groups of other facts, those that stand out."""

Facts = Mapping[str, Sequence[str]]


def of(asked: Asked, base: Outcomes | None, now: Outcomes, flips: Mapping[str, Any] | None, facts: Facts) -> list[Evidence]:
    """Nothing where no image went wrong, or none can be paired. `facts` are columns of all images of `now`, `flips` those of the row."""
    if base is None or not flips or not flips["worse"]:
        return []
    there, here = base.like(now).right, now.right
    if there is None or here is None:
        return []
    lost = sorted((there & ~here).nonzero()[0].tolist(), key=lambda row: (-asked.sure(row), now.ids[row]))
    groups: list[dict[str, Any]] = []
    pictures: dict[str, str] = {}
    for fact, value in _chosen(lost, flips, facts):
        column = facts[fact]
        rows = [row for row in lost if column[row] == value]
        shown = asked.shown("flips", rows, {"before": "right"})[0]
        pictures |= shown.pictures
        at_risk = sum(each == value for each, right in zip(column, there, strict=True) if right)
        told = {"fact": fact, "value": value, "worse": len(rows), "at_risk": at_risk, "stands_out": (fact, value) in _standing(flips)}
        groups.append({**told, **shown.told})
    return [Evidence("flip_groups", {"worse": len(lost), "at_risk": int(there.sum()), "groups": groups}, pictures)] if groups else []


def _chosen(lost: Sequence[int], flips: Mapping[str, Any], facts: Facts) -> list[tuple[str, str]]:
    """The classes that lost most, then what else stands out."""
    classes = Counter(facts[CLASS][row] for row in lost) if CLASS in facts else Counter()
    most = sorted(classes, key=lambda name: (-classes[name], name))[:CLASSES]
    return [*((CLASS, name) for name in most), *[each for each in _standing(flips) if each[0] != CLASS and each[0] in facts][:OTHERS]]


def _standing(flips: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(each["fact"], each["value"]) for each in flips["groups"] if each["stands_out"]]
