"""Numbers in messages: short, and never two different numbers printed alike."""

from __future__ import annotations

from itertools import pairwise

DECIMALS = 4


def distinct(*numbers: float) -> tuple[str, ...]:
    """All numbers with the same few decimals; with more of them where two different numbers would read the same.

    >>> distinct(0.89996, 0.9)
    ('0.89996', '0.90000')
    """
    order = sorted(set(numbers))
    for decimals in range(DECIMALS, 18):
        shown = [float(_text(number, decimals)) for number in order]
        if all(low < high for low, high in pairwise(shown)):
            return tuple(_text(number, decimals) for number in numbers)
    return tuple(repr(float(number)) for number in numbers)  # the shortest text that reads back as the same float


def short(number: float) -> str:
    """One number as ``distinct`` would print it alone."""
    return distinct(number)[0]


def _text(number: float, decimals: int) -> str:
    if number == 0:
        number = 0.0  # no "-0.0000"
    plain = number == 0 or 1e-3 <= abs(number) < 1e6
    return f"{number:.{decimals}f}" if plain else f"{number:.{decimals}g}"
