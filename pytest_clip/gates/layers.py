"""Thresholds files as read from disk: valid TOML with positions, not yet judged for what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.gates.toml_lines import Lines, tomllib

NAME = "thresholds.toml"
_PACKAGE = Path(__file__).parents[1]
#: The shipped rules lie inside the package in a wheel, and beside it in the repository and its editable installs, as the suites do.
DEFAULTS = next((path for path in (_PACKAGE / NAME, _PACKAGE.parent / NAME) if path.is_file()), _PACKAGE / NAME)
SHIPPED = "pytest_clip/thresholds.toml"  # its name in messages

LONGEST = 4300
"""Digits of a number that Python reads, at most."""
_ENDLESS = re.compile(rf"[0-9_]{{{LONGEST},}}")
_AT = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL)


@dataclass(frozen=True)
class ThresholdsFile:
    """A file to read and the option, ini key or default that ``named_by`` asked for it. ``shown`` is its name in messages.

    With ``content`` there is no file: that is what it would hold.
    """

    path: Path
    named_by: str = "--clip-thresholds"
    shown: str | None = None
    content: str | None = None

    @property
    def label(self) -> str:
        if self.shown is not None:
            return self.shown
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)


@dataclass(frozen=True)
class Layer:
    """One file: its name in messages, its content and its lines."""

    label: str
    content: Mapping[str, Any]
    lines: Lines

    def source(self, *path: str | int) -> str:
        return f"{self.label}:{self.lines.at(*path)}"


def read(files: Iterable[ThresholdsFile | Path | str] = (), *, defaults: bool = True) -> tuple[Layer, ...]:
    """Read the shipped defaults and then ``files``, later ones winning; every unreadable file is in the one ``ClipError``."""
    wanted = [each if isinstance(each, ThresholdsFile) else ThresholdsFile(Path(each)) for each in files]
    if defaults:
        wanted.insert(0, ThresholdsFile(DEFAULTS, "pytest-clip itself", SHIPPED))
    tried = [_attempt(each) for each in wanted]
    if problems := [str(each) for each in tried if isinstance(each, ClipError)]:
        raise ClipError("\n".join(problems))
    return tuple(each for each in tried if isinstance(each, Layer))


def parse(text: str, label: str) -> Layer:
    """The layer of one document; broken syntax is a ``ClipError`` with line and column."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.fullmatch(str(error))
        if found is None:
            raise ClipError(f"{label}: not valid TOML: {error}") from None
        where = f"{found['line']}:{found['column']}" if found["line"] else f"{text.count(chr(10)) + 1}"
        what = found["what"] if found["line"] else f"{found['what']} at the end of the file"
        raise ClipError(f"{label}:{where}: not valid TOML: {what}") from None
    except ValueError:  # of Python, about a number that TOML allows
        lines = [number for number, line in enumerate(text.split("\n"), 1) if _ENDLESS.search(line)]
        raise ClipError(f"{label}:{lines[0] if lines else 1}: not valid TOML: a number of more than {LONGEST} digits") from None
    except RecursionError:
        raise ClipError(f"{label}: not valid TOML: nested too deeply") from None
    return Layer(label, content, Lines(text))


def _attempt(file: ThresholdsFile) -> Layer | ClipError:
    try:
        return parse(_text(file), file.label)
    except ClipError as error:
        return error


def _text(file: ThresholdsFile) -> str:
    if file.content is not None:
        return file.content
    try:
        return file.path.read_bytes().decode("utf-8-sig")  # editors on Windows still write the mark, TOML does not know it
    except FileNotFoundError:
        raise ClipError(f"{file.label}: no such thresholds file, named by {file.named_by}; create it or correct the path") from None
    except OSError as error:
        raise ClipError(f"{file.label}: cannot read the thresholds file named by {file.named_by}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ClipError(f"{file.label}:{line}: not UTF-8 text, which TOML must be; save the file as UTF-8") from None
    except ValueError:  # a zero byte, half a surrogate
        raise ClipError(f"{file.label!r}: no file can have that name, given by {file.named_by}; correct the path") from None
