"""The order of images: every class in turn, so that the first N of them keep the balance of the classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def balanced(labels: Sequence[int]) -> list[int]:
    """Rows so that the first image of every class comes before any second one; inside a class the order stays."""
    seen: Counter[int] = Counter()
    keys = []
    for row, label in enumerate(labels):
        keys.append((seen[label], label, row))
        seen[label] += 1
    return [row for _, _, row in sorted(keys)]
