"""The forms that values read from a file may have: a check takes one and where it stands, and raises ValueError about what is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates.ids import GateId

LONGEST = 200
LARGEST = 2**63
Check = Callable[[Any, str], None]
"""Takes a value and where it stands; ValueError with a sentence about the first thing that is wrong."""


def text(thing: Any, where: str) -> None:
    """One printable line."""
    if not isinstance(thing, str) or not thing.isprintable() or len(thing) > LONGEST:
        raise ValueError(f"{where} must be one line of at most {LONGEST} characters that can be printed, not {shown(thing)}")


def number(thing: Any, where: str) -> None:
    if isinstance(thing, bool) or not isinstance(thing, int | float) or abs(thing) > 1e300 or not math.isfinite(thing):
        raise ValueError(f"{where} must be a number, not {shown(thing)}")


def count(least: int) -> Check:
    def check(thing: Any, where: str) -> None:
        if isinstance(thing, bool) or not isinstance(thing, int) or not least <= thing < LARGEST:
            raise ValueError(f"{where} must be a whole number of at least {least}, not {shown(thing)}")

    return check


def param(thing: Any, where: str) -> None:
    number(thing, where)
    if abs(thing) > 1e6:  # bins: as many are made
        raise ValueError(f"{where} is out of range: {thing}")


def text_or_number(thing: Any, where: str) -> None:
    (string if isinstance(thing, str) else number)(thing, where)


def boolean(thing: Any, where: str) -> None:
    if not isinstance(thing, bool):
        raise ValueError(f"{where} must be true or false, not {shown(thing)}")


def string(thing: Any, where: str) -> None:
    if not isinstance(thing, str):
        raise ValueError(f"{where} must be a text, not {shown(thing)}")
    thing.encode("utf-8")  # UnicodeEncodeError, a ValueError


def gate(thing: Any, where: str) -> None:
    if not isinstance(thing, str) or len(thing) > LONGEST:
        raise ValueError(f"{where} must be the name of a gate, not {shown(thing)}")
    try:
        parsed(thing)
    except ClipError as error:
        raise ValueError(f"{where}: {error}") from None


@lru_cache(maxsize=8192)
def parsed(text: str) -> GateId:
    """A gate's id; many runs have the same ones."""
    return GateId.parse(text)


def interval(thing: Any, where: str) -> None:
    list_of(or_none(number))(thing, where)
    if len(thing) != 2 or (None not in thing and thing[0] > thing[1]):
        raise ValueError(f"{where} must be two ends, the lower one first, not {shown(thing)}")


def one_of(*choices: str) -> Check:
    def check(thing: Any, where: str) -> None:
        if thing not in choices:
            raise ValueError(f"{where} must be one of {', '.join(choices)}, not {shown(thing)}")

    return check


def any_table(thing: Any, where: str) -> None:
    if not isinstance(thing, dict):
        raise ValueError(f"{where or 'it'} must be a table, not {shown(thing)}")


def conventions(thing: Any, where: str) -> None:
    """A table of anything, in which every number is one that a float can hold."""
    any_table(thing, where)
    numbers(thing, where)


def numbers(thing: Any, where: str) -> None:
    if isinstance(thing, dict | list):
        for key, each in thing.items() if isinstance(thing, dict) else enumerate(thing):
            numbers(each, f"{where}.{shown(key)}")
    elif isinstance(thing, int | float) and not isinstance(thing, bool):
        number(thing, where)


def or_none(check: Check) -> Check:
    return lambda thing, where: None if thing is None else check(thing, where)


def list_of(check: Check) -> Check:
    def every(thing: Any, where: str) -> None:
        if not isinstance(thing, list):
            raise ValueError(f"{where} must be a list, not {shown(thing)}")
        for at, each in enumerate(thing):
            check(each, f"{where}[{at}]")

    return every


def table_of(check: Check) -> Check:
    def every(thing: Any, where: str) -> None:
        any_table(thing, where)
        for key, each in thing.items():
            check(each, f"{where}.{shown(key)}")

    return every


def table(checks: Mapping[str, Check], *, optional: tuple[str, ...] = (), closed: bool = False) -> Check:
    def every(thing: Any, where: str) -> None:
        any_table(thing, where)
        if closed and (unknown := thing.keys() - checks.keys()):
            raise ValueError(f"{where} has a key that means nothing: {shown(min(unknown))}")
        for key, check in checks.items():
            if key in thing:
                check(thing[key], f"{where}.{key}".lstrip("."))
            elif key not in optional:
                raise ValueError(f"{where or 'it'} lacks {key!r}")

    return every


def shown(thing: Any) -> str:
    told = ascii(thing) if not isinstance(thing, dict | list) else f"a {'table' if isinstance(thing, dict) else 'list'}"
    return told if len(told) <= 60 else f"{told[:57]}..."
