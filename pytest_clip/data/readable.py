"""The image sets of a data set without the images that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import ClipError
from .imageset import ImageSet
from .remaining import following, without
from .unreadable import NAMED_BEFORE, TOGETHER, Look, left, sorted_out


@dataclass(frozen=True)
class Readable:
    """Remembers what was found in each set, because sets within others follow them."""

    allowed: int
    """images that a set may lack"""
    looked: dict[str, tuple[ImageSet, Look]] = field(default_factory=dict)
    """by image set: all of it, and what a look at its pictures told"""
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """by image set that lacks some: why each of these images cannot be read"""
    refused: dict[str, str] = field(default_factory=dict)
    """by image set with too many unreadable images: what is said of it from the second time on"""
    places: dict[str, dict[int, int]] = field(default_factory=dict)
    """by image set that lacks some: old row -> new row"""

    def part(self, whole: ImageSet, role: str) -> ImageSet:
        """What is left of a set (the set that it lies within comes before it); ClipError when too many images are unreadable."""
        name = whole.name
        if whole.within is not None:
            kept = following(whole, place=self.places[whole.within]) if whole.within in self.places else whole
            if len(kept) < len(whole):
                self.left_out[name] = tuple(f"{each}: its picture cannot be read" for each in whole.ids if each not in set(kept.ids))
            return kept
        if name in self.refused:
            raise ClipError(self.refused[name])
        try:
            found = sorted_out(whole, self.allowed, together=role in TOGETHER)
        except ClipError as error:
            self.refused[name] = str(error).partition(":\n")[0] + NAMED_BEFORE
            raise
        self.looked[name] = whole, found
        wrong = found.wrong
        if not wrong:
            return whole
        self.left_out[name] = tuple(wrong.values())
        self.places[name] = left(whole, tuple(wrong))
        return without(whole, self.places[name])
