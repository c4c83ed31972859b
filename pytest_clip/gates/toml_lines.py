"""Where each key of a TOML document stands: tomllib gives values without positions, and an error without a line is half an error."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterator

if sys.version_info >= (3, 11):
    import tomllib as tomllib
else:
    import tomli as tomllib

#: Keys and list positions from the top of the document: ``("gates", "ood/auroc", "min")``, ``("waiver", 0, "until")``.
Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_FILLING = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")  # what may stand between statements and inside arrays
# Most pairs, in one step instead of ten.
_PLAIN = re.compile(r"""([A-Za-z0-9_-]+)[ \t]*=[ \t]*(?:"[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9_.+-]+)[ \t]*(?=\n|\Z)""")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)


class Lines:
    """The line of every key, table and list element of ``text``, which must be valid TOML (let tomllib read it first)."""

    def __init__(self, text: str) -> None:
        self.found: dict[Path, int] = {}
        ends = [each.start() for each in re.finditer("\n", text)]
        try:
            for path, at in _Scanner(text).places():
                # A table may be named by its children first ([a.b], then [a]); its own header is the better place.
                line = bisect_left(ends, at) + 1
                if path[-1:] == (_HEADER,):
                    self.found[path[:-1]] = line
                else:
                    self.found.setdefault(path, line)
        except _LostError:  # a construct this scanner does not know: keep what was found, at() falls back to the enclosing table
            pass

    def at(self, *path: str | int) -> int:
        """The line of the key, else of the nearest enclosing table that is known, else 1."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.found:
                return self.found[path[:end]]
        return 1


class _LostError(Exception):
    pass


_HEADER = -1  # marks the path of a [header]; list positions are never negative


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.lists: dict[Path, int] = {}  # length so far of each [[list of tables]]

    def places(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        while self._skip(_FILLING) < len(self.text):
            if self._peek("["):
                at = self.pos
                is_list = self._take("[[")
                if not is_list:
                    self._take("[")
                *parents, last = self._key()
                table = ()
                for part in parents:
                    table = self._entered((*table, part))
                    yield table, at
                table = (*table, last)
                if is_list:
                    yield table, at
                    self.lists[table] = self.lists.get(table, 0) + 1
                table = self._entered(table)
                yield (*table, _HEADER), at
                self._expect("]]" if is_list else "]")
            elif plain := _PLAIN.match(self.text, self.pos):
                yield (*table, plain[1]), self.pos
                self.pos = plain.end()
            else:
                yield from self._pair(table)

    def _entered(self, path: Path) -> Path:
        """``[a.b]`` after ``[[a]]`` speaks about the newest a."""
        return (*path, self.lists[path] - 1) if path in self.lists else path

    def _pair(self, table: Path) -> Iterator[tuple[Path, int]]:
        self._skip(_BLANK)
        at = self.pos
        for part in self._key():
            table = (*table, part)
            yield table, at
        self._expect("=")
        yield from self._value(table)

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip(_BLANK)
        if self._take("["):
            position = 0
            while not self._closes("]"):
                yield (*path, position), self.pos
                yield from self._value((*path, position))
                position += 1
        elif self._take("{"):
            while not self._closes("}"):
                yield from self._pair(path)
        elif self._peek('"""'):
            self._match(_LONG_BASIC)
        elif self._peek("'''"):
            self._match(_LONG_LITERAL)
        elif self._peek('"'):
            self._match(_BASIC)
        elif self._peek("'"):
            self._match(_LITERAL)
        else:
            self._match(_SCALAR)

    def _closes(self, bracket: str) -> bool:
        self._skip(_FILLING)
        if self._take(","):
            self._skip(_FILLING)
        return self._take(bracket)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(_BLANK)
            if self._peek('"'):
                text = self._match(_BASIC)
                # a parser for each of 900 gates would be a third of the time
                parts.append(tomllib.loads("key = " + text)["key"] if "\\" in text else text[1:-1])
            elif self._peek("'"):
                parts.append(self._match(_LITERAL)[1:-1])
            else:
                parts.append(self._match(_BARE))
            self._skip(_BLANK)
            if not self._take("."):
                return parts

    def _skip(self, what: re.Pattern[str]) -> int:
        found = what.match(self.text, self.pos)
        self.pos = found.end() if found else self.pos
        return self.pos

    def _peek(self, what: str) -> bool:
        return self.text.startswith(what, self.pos)

    def _take(self, what: str) -> bool:
        taken = self._peek(what)
        self.pos += len(what) * taken
        return taken

    def _expect(self, what: str) -> None:
        if not self._take(what):
            raise _LostError

    def _match(self, what: re.Pattern[str]) -> str:
        found = what.match(self.text, self.pos)
        if found is None:
            raise _LostError
        self.pos = found.end()
        return found[0]
