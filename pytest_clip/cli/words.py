"""Sentences written for pytest's command line, with the options of the command that prints them."""

from __future__ import annotations

import re
from collections.abc import Collection

_OPTION = re.compile(r"--clip-([a-z]+)")
_CLAUSE = re.compile(r"[;:(,]\s")


def own(text: str, options: Collection[str]) -> str:
    """``--clip-data=x: no such folder`` as ``--data=x: no such folder``; what is to be typed behind ``pytest`` stays."""

    def said(found: re.Match[str]) -> str:
        before = text[: found.start()]
        clause = _CLAUSE.split(before)[-1]
        return found[0] if found[1] not in options or "pytest " in clause else f"--{found[1]}"

    return _OPTION.sub(said, text)
