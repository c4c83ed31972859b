"""Answers to clean images under every corruption of a suite, and how a number made from them reaches its gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data.depth import Origin, origin
from ..gates.catalog.metric import STORED
from ..metrics.intervals import mean_interval, seed_from, wilson
from ..metrics.outcomes import Outcomes
from ..views import SEVERITIES, VERSION, View, corruption_view
from ..views.catalog import NEEDS_DEPTH
from .examples import example, mistakes
from .zeroshot import ZeroShot

if TYPE_CHECKING:
    from ..data import Data
    from ..gates.evidence import Shown, Shows, Wanted
    from ..gates.ids import GateId
    from ..metrics.corruption_numbers import Number
    from .examples import See

UNCORRUPTED = "uncorrupted"
"""The set that holds the images of stored corruptions as they were before."""


@dataclass(frozen=True)
class Corrupted:
    """The first `images` clean images of a data set, as they are and under each of `kinds` at each severity; asked when needed.

    Corrupted images that lie on disk (ImageNet-C, ImageNet-3DCC) are read, all of them.
    """

    ask: Callable[..., ZeroShot]
    """the fixture `zero_shot`"""
    data: Data
    kinds: tuple[str, ...]
    images: int
    see: See | None = None
    """how a report sees a picture; None shows none"""
    severities: tuple[int, ...] = SEVERITIES
    """those that are asked about"""

    @cached_property
    def stored(self) -> frozenset[str]:
        """Sets of corrupted images that lie on disk, such as `fog-3`: then nothing is made, and all of them count."""
        return frozenset(each.name for each in self.data.sets if each.role == STORED)

    @cached_property
    def clean(self) -> ZeroShot:
        """Answers without corruption."""
        if not self.stored:
            return self.ask("clean", first=self.images)
        clean = self.ask(UNCORRUPTED)
        if [Path(each).name for each in clean.ids] != [Path(each).name for each in self.any.ids]:
            raise ClipError(f"{self.data.name}: the corrupted images are not those of the validation set beside them; unpack both again")
        return clean

    @cached_property
    def at_chance(self) -> str | None:
        """Why differences between severities mean nothing; None too where nobody knows the clean images."""
        return self.clean.at_chance if self.knows_clean else None

    @property
    def knows_clean(self) -> bool:
        """Whether the images can be asked about without corruption."""
        return not self.stored or any(each.name == UNCORRUPTED for each in self.data.sets)

    @cached_property
    def any(self) -> ZeroShot:
        """Answers that say which images are asked about, and how."""
        return self.ask(min(self.stored)) if self.stored else self.clean

    def right(self, name: str) -> NDArray[np.bool_]:
        """[severities, n] whether an image is answered rightly under `fog-3` (one severity) or `fog` (all five)."""
        kind, _, severity = name.partition("-")
        chosen = [int(severity)] if severity else SEVERITIES
        return np.stack([self.answers(kind, s).right for s in chosen])

    def answers(self, kind: str, severity: int) -> ZeroShot:
        """Answers under one kind at one severity."""
        if self.stored:
            return self._read(f"{kind}-{severity}")
        return self.ask("clean", first=self.images, view=self._view(kind, severity))

    def place(self, kind: str, severity: int, row: int) -> tuple[str, int, View | None]:
        """The image set, the row and the view of a picture under a corruption; without it at severity 0."""
        if self.stored:
            return (f"{kind}-{severity}" if severity else UNCORRUPTED), row, None
        return "clean", row, self._view(kind, severity) if severity else None

    def _read(self, name: str) -> ZeroShot:
        answers = self.ask(name)
        if answers.ids != self.any.ids:
            raise ClipError(
                f"{self.data.name}: {name} and {min(self.stored)} hold different images ({len(answers.ids)} and {len(self.any.ids)}); "
                "unpack them again: pytest-clip doctor --data DIR names the sets"
            )
        return answers

    @cached_property
    def table(self) -> NDArray[np.bool_]:
        """[kinds, severities, n] of the same."""
        return np.stack([self.right(kind) for kind in self.kinds])

    def judge(self, gate: Callable[..., Any], of: GateId, number: Number, *, reason: str | None = None) -> None:
        """Hand `number` to its gate, or none and the `reason`. Only a mean has an interval; the model whose errors it is divided by is part
        of the conventions."""
        kinds = self.kinds if of.slice is None else (of.slice.partition("-")[0],)
        pictures = {"pictures": f"files of {self.data.name}"} if self.stored else {"views": VERSION}
        told: dict[str, object] = {"images": len(self.any.ids), **pictures} | ({"kinds": self.kinds} if of.slice is None else {})
        told |= {} if number.over is None else {"over": number.over.source}
        if self.depth is not None and not set(NEEDS_DEPTH).isdisjoint(kinds):
            told["depth"] = self.depth.told
        if of.metric == "accuracy" and not self.stored:
            told["measured"] = {"without": round(float(self.clean.right.mean()), 6)}
        of_image = {number.name: number.each}
        gate(
            of, None if reason else number.value, n=len(self.any.ids), reason=reason,
            ci=_interval(of, **of_image) if number.statistic == "mean" else None,
            per_image=Outcomes(number.statistic, of_image, self.any.ids), conventions=self.any.conventions | told, shows=self._shows(of),
        )  # fmt: skip

    def _shows(self, of: GateId) -> Shows | None:
        """Behind accuracy: an image at each severity of the kind, or what is mistaken at one of them; both where there is but one."""
        if self.see is None or of.metric != "accuracy" or of.slice is None:
            return None
        see, (kind, _, severity) = self.see, of.slice.partition("-")
        alone = not severity or self.severities == (int(severity),)

        def shows(wanted: Wanted) -> list[Shown]:
            found = mistakes(self, kind, int(severity), see, wanted) if severity else None
            return [*([found] if found is not None else []), *([example(self, kind, see)] if alone else [])]

        return shows

    @cached_property
    def depth(self) -> Origin | None:
        """Where the depth of the images comes from; None for images without and for corruptions that ask for none."""
        if self.stored or set(NEEDS_DEPTH).isdisjoint(self.kinds):
            return None
        return origin(self.data.images("clean"))

    def _view(self, kind: str, severity: int) -> View:
        view = corruption_view(kind, severity)
        if view.needs_depth and self.depth is not None and self.depth.key:
            return replace(view, key=f"{view.key}-depth-{self.depth.key}")
        return view


def _interval(of: GateId, **of_image: NDArray[np.floating]) -> tuple[float, float]:
    """95 % interval of a mean over images; Wilson's for a share."""
    [(name, each)] = of_image.items()
    if np.isin(each, (0, 1)).all():
        return wilson(int(each.sum()), len(each))
    return mean_interval(each, seed=seed_from(str(of)), within=(0, 1) if name == "correct" else (-np.inf, np.inf))
