"""A data set: image sets by name, classes, prompts; `load` gives the one that --clip-data names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from .catalog import one, sets
from .layouts import layout
from .layouts.found import Found, own_name
from .setinfo import SetInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..models.depth import DepthModel
    from .correspondences import KeypointPair, ViewPair
    from .imageset import ImageSet
    from .prompts import PromptSet
    from .readable import Readable
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
            return layout(self.found.layout).templates(self.found)
        from .own import templates
        from .scenes.vocabulary import TEMPLATES

        return TEMPLATES if self.text == "scenes" else templates(Path(self.text))

    def prompt_sets(self, family: str) -> Mapping[str, tuple[str, ...]]:
        """The prompt sets of a family by name; the first of `templates` are those of this run."""
        from .prompts import family as sets_of

        found = sets_of(family)
        return {"own" if self.prompts is None else self.prompts.name: self.templates, **found} if family == "templates" else found

    def ask(self, template: str) -> list[str]:
        """One text for each class."""
        from .prompts import fill

        return [fill(template, name) for name in self.classes]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in label order."""
        if self.found is not None:
            return layout(self.found.layout).classes(self.found)
        return self.images("clean").classes

    @property
    def facts(self) -> dict[str, Any]:
        """What reports and suites may ask: `page`, `licence`, `imagenet` (whether its classes are the 1000 of ImageNet-1k)."""
        return {} if self.found is None else layout(self.found.layout).facts(self.found)

    @cached_property
    def _loaded(self) -> dict[str, ImageSet]:
        return {}

    @cached_property
    def _readable(self) -> Readable:
        from .readable import Readable

        return Readable(self.max_unreadable or 0)

    @property
    def looked(self) -> Mapping[str, tuple[ImageSet, Look]]:
        """By image set that has been loaded: all of it, and what a look at its pictures told."""
        return self._readable.looked

    @property
    def left_out(self) -> Mapping[str, tuple[str, ...]]:
        """By image set that has been loaded and lacks some: why each of these images cannot be read."""
        return self._readable.left_out

    def images(self, name: str) -> ImageSet:
        """The image set `name` without what cannot be read; ClipError names the sets there are, or images when too many are unreadable."""
        if name not in self._loaded:
            role = next((s.role for s in self.sets if s.name == name), None)
            if role is None:
                raise ClipError(f"{self.name} has no image set {name!r}; it has {', '.join(s.name for s in self.sets)}")
            made = replace(self._made(name, role), depth_model=self.depth_model, source=self.text)
            if made.within is not None and self._looks(made):
                self.images(made.within)
            self._loaded[name] = self._readable.part(made, role) if self._looks(made) else made
        return self._loaded[name]

    def _looks(self, made: ImageSet) -> bool:
        """Whether the pictures of a set are looked at before they are decoded."""
        return self.max_unreadable is not None and made.drawn is None

    def _made(self, name: str, role: str) -> ImageSet:
        if self.found is not None:
            return layout(self.found.layout).image_set(self.found, name, limit=self.limit)
        from .folder import image_set
        from .own import unknown_images
        from .scenes.load import image_set as embedded

        if self.text == "scenes":
            return embedded(name, role=role, limit=self.limit)
        if role == "ood":
            return unknown_images(Path(self.text), name, data=self.name, classes=self.classes, limit=self.limit)
        return image_set(self.text, limit=self.limit)

    def view_pairs(self, name: str) -> Sequence[ViewPair]:
        """Where each image of `name` shows the points of its first view (row `pairs` of `clean`) again; ClipError where nobody knows."""
        if self.found is not None:
            return layout(self.found.layout).view_pairs(self.found, self.images(name))
        from .scenes.twoviews import view_pairs

        return view_pairs(*self._partners(name))

    def keypoint_pairs(self, name: str) -> Sequence[KeypointPair]:
        """Where each image of `name` and its partner (row `pairs` of `clean`) show the same landmarks; ClipError where nobody knows."""
        if self.found is not None:
            return layout(self.found.layout).keypoint_pairs(self.found, self.images(name))
        from .scenes.twoviews import keypoint_pairs

        return keypoint_pairs(*self._partners(name))

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
