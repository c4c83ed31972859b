"""What the data sets of a run are called: in node ids, reports and thresholds. Light."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from hashlib import sha256

from . import catalog, layouts
from .layouts.found import EMBEDDED

LONGEST = 60
PLAIN = "_.,+=-"
"""Besides letters and digits; pytest and xdist read something into others."""


def chosen(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Label and text (what `catalog.sets` and `load` take) of the data sets that several --clip-data mean together.

    A folder that is named twice, as `DIR`, `DIR/` or by a link, is one data set; two that have one name get numbers.
    """
    found = {_place(text): (text, label) for name in reversed(texts) for text, label in reversed(catalog.expand(name))}
    pairs = list(reversed(found.values()))
    return list(zip(unique([safe(label) for _, label in pairs]), (text for text, _ in pairs), strict=True))


def safe(label: str) -> str:
    """A name as a label: letters and digits of every script, in one Unicode form; all else becomes `-`.

    pytest writes what is not ASCII as `\\u65e5` into node ids, which xdist, JUnit and `--deselect` take as they are. A name without any
    letter gets a hash, so that two of them are told apart.
    """
    text = unicodedata.normalize("NFC", label)
    kept = "".join(c if c in PLAIN or unicodedata.category(c)[0] in "LNM" else " " for c in text)
    return "-".join(kept.split()).strip("-")[:LONGEST] or f"data-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:6]}"


def unique(labels: Sequence[str]) -> list[str]:
    """Two things that shorten to one name must not share a node id: the second gets `-2`."""
    taken: list[str] = []
    for label in labels:
        candidate, count = label, 1
        while candidate in taken:
            count += 1
            candidate = f"{label}-{count}"
        taken.append(candidate)
    return taken


def _place(text: str) -> str:
    if text == EMBEDDED:
        return text
    root, only = layouts.split(text)
    return f"{os.path.realpath(root)}{layouts.SEPARATOR}{only or ''}"
