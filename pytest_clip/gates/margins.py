"""Where a bound belongs, given what was measured: the margin rule of the shipped tight thresholds and of ``--clip-update``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pytest_clip.gates.catalog import RANGES, Unit

#: The least distance between a value and its bound, in the metric's own unit.
LEAST: Mapping[Unit, float] = {
    "share": 0.01, "points": 0.01, "score": 0.01, "cosine": 0.01,
    "ratio": 0.05, "nats": 0.05, "rank": 0.05, "degrees": 0.5, "scale": 0.5,
}  # fmt: skip
#: The same for a number of no known unit, as a share of the value.
LEAST_RELATIVE = 0.02
TINY = 1e-290
STEPS = 2
"""How many steps of its grid a number found by a search may move."""

TOLD = (
    "the far end of the measured 95 % interval, at least 0.01 from the value (0.05 for ratios, nats and ranks, 2 % of it for numbers "
    "of your own), rounded outward to three digits"
)


def bound(value: float, ci: Sequence[float | None] | None, *, key: Literal["min", "max"], unit: Unit | None, step: float = 0.0) -> float:
    """The bound that a healthy repetition of this measurement keeps, and a worse one soon breaks.

    ``value`` is finite, ``ci`` its 95 % interval (None: not known; an end may be None: open). ``unit`` is the catalog's, None for a number
    of a project's own. ``step`` is the grid of a number found by a search (``unit`` is then ``amount``), which may move two steps. Others
    get the far end of the interval, but at least ``LEAST`` from the value, rounded outward to three decimals (three significant digits
    without a unit), and never outside the range of the unit.
    """
    sign = -1 if key == "min" else 1
    if unit == "amount":
        return round(value + sign * STEPS * step, 6)
    end = None if ci is None else ci[0 if key == "min" else 1]
    least = LEAST_RELATIVE * abs(value) if unit is None else LEAST.get(unit, 0.01)
    reach = max(least, sign * (end - value)) if end is not None and math.isfinite(end) else least
    rounded = _outward(value + sign * reach, sign, digits=None if unit is None else 3)
    low, high = (-math.inf, math.inf) if unit is None else RANGES.get(unit, (-math.inf, math.inf))
    return min(max(rounded, low), high) + 0.0  # no -0.0


def at_chance(ci: Sequence[float | None] | None, conventions: Mapping[str, Any]) -> bool:
    """Whether the model may as well be guessing: its interval holds the ``chance`` of the conventions."""
    chance = conventions.get("chance")
    if not isinstance(chance, int | float) or ci is None or ci[0] is None or ci[1] is None:
        return False
    return ci[0] <= chance <= ci[1]


def _outward(number: float, sign: int, *, digits: int | None) -> float:
    """Rounded away from the value it was made for: ``digits`` decimals, or three significant ones."""
    if abs(number) < TINY:  # of which 10 to the power of its digits is beyond floats
        return sign * TINY if sign * number > 0 else 0.0
    decimals = digits if digits is not None else 2 - math.floor(math.log10(abs(number)))
    scale = 10.0 ** abs(decimals)
    scaled = number * scale if decimals >= 0 else number / scale
    whole = math.floor(scaled) if sign < 0 else math.ceil(scaled)
    return round(whole / scale, decimals) if decimals >= 0 else float(whole * scale)
