"""Which of several options a free answer names, by whole words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

NONE, SEVERAL = -1, -2
"""An answer that names no option, and one that names more than one."""
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation: `Band-Aid.` is `band`, `aid`."""
    return tuple(_WORD.findall(text.lower()))


def named(answer: str, options: Sequence[str], aliases: Mapping[str, Sequence[str]] | None = None) -> int:
    """The number of the one option that `answer` names, NONE or SEVERAL.

    An option is named where its words, or those of one of its `aliases` (by option), stand in the answer one after another. Longer names
    are looked for first and take their words away, so that `can opener` does not name `can`. An answer that is an option word for
    word names it alone. ImageNet-D's own script takes any substring and leaves unclear answers to a person.
    """
    said = words(answer)
    names = [(words(name), k) for k, option in enumerate(options) for name in (option, *(aliases or {}).get(option, ()))]
    exact = {k for name, k in names if name and name == said}
    if len(exact) == 1:
        return exact.pop()
    found: set[int] = set()
    rest: list[str] = list(said)
    for name in sorted({name for name, _ in names if name}, key=lambda name: (-len(name), name)):
        at = 0
        while at + len(name) <= len(rest):
            if tuple(rest[at : at + len(name)]) == name:
                found |= {k for each, k in names if each == name}
                rest[at : at + len(name)] = [""] * len(name)
            at += 1
    return NONE if not found else found.pop() if len(found) == 1 else SEVERAL
