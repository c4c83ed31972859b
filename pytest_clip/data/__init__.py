"""Data sets: `load` gives the one that --clip-data names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from . import layouts
from .catalog import SetInfo as SetInfo
from .catalog import one, sets
from .layouts.found import Found, own_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..models.depth import DepthModel
    from .correspondences import KeypointPair, ViewPair
    from .imageset import ImageSet
    from .prompts import PromptSet
    from .scenes.spec import Scene
    from .unreadable import Look


@dataclass(frozen=True)
class Data:
    """A data set: its image sets by name, its classes and the prompt templates that turn a class name into text."""

    text: str
    sets: tuple[SetInfo, ...]
    limit: int | None = None
    prompts: PromptSet | None = None
    """in place of the data set's own templates"""
    found: Found | None = None
    """of a known layout; None for `scenes` and for a plain folder of class folders"""
    depth_model: DepthModel | None = None
    """estimates the depth of images that have no maps"""
    max_unreadable: int | None = None
    """images of a set that may be left out because they cannot be read; None: nobody looks before they are decoded"""

    @property
    def name(self) -> str:
        """`scenes`, or the folder's name (of `.` too)."""
        if self.found is not None:
            return self.found.name
        return self.text if self.text == "scenes" else own_name(Path(self.text))

    @property
    def templates(self) -> tuple[str, ...]:
        """Patterns with {c}, as `prompts.fill` reads them."""
        if self.prompts is not None:
            return self.prompts.templates
        if self.found is not None:
            return layouts.layout(self.found.layout).templates(self.found)
        from . import own
        from .scenes import vocabulary

        return vocabulary.TEMPLATES if self.text == "scenes" else own.templates(Path(self.text))

    def prompt_sets(self, family: str) -> Mapping[str, tuple[str, ...]]:
        """The prompt sets of a family by name; the first of `templates` are those of this run."""
        from . import prompts

        found = prompts.family(family)
        return {"own" if self.prompts is None else self.prompts.name: self.templates, **found} if family == "templates" else found

    def ask(self, template: str) -> list[str]:
        """One text for each class."""
        from .prompts import fill

        return [fill(template, name) for name in self.classes]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        if self.found is not None:
            return layouts.layout(self.found.layout).classes(self.found)
        return self.images("clean").classes

    @property
    def facts(self) -> dict[str, Any]:
        """What reports and suites may ask: `page`, `licence`, `imagenet` (whether its classes are the 1000 of ImageNet-1k)."""
        return {} if self.found is None else layouts.layout(self.found.layout).facts(self.found)

    @cached_property
    def _loaded(self) -> dict[str, ImageSet]:
        return {}

    @cached_property
    def looked(self) -> dict[str, tuple[ImageSet, Look]]:
        """By image set that has been loaded: all of it, and what a look at its pictures told."""
        return {}

    @cached_property
    def left_out(self) -> dict[str, tuple[str, ...]]:
        """By image set that has been loaded and lacks some: why each of these images cannot be read."""
        return {}

    def images(self, name: str) -> ImageSet:
        """The image set `name` without what cannot be read; ClipError names the sets there are, or images when too many are unreadable."""
        if name not in self._loaded:
            role = next((s.role for s in self.sets if s.name == name), None)
            if role is None:
                raise ClipError(f"{self.name} has no image set {name!r}; it has {', '.join(s.name for s in self.sets)}")
            made = replace(self._made(name, role), depth_model=self.depth_model, source=self.text)
            self._loaded[name] = made if self.max_unreadable is None or made.scenes is not None else self._readable(made, name, role)
        return self._loaded[name]

    def _readable(self, whole: ImageSet, name: str, role: str) -> ImageSet:
        from . import remaining, unreadable

        if whole.within is not None:
            self.images(whole.within)
            left = remaining.following(whole, place=self._places[whole.within]) if whole.within in self._places else whole
            if len(left) < len(whole):
                self.left_out[name] = tuple(f"{each}: its picture cannot be read" for each in whole.ids if each not in set(left.ids))
            return left
        if name in self._refused:
            raise ClipError(self._refused[name])
        try:
            found = unreadable.sorted_out(whole, self.max_unreadable or 0, together=role in unreadable.TOGETHER)
        except ClipError as error:
            self._refused[name] = str(error).partition(":\n")[0] + unreadable.NAMED_BEFORE
            raise
        self.looked[name] = whole, found
        wrong = found.wrong
        if not wrong:
            return whole
        self.left_out[name] = tuple(wrong.values())
        self._places[name] = unreadable.left(whole, tuple(wrong))
        return remaining.without(whole, self._places[name])

    @cached_property
    def _refused(self) -> dict[str, str]:
        """By image set with too many unreadable images: what is said of it from the second time on."""
        return {}

    @cached_property
    def _places(self) -> dict[str, dict[int, int]]:
        """By image set that lacks some: old row -> new row."""
        return {}

    def _made(self, name: str, role: str) -> ImageSet:
        if self.found is not None:
            return layouts.layout(self.found.layout).image_set(self.found, name, limit=self.limit)
        from . import folder, own
        from .scenes import load as scenes

        if self.text == "scenes":
            return scenes.image_set(name, role=role, limit=self.limit)
        if role == "ood":
            return own.unknown_images(Path(self.text), name, data=self.name, classes=self.classes, limit=self.limit)
        return folder.image_set(self.text, limit=self.limit)

    def view_pairs(self, name: str) -> Sequence[ViewPair]:
        """Where each image of `name` shows the points of its first view (row `pairs` of `clean`) again; ClipError where nobody knows."""
        if self.found is not None:
            return layouts.layout(self.found.layout).view_pairs(self.found, self.images(name))
        from .scenes import twoviews

        return twoviews.view_pairs(*self._partners(name))

    def keypoint_pairs(self, name: str) -> Sequence[KeypointPair]:
        """Where each image of `name` and its partner (row `pairs` of `clean`) show the same landmarks; ClipError where nobody knows."""
        if self.found is not None:
            return layouts.layout(self.found.layout).keypoint_pairs(self.found, self.images(name))
        from .scenes import twoviews

        return twoviews.keypoint_pairs(*self._partners(name))

    def _partners(self, name: str) -> tuple[list[Scene], tuple[Scene, ...]]:
        images, first = self.images(name), self.images("clean").scenes
        if first is None or images.scenes is None or images.pairs is None:
            raise ClipError(f"{self.name} does not know which points of {name} correspond; the embedded scenes do (--clip-data=scenes)")
        return [first[row] for row in images.pairs], images.scenes

    @property
    def fingerprints(self) -> dict[str, str]:
        """Of the image sets that have been asked for, by name. What nobody asks for is not read: ImageNet-C has 3.75 million files."""
        return {each.name: self._loaded[each.name].fingerprint for each in self.sets if each.name in self._loaded}

    @property
    def fingerprint(self) -> str:
        """Of those together, 16 hex digits."""
        return together(self.fingerprints)


def together(fingerprints: Mapping[str, str]) -> str:
    """One for several image sets, whatever their order; 16 hex digits."""
    return hashlib.sha256("\n".join(f"{name} {held}" for name, held in sorted(fingerprints.items())).encode()).hexdigest()[:16]


def load(
    name: str, *, limit: int | None = None, prompts: PromptSet | None = None, known: Sequence[SetInfo] | None = None,
    max_unreadable: int | None = None,
) -> Data:  # fmt: skip
    """`scenes`, a known layout or a folder of class folders.

    Each image set is cut to `limit` images and asked with `prompts` instead of its own templates. `known`: what `catalog.sets` says, where
    somebody has counted the files already. `max_unreadable`: images that a set may lack; None looks at none before it is decoded.
    """
    present = tuple(each for each in (sets(name) if known is None else known) if not each.absent)
    return Data(name, present, limit, prompts, one(name), max_unreadable=max_unreadable)
