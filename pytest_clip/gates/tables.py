"""The tables of one thresholds file: read key by key, and what is wrong in them is told with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_clip.gates import fields
from pytest_clip.gates.catalog import did_you_mean
from pytest_clip.gates.layers import Layer

Keys = tuple[str | int, ...]
"""The keys from the top of the file; a number counts the elements of a list."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Tables:
    """The tables of a layer and the sentences about what is wrong in them."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.problems: list[tuple[int, str]] = []

    def sorted_problems(self) -> list[str]:
        return [f"{self.layer.label}:{line}: {text}" for line, text in sorted(self.problems, key=lambda problem: problem[0])]

    def problem(self, path: Keys, text: str) -> None:
        self.problems.append((self.layer.lines.at(*path), text))

    def field(self, here: Keys, key: str, reader: Callable[[object], Any], *, required: bool = False) -> Any:
        """The value of ``key``, or None: absent, or wrong and reported."""
        table = self.value(here)
        if key not in table:
            if required:
                self.problem(here, f"{header(here)} needs {key}")
            return None
        try:
            return reader(table[key])
        except ValueError as error:
            self.problem((*here, key), f"{key} {error} in {header(here)}")
            return None

    def only(self, allowed: Sequence[str], here: Keys) -> None:
        """Report keys that mean nothing."""
        for key in self.children(here):
            if key not in allowed:
                where = header(here) if here else "at the top of the file"
                hint = did_you_mean(key, allowed, otherwise=f"; known: {', '.join(allowed)}")
                self.problem((*here, key), f"unknown key {key!r} {'in ' if here else ''}{where}{hint}")

    def children(self, here: Keys) -> Mapping[str, Any]:
        """The table at ``here``; empty when it is absent, or is something else and reported."""
        value = self.value(here)
        if isinstance(value, dict):
            return value
        self.problem(here, f"{header(here)} must be a table, not {fields.shown(value)}")
        return {}

    def value(self, path: Keys) -> Any:
        value: Any = self.layer.content
        for key in path:
            if isinstance(value, dict):
                value = value.get(str(key), {})
            elif isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                return {}
        return value


def header(path: Keys) -> str:
    """The path as a table header: ``[gates."accuracy/top1"]``; a list element as ``[[waiver]]``."""
    dotted = ".".join(each if _BARE.fullmatch(each) else f'"{each}"' for each in path if isinstance(each, str))
    return f"[[{dotted}]]" if isinstance(path[-1], int) else f"[{dotted}]"
