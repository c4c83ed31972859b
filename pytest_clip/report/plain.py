"""Texts that others wrote (names, reasons, paths), so that they stay texts in Markdown, in a log and on a terminal."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Characters of one such text that a report shows."""
_STEERING = re.compile("[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, ends of line, marks that turn the direction of writing, nothing of no width, halves of surrogate pairs."""
_TICKS = re.compile("`+")


def plain(text: object, most: int = LONGEST) -> str:
    """One line in which nothing steers: what would is written as its escape, and of a long text its beginning."""
    whole = str(text)
    line = _STEERING.sub(lambda found: ascii(found[0])[1:-1], whole[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}… ({len(whole)} characters)"


def code(text: object, most: int = LONGEST) -> str:
    """The text as a code span of Markdown, where no HTML, no link and no name of a person means anything; also in a cell of a table."""
    inside = plain(text, most).strip(" ") or "(empty)"
    inside = inside.replace("\\|", "\\\\x7c").replace("|", "\\|")  # readers differ about two backslashes before a bar
    inside = inside.removesuffix("\\") + ("\\x5c" if inside.endswith("\\") else "")  # a bar may follow: the end of the cell
    fence = "`" * (max((len(ticks) for ticks in _TICKS.findall(inside)), default=0) + 1)
    gap = " " if "`" in (inside[0], inside[-1]) else ""
    return f"{fence}{gap}{inside}{gap}{fence}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, accents that are drawn over a letter none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def fitting(text: str, width: int) -> int:
    """How many letters from the beginning fit into `width` columns."""
    used = 0
    for at, letter in enumerate(text):
        used += _columns(letter)
        if used > width:
            return at
    return len(text)


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, an ellipsis where it was longer."""
    return text if columns(text) <= width else f"{text[: fitting(text, width - 1)].rstrip()}…"


def padded(text: str, width: int) -> str:
    """The text with spaces behind it up to `width` columns."""
    return text + " " * (width - columns(text))
