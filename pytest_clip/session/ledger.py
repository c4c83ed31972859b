"""What a run has looked at: pictures, views of them and passes, each counted as often as it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.run import ClipSession

MAPS = "maps"
"""What stands in the place of a view for dense features of pictures as they are."""


@dataclass(frozen=True)
class Look:
    """The first images of a set (None: all) under a view; not `kept`: asked anew each time; `perhaps`: not always."""

    name: str
    first: int | None = None
    view: str | None = None
    kept: bool = True
    perhaps: bool = False


class Ledger:
    """What has been looked at."""

    def __init__(self, session: ClipSession, data: DataChoice) -> None:
        limit = session.settings.limit
        there = [each for each in session.sets[data.label] if not getattr(each, "absent", "")]
        self.settings = session.settings
        self.sizes = {each.name: each.n if limit is None else min(each.n, limit) for each in there}
        self.roles = {each.name: each.role for each in there}
        self.within: Mapping[str, str] = {each.name: each.within for each in there if getattr(each, "within", "")}
        self._whole: set[tuple[str, str | None]] = set()
        self._some: set[tuple[str, str | None, int]] = set()
        self.seen: dict[str, int] = {}
        self.views = self.passes = self.more = 0
        self._perhaps: set[tuple[str, str | None]] = set()

    def add(self, look: Look) -> None:
        name = self.within.get(look.name, look.name)
        if name not in self.sizes:
            return
        first = look.first if name == look.name else None  # all of the pictures that a set is some of
        n = min(first or self.sizes[name], self.sizes[name])
        if look.perhaps:
            if (name, look.view) not in self._perhaps:
                self._perhaps.add((name, look.view))
                self.more += n
            return
        self.seen[name] = max(self.seen.get(name, 0), n)
        if not look.kept:
            self.passes += n
            return
        whole = n == self.sizes[name]
        if (name, look.view) in self._whole or (name, look.view, n) in self._some:
            return
        if whole:
            self._whole.add((name, look.view))
        else:
            self._some.add((name, look.view, n))
        self.passes += n
        self.views += n if look.view is not None and not look.view.startswith(MAPS) else 0
