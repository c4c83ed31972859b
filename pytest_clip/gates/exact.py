"""Drops as a person would reckon them: 0.9 - 0.88 is 0.02, and what differs in the last digits of a float only does not differ."""

from __future__ import annotations

from fractions import Fraction

NOISE = 64 * 2.0**-52
"""Two sums of the same numbers in another order, or on another machine, differ by less than this share of them (1.4e-14)."""


def exact(number: float) -> Fraction:
    """The number that its shortest text says: 1/10 for 0.1, where the float is 0.1000000000000000055."""
    return Fraction(repr(float(number)))


def share_of(share: float, whole: float) -> float:
    """``0.05`` of ``0.9`` is 0.045, where the product of the floats is 0.045000000000000005."""
    return float(exact(share) * abs(exact(whole)))


def drop_of(base: float, value: float, *, sign: int, allowed: float) -> float:
    """How much worse ``value`` is than ``base``: above 0 = worse, ``sign`` -1 where more is better, else 1.

    Nothing is rounded: a drop of 4e-11 is one. Only what may as well be noise of the last digits is 0, or what is ``allowed``.
    """
    drop = float(sign * (exact(value) - exact(base)))
    noise = NOISE * max(abs(base), abs(value))
    if abs(drop) <= noise:
        return 0.0
    return allowed if abs(drop - allowed) <= noise else drop
