"""What the names of classes and their sizes tell: typing errors, codes among words, classes that nobody meant. Light."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from .binding import CLOSE_UP_TO, NUMBER, key, one_edit, shortened
from .layouts.found import Problem

NUMBERED = re.compile(r"[0-9]+[._ -]+\D", re.ASCII)
"""001.airplane, as CUB-200 and Caltech-256 name their folders."""
WORDNET = re.compile(r"n[0-9]{8}", re.ASCII)
CODE = re.compile(r"[A-Za-z]{0,3}[-_ ]?[0-9]+[-_ ]?[A-Za-z]?", re.ASCII)
PLACEHOLDER = re.compile(r"(class|label|category|id|kind|type|group|folder)[-_ ]?[0-9]+", re.ASCII | re.IGNORECASE)
FEW = 0.25
"""Share of the classes up to which codes are the exception: most of FGVC-Aircraft's are codes, and rightly so."""
NO_CLASS = {"new folder", "untitled folder", "untitled", "macosx", "tmp", "temp", "trash", "backup", "copy", "@eadir", "thumbs", "cache"}
"""What systems and people call folders that are none."""
SHOWN = 5


def of_sizes(where: str, sizes: Mapping[str, int]) -> list[Problem]:
    """Of the names that prompts are made of, with how many images each has, in whatever order."""
    names = list(sizes)
    out = [*_case(where, names), *_one_edit(where, sizes), *_odd_ones(where, names)]
    if single := [name for name, n in sizes.items() if n == 1]:
        told = f"{where}: {len(single)} of {len(sizes)} classes have a single image ({_few(single)})"
        out.append(Problem("note", f"{told}; their accuracy is 0 or 1: add images, or leave them out of what you gate"))
    return out


def of_codes(where: str, names: Sequence[str], *, cure: str) -> list[Problem]:
    """Names that all say nothing in a prompt; `cure` is how to give them others."""
    if all(NUMBER.fullmatch(name) for name in names):
        trap = "" if len(names) < 11 else "; sorted as text 10 comes before 2, as numbers classnames.txt counts them"
        return [Problem("warn", f"{where}: the classes are called {names[0]}, {names[1]} ..., and so say the prompts{trap}; {cure}")]
    if all(WORDNET.fullmatch(name) for name in names):
        more = "; ImageNet itself is known by its folder: name it val" if len(names) == 1000 else ""
        return [Problem("warn", f"{where}: the classes are called {names[0]} ... (WordNet), and so say the prompts; {cure}{more}")]
    if all(NUMBERED.match(name) for name in names):
        asked = f"the prompts ask for {names[0].replace('_', ' ')!r}, {names[1].replace('_', ' ')!r} ... with their numbers"
        return [Problem("warn", f"{where}: {asked}; {cure}, in the order of the folders")]
    if all(PLACEHOLDER.fullmatch(name) for name in names):
        return [Problem("warn", f"{where}: the classes are called {names[0]}, {names[1]} ..., and so say the prompts; {cure}")]
    return []


def _case(where: str, names: Sequence[str]) -> Iterator[Problem]:
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(key(name), []).append(name)
    for some in alike.values():
        if len(some) > 1:
            how = "in case alone" if len({name.lower() for name in some}) == 1 else "in spelling alone"
            yield Problem("warn", f"{where}: the classes {' and '.join(some)} differ {how}; join them, or give them other names")


def _one_edit(where: str, sizes: Mapping[str, int]) -> Iterator[Problem]:
    """A name that occurs once beside one that occurs more often, a letter away."""
    if len(sizes) > CLOSE_UP_TO:
        return
    forms: dict[str, list[str]] = {}
    for name in sizes:
        for form in set(shortened(key(name))):
            forms.setdefault(form, []).append(name)
    for name, n in sizes.items():
        if n != 1:
            continue
        near = {other for form in shortened(key(name)) for other in forms[form] if sizes[other] > 1}
        close = sorted(other for other in near if one_edit(key(name), key(other)) and not _numbers(name, other))
        if close:
            told = f"{where}: {name!r} occurs once and is one letter from {close[0]!r}, which occurs {sizes[close[0]]} times"
            yield Problem("warn", f"{told}; if it is a typing error, correct it: it is a class of its own now")


def _numbers(one: str, other: str) -> bool:
    """Whether two names differ in a number: `class 1` and `class 2` are no typing error."""
    return re.sub(r"[0-9]+", "0", one) == re.sub(r"[0-9]+", "0", other)


def _odd_ones(where: str, names: Sequence[str]) -> Iterator[Problem]:
    if junk := [name for name in names if key(name).strip(". ") in NO_CLASS]:
        yield Problem("warn", f"{where}: {_few(junk)} {'is' if len(junk) == 1 else 'are'} asked for as a class; remove it, or rename it")
    codes = [name for name in names if name not in junk and _no_word(name)]
    if codes and len(codes) <= FEW * len(names):
        told = f"{where}: {_few(codes)} {'is no word' if len(codes) == 1 else 'are no words'} beside classes with names of words"
        yield Problem("warn", f"{told}, and so say the prompts; name what it shows")


def _no_word(name: str) -> bool:
    return not any(c.isalpha() for c in name) or CODE.fullmatch(name) is not None or PLACEHOLDER.fullmatch(name) is not None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
