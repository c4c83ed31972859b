"""What the data sets of a run are called: in node ids, reports and thresholds. Light."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..models import names
from . import catalog, layouts
from .layouts.found import EMBEDDED


def chosen(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Label and text (what `catalog.sets` and `load` take) of the data sets that several --clip-data mean together.

    A folder that is named twice, as `DIR`, `DIR/` or by a link, is one data set; two that have one name get numbers.
    """
    found = {_place(text): (text, label) for named in reversed(texts) for text, label in reversed(catalog.expand(named))}
    pairs = list(reversed(found.values()))
    return list(zip(names.unique([safe(label) for _, label in pairs]), (text for text, _ in pairs), strict=True))


def safe(label: str) -> str:
    """The name of a data set as a label."""
    return names.safe(label, plain=names.JOINED, longest=names.LONGEST, otherwise="data")


def _place(text: str) -> str:
    if text == EMBEDDED:
        return text
    root, only = layouts.split(text)
    return f"{os.path.realpath(root)}{layouts.SEPARATOR}{only or ''}"
