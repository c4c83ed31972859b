"""What models and data sets are called in node ids, reports and thresholds. Light."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from hashlib import sha256

PLAIN = "._+=-"
"""Besides letters and digits; pytest and xdist read something into others."""
JOINED = PLAIN + ","
"""Of labels that are made of two names."""
LONGEST = 60


def safe(text: str, *, plain: str = PLAIN, longest: int | None = None, otherwise: str = "model") -> str:
    """A name as a label: letters and digits of every script, in one Unicode form; all else becomes `-`.

    pytest writes what is not ASCII as `\\u65e5` into node ids, which xdist, JUnit and `--deselect` take as they are. A name without any
    letter gets a hash, so that two of them are told apart.
    """
    text = unicodedata.normalize("NFC", text)
    kept = "".join(c if c in plain or unicodedata.category(c)[0] in "LNM" else " " for c in text)
    if label := "-".join(kept.split()).strip("-")[:longest]:
        return label
    return f"{otherwise}-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:6]}" if text else otherwise


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
