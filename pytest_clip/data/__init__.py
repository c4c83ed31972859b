"""Data sets: `load` gives the one that --clip-data names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from .catalog import SetInfo as SetInfo
from .catalog import sets

if TYPE_CHECKING:
    from .imageset import ImageSet


@dataclass(frozen=True)
class Data:
    """A data set: its image sets by name, its classes and the prompt templates that turn a class name into text."""

    text: str
    sets: tuple[SetInfo, ...]
    limit: int | None = None

    @property
    def name(self) -> str:
        """`scenes`, or the folder's name (of `.` too)."""
        return self.text if self.text == "scenes" else Path(self.text).resolve().name

    @property
    def templates(self) -> tuple[str, ...]:
        """Patterns with {c}."""
        from . import folder
        from .scenes import vocabulary

        return vocabulary.TEMPLATES if self.text == "scenes" else folder.TEMPLATES

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        return self.images("clean").classes

    @cached_property
    def _loaded(self) -> dict[str, ImageSet]:
        return {}

    def images(self, name: str) -> ImageSet:
        """The image set `name`; ClipError names the sets there are."""
        if name not in self._loaded:
            role = next((s.role for s in self.sets if s.name == name), None)
            if role is None:
                raise ClipError(f"{self.name} has no image set {name!r}; it has {', '.join(s.name for s in self.sets)}")
            from . import folder
            from .scenes import load as scenes

            made = (
                scenes.image_set(name, role=role, limit=self.limit)
                if self.text == "scenes"
                else folder.image_set(self.text, limit=self.limit)
            )
            self._loaded[name] = made
        return self._loaded[name]

    @property
    def fingerprint(self) -> str:
        """Over the sets loaded so far would depend on the order of tests, so over all of them; 16 hex digits."""
        return hashlib.sha256(" ".join(self.images(s.name).fingerprint for s in self.sets).encode()).hexdigest()[:16]


def load(name: str, *, limit: int | None = None) -> Data:
    """`scenes` or a folder of class folders, each image set cut to `limit` images."""
    return Data(name, sets(name), limit)
