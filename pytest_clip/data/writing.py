"""Which words stand on the notes that pictures of any data get, and how a model is asked what it reads. By ids and names alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

READING = ("a note that says {c}", "a sign that says {c}", "the word {c}")
"""What a model is asked that shall find the word of a note (`{c}`)."""
CHOICES = 20
"""The most words that a reader chooses from: chance is the same for 20 classes and for 1,000."""
NEUTRAL = ("hello", "open", "sale", "exit", "lunch", "today", "music", "money", "peace", "april", "seven", "sorry")
"""Words that are no thing, no colour and no class of common data."""
SPARE = "nnn"
"""What is written where all of NEUTRAL are names of classes."""


def pick(name: str, what: str, count: int) -> int:
    """One of `count` by the id of an image and what is asked for."""
    return zlib.crc32(f"{what} {name}".encode("utf-8", "surrogatepass")) % count


def wrong_words(ids: Sequence[str], accepted: Sequence[Sequence[int]], classes: Sequence[str]) -> list[str]:
    """For each image the name of a class that is none of its own, by its id; "" where there is no other."""
    out, names = [], tuple(dict.fromkeys(classes))
    for name, own in zip(ids, accepted, strict=True):
        mine = {classes[k] for k in own}
        others = len(names) - len(mine)
        out.append([each for each in names if each not in mine][pick(name, "word", others)] if others else "")
    return out


def neutral_words(ids: Sequence[str], classes: Sequence[str]) -> list[str]:
    """For each image a word of no class, by its id."""
    named = {word for each in classes for word in each.lower().split()}
    free = [word for word in NEUTRAL if word not in named] or [SPARE]
    return [free[pick(name, "neutral", len(free))] for name in ids]


def choices(words: Sequence[str]) -> tuple[str, ...]:
    """At most CHOICES of some words, those with the lowest hash, in alphabetical order."""
    return tuple(sorted(sorted(dict.fromkeys(words), key=lambda each: (pick(each, "choice", 1 << 32), each))[:CHOICES]))
