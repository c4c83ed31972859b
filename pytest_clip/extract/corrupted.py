"""Answers to clean images under every corruption of a suite, and how a number made from them reaches its gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.depth import Origin, origin
from ..metrics.intervals import bootstrap, seed_from, wilson
from ..metrics.outcomes import Outcomes
from ..views import SEVERITIES, VERSION, View, corruption_view
from ..views.catalog import NEEDS_DEPTH
from .zeroshot import ZeroShot

if TYPE_CHECKING:
    from ..data import Data
    from ..gates.ids import GateId


@dataclass(frozen=True)
class Corrupted:
    """The first `images` clean images of a data set, as they are and under each of `kinds` at each severity; asked when needed."""

    ask: Callable[..., ZeroShot]
    """the fixture `zero_shot`"""
    data: Data
    kinds: tuple[str, ...]
    images: int

    @cached_property
    def clean(self) -> ZeroShot:
        """Answers without corruption."""
        return self.ask("clean", first=self.images)

    def right(self, name: str) -> NDArray[np.bool_]:
        """[severities, n] whether an image is answered rightly under `fog-3` (one severity) or `fog` (all five)."""
        kind, _, severity = name.partition("-")
        views = [self._view(kind, s) for s in ([int(severity)] if severity else SEVERITIES)]
        return np.stack([self.ask("clean", first=self.images, view=view).right for view in views])

    @cached_property
    def table(self) -> NDArray[np.bool_]:
        """[kinds, severities, n] of the same."""
        return np.stack([self.right(kind) for kind in self.kinds])

    def judge(
        self,
        gate: Callable[..., Any],
        of: GateId,
        value: float,
        *,
        statistic: str = "mean",
        reason: str | None = None,
        **of_image: NDArray[np.floating],
    ) -> None:
        """Hand `value` to its gate, or none and the `reason`.

        `of_image`, one array [n, ...] under a name, holds what each image contributes: `value` is the `statistic` of it. Only a mean has an
        interval.
        """
        kinds = self.kinds if of.slice is None else (of.slice.partition("-")[0],)
        told: dict[str, object] = {"images": len(self.clean.ids), "views": VERSION} | ({"kinds": self.kinds} if of.slice is None else {})
        if self.depth is not None and not set(NEEDS_DEPTH).isdisjoint(kinds):
            told["depth"] = self.depth.told
        ci = _interval(of, *of_image.values()) if statistic == "mean" else None
        gate(
            of, None if reason else value, n=len(self.clean.ids), ci=ci, reason=reason,
            per_image=Outcomes(statistic, of_image, self.clean.ids), conventions=self.clean.conventions | told,
        )  # fmt: skip

    @cached_property
    def depth(self) -> Origin | None:
        """Where the depth of the images comes from; None for images without and for corruptions that ask for none."""
        return origin(self.data.images("clean")) if not set(NEEDS_DEPTH).isdisjoint(self.kinds) else None

    def _view(self, kind: str, severity: int) -> View:
        view = corruption_view(kind, severity)
        if view.needs_depth and self.depth is not None and self.depth.key:
            return replace(view, key=f"{view.key}-depth-{self.depth.key}")
        return view


def _interval(of: GateId, each: NDArray[np.floating]) -> tuple[float, float]:
    """95 % interval of a mean over images; Wilson's for a share."""
    if np.isin(each, (0, 1)).all():
        return wilson(int(each.sum()), len(each))
    return bootstrap(np.mean, each, seed=seed_from(str(of)))
