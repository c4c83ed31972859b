"""What a test shows behind a gate (`gates.evidence`) as the record holds it: builtins, and each picture once, small, by its key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates.evidence import Picture, Shown, Shows, Wanted
from pytest_clip.session.evidence import Evidence

LONGEST = 1000
"""Characters of a text in the record: a caption has some tens, and what is longer says nothing more to a person who compares two."""
MOST = 300
"""Characters of the reason why something could not be shown."""


def asked(shows: Shows, wanted: Wanted) -> list[Evidence]:
    """What the test shows. Where it cannot, why: nothing that goes wrong here may change a verdict."""
    try:
        found = shows(wanted)
        return [of(each) for each in (found if isinstance(found, Sequence) else [found]) if each is not None]
    except Exception as error:
        why = str(error) if isinstance(error, ClipError) else f"{type(error).__name__}: {error}"
        return [Evidence("unshown", {"reason": shortened(" ".join(why.split()), MOST)})]


def of(shown: Shown) -> Evidence:
    """TypeError for what is none of the kinds of `gates.evidence`, ValueError for a number that is not finite."""
    if not isinstance(shown, Shown):
        raise TypeError(f"shows= must give one of the kinds of pytest_clip.gates.evidence, not {type(shown).__name__}")
    pictures: dict[str, str] = {}
    told = _told(shown, pictures)
    return Evidence(shown.kind, told, pictures)


def _told(thing: Any, pictures: dict[str, str]) -> Any:
    if thing is None or isinstance(thing, bool):
        return thing
    if isinstance(thing, Picture):
        from pytest_clip.extract.thumbnails import small

        key, content = small(thing.pixels, side=thing.side)
        pictures[key] = content
        return key
    if is_dataclass(thing):
        return {each.name: _told(getattr(thing, each.name), pictures) for each in fields(thing)}
    if isinstance(thing, str):
        return shortened(str(thing), LONGEST)
    if isinstance(thing, Sequence):
        return [_told(each, pictures) for each in thing]
    if isinstance(thing, Mapping):
        raise TypeError("a table is none of the kinds of pytest_clip.gates.evidence")
    return _number(thing)


def _number(thing: Any) -> int | float | bool:
    """A number of Python's or of numpy's; four digits behind the point are more than a picture can show."""
    plain = thing.item() if hasattr(thing, "item") else thing
    if isinstance(plain, bool | int):
        return plain
    if not isinstance(plain, float) or not math.isfinite(plain):
        raise ValueError(f"{thing!r} is no number that can be shown")
    return round(plain, 4)


def shortened(said: str, most: int) -> str:
    """The beginning of a text that is too long, and how long it is."""
    return said if len(said) <= most else f"{said[: most - 24]}… ({len(said):,} characters)"
