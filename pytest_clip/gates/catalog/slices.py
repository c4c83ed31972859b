"""The gates of a metric on a data set: one for each of its slices."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Protocol

from pytest_clip.gates.catalog.lookup import metric_of
from pytest_clip.gates.catalog.metric import STORED
from pytest_clip.gates.catalog.needs import matches, on_disk, usable
from pytest_clip.gates.ids import GateId


class SetLike(Protocol):
    """The two facts of an image set that decide its slices; ``pytest_clip.data.setinfo.SetInfo`` has them."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...


def expand(metric_id: str, sets: Iterable[SetLike], *, over: Collection[str] | None = None, absent: bool = False) -> list[GateId]:
    """The gates of one metric on one data set, in the order of ``sets``; with ``absent`` as if what could be there were there.

    A project's own metric is not in the catalog and passes its ``over``. A metric whose ``over`` matches no set gives no gates; a metric
    without ``over`` gives exactly one. Data that lacks what the metric needs (`needs`) gives none.
    """
    patterns = metric_of(metric_id).over if over is None else tuple(over)
    fixed = metric_of(metric_id).slices if over is None else ()
    whole, sets = GateId.parse(metric_id), tuple(each for each in sets if absent or not getattr(each, "absent", ""))
    if over is None:
        suitable = usable(metric_id, sets)
        if suitable is None or (metric_of(metric_id).imagenet and not any(_is_imagenet(each) for each in sets)):
            return []
        of_clean = whole.suite.startswith("corruptions") and "clean" in patterns
        if fixed and of_clean and (stored := on_disk(fixed, sets)) is not None:
            return [GateId(whole.suite, whole.metric, name) for name in stored]
        sets = tuple(suitable)
    if not (patterns or fixed):
        return [whole]
    named_sets = [each for each in sets if any(matches(each, pattern) for pattern in patterns)]
    if over is None and metric_of(metric_id).of_columns:
        return [GateId(whole.suite, whole.metric, column) for each in named_sets for column in getattr(each, "columns", ())]
    names = [each.name for each in named_sets]
    if fixed:
        # Where `over` names sets and roles, a set that is named has the fixed slices and one that is there for its role is a slice itself.
        named = tuple(pattern for pattern in patterns if not pattern.startswith("role:")) or patterns
        by_role = [name for name in names if named != patterns and not any(fnmatchcase(name, pattern) for pattern in named)]
        names = [*(fixed if len(by_role) < len(names) or not patterns else ()), *by_role]
    return [GateId(whole.suite, whole.metric, name) for name in names]


def _is_imagenet(image_set: SetLike) -> bool:
    return image_set.role in ("clean", STORED) and bool(getattr(image_set, "imagenet", False))
