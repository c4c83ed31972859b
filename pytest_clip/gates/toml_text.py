"""Texts as TOML writes them: what comes from a record, a model's name or a data set's can never become a line of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FORBIDDEN = re.compile(r"[\x7f-\x9f\u2028\u2029]")  # json leaves them; TOML or a reader of lines does not


def quoted(text: str) -> str:
    """A basic string. Half a surrogate pair, which no UTF-8 file can hold, is written as what it would have been escaped to."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _FORBIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(whole, ensure_ascii=False))


def comment(text: str) -> str:
    """The text in one line that a comment may hold: what cannot be printed is escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def header(path: Iterable[str]) -> str:
    """``[data.scenes.gates."accuracy/top1"]``"""
    return f"[{'.'.join(each if _BARE.fullmatch(each) else quoted(each) for each in path)}]"
