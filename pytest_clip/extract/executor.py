"""What an executor is: `embed.Local` embeds in this process, `rays.Rays` on a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .embed import Work
    from .entry import Entry


class Executor(Protocol):
    """Somebody who embeds."""

    def fill(self, entry: Entry, work: Work, *, advance: Callable[[int], None]) -> None: ...
    def close(self) -> None: ...
