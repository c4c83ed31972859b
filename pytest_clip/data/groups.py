"""Groups: columns of facts about images, alone or two crossed, whose groups are large enough to be held against each other. Light."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

from .layouts.owntable import slug

ENOUGH = 100
"""Images that a group needs: with 40 its accuracy is a coin flip of +-15 points, and the worst of several is the smallest."""
MOST = 64
"""Groups up to which a column counts: every two of them are compared, and FairFace's ages times races are 63."""
CROSSED = 4
"""Columns of which every two are crossed; of more the number of gates would grow by itself."""
CROSS = "-x-"


def columns(facts: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the columns, and of pairs of them (`age-x-race`), with at least two groups of `ENOUGH` images; and why others have not.

    facts: by column a text for each image, "" for none. A pair is crossed among the first `CROSSED` columns that qualify. Of fewer than
    twice `ENOUGH` images there is nothing to say.
    """
    if len(next(iter(facts.values()), ())) < 2 * ENOUGH:
        return (), ()
    alone, few, notes, taken = [], [], [], dict.fromkeys(map(slug, facts))
    for column, values in facts.items():
        if slug(column) not in taken:
            notes.append(f"no groups by {column}: it reads as another column does ({slug(column)}); rename it")
            continue
        del taken[slug(column)]
        large = _large(map(slug_of, values))
        if 2 <= large <= MOST:
            alone.append(column)
        elif large < 2:
            few.append(column)
        else:
            notes.append(f"no groups by {column}: {large} values of {ENOUGH} images or more, at most {MOST} are held against each other")
    if few:
        notes.append(f"no groups by {', '.join(few)}: it takes two values of {ENOUGH} images or more")
    out = [slug(column) for column in alone]
    for one, two in combinations(alone[:CROSSED], 2):
        name = f"{slug(one)}{CROSS}{slug(two)}"
        if 2 <= _large(crossed(facts[one], facts[two])) <= MOST and name not in out:
            out.append(name)
    if len(alone) > CROSSED:
        notes.append(f"of {len(alone)} columns with groups the first {CROSSED} are crossed ({', '.join(alone[:CROSSED])})")
    return tuple(out), tuple(notes)


def slug_of(value: str) -> str:
    """A value as groups are called; "" stays."""
    return slug(value) if value.strip() else ""


def crossed(one: Sequence[str], two: Sequence[str]) -> tuple[str, ...]:
    """Both values of each image, "" where it lacks one."""
    return tuple(f"{slug_of(a)},{slug_of(b)}" if slug_of(a) and slug_of(b) else "" for a, b in zip(one, two, strict=True))


def values(facts: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    """The group of each image, "" for none, under a name that `columns` gave; KeyError for another."""
    named: dict[str, str] = {}
    for column in facts:
        named.setdefault(slug(column), column)
    if name in named:
        return tuple(map(slug_of, facts[named[name]]))
    one, two = next(pair for pair in _pairs(name) if all(each in named for each in pair))
    return crossed(facts[named[one]], facts[named[two]])


def split(groups: Sequence[str]) -> tuple[Mapping[str, tuple[int, ...]], Mapping[str, int]]:
    """Rows of each group of `ENOUGH` images, in the order of names, and how many images the smaller ones have."""
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        if group:
            rows.setdefault(group, []).append(row)
    large = {group: tuple(rows[group]) for group in sorted(rows) if len(rows[group]) >= ENOUGH}
    return MappingProxyType(large), MappingProxyType({group: len(rows[group]) for group in sorted(rows) if group not in large})


def _pairs(name: str) -> list[tuple[str, str]]:
    """Every way to read a name as two: a column may hold the cross in its own."""
    parts = name.split(CROSS)
    found = [(CROSS.join(parts[:k]), CROSS.join(parts[k:])) for k in range(1, len(parts))]
    if not found:
        raise KeyError(name)
    return found


def _large(named: Iterable[str]) -> int:
    """How many groups have enough images."""
    return sum(n >= ENOUGH for name, n in Counter(named).items() if name)
