"""What of the evidence of a run a saved run keeps: curves and words, and pictures of the embedded benchmark or where they were asked for.

A saved run is handed around: committed, uploaded as an artifact, read by colleagues. It holds names and classes of images anyway, so words
about them add nothing to that; pictures and captions of own data would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

WORDS = ("reliability", "scores", "confusion", "mistakes", "flips")
"""Kinds that tell nothing of an image but its name, its class and what the model said; of own data only these are kept unasked."""
LARGEST = 1_000_000
"""Characters of all pictures of a run together; those of the default run, three a gate, have 360,000."""


def kept(evidence: Mapping[str, Any], *, shown: Collection[str]) -> dict[str, Any]:
    """The evidence without pictures and captions of data sets that are not `shown`, and with no more pictures than `LARGEST` allows: of
    each figure the first, then of each the second. What is said of a picture stays where the picture goes."""
    figures = [each for each in evidence.get("figures", ()) if each["data"] in shown or each["kind"] in WORDS]
    pictures: Mapping[str, str] = evidence.get("pictures", {})
    asked = [list(_named(each, pictures)) if each["data"] in shown else [] for each in figures]
    some: dict[str, str] = {}
    room = LARGEST
    for at in range(max(map(len, asked), default=0)):
        for keys in asked:
            if at < len(keys) and keys[at] not in some and len(pictures[keys[at]]) <= room:
                some[keys[at]] = pictures[keys[at]]
                room -= len(pictures[keys[at]])
    told = [_with(each, set(keys) & some.keys(), pictures) for each, keys in zip(figures, asked, strict=True)]
    return {"figures": told, "pictures": dict(sorted(some.items()))} if told else {}


def _named(thing: Any, pictures: Mapping[str, str]) -> Iterator[str]:
    """Keys of pictures in what a figure tells, in its order."""
    if isinstance(thing, str):
        if thing in pictures:
            yield thing
    elif isinstance(thing, Mapping):
        for each in thing.values():
            yield from _named(each, pictures)
    elif isinstance(thing, list | tuple):
        for each in thing:
            yield from _named(each, pictures)


def _with(thing: Any, some: Collection[str], pictures: Mapping[str, str]) -> Any:
    """The same, and None in the place of each picture that is not among `some`."""
    if isinstance(thing, str):
        return None if thing in pictures and thing not in some else thing
    if isinstance(thing, Mapping):
        return {key: _with(each, some, pictures) for key, each in thing.items()}
    return [_with(each, some, pictures) for each in thing] if isinstance(thing, list | tuple) else thing
