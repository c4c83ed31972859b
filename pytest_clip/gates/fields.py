"""The values a thresholds file may hold: each reader returns the value or raises ``ValueError`` with the end of a sentence."""

from __future__ import annotations

import math
import re
from datetime import date, datetime

DROP_TESTS = ("observed", "sure", "safe")
"""What decides on a max_drop: see ``regression.regress``."""

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")


def number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, not {shown(value)}")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError("must be a number that a float can hold") from None
    if not math.isfinite(result):
        raise ValueError(f"must be a finite number, not {shown(value)}")
    return result


def drop(value: object) -> tuple[float, bool]:
    """The allowed drop and whether it is relative: ``0.02`` in the metric's own unit, ``"5%"`` of the baseline's value."""
    if isinstance(value, str):
        percent = _PERCENT.fullmatch(value)
        if percent is None:
            raise ValueError(f'must be a number of at least 0 or a percentage such as "5%", not {shown(value)}')
        return float(percent[1]) / 100, True
    result = number(value)
    if result < 0:
        raise ValueError(f'must be a number of at least 0 or a percentage such as "5%", not {shown(value)}')
    return result, False


def count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"must be a whole number of at least 1, not {shown(value)}")
    number(value)
    return value


def severity(value: object) -> str:
    if value not in ("fail", "warn"):
        raise ValueError(f'must be "fail" or "warn", not {shown(value)}')
    return str(value)


def drop_test(value: object) -> str:
    if value not in DROP_TESTS:
        raise ValueError(f'must be "observed", "sure" or "safe", not {shown(value)}')
    return str(value)


def text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text, not {shown(value)}")
    return value.strip()


def day(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"must be a date such as 2027-03-01 without quotes, not {shown(value)}")
    return value


def shown(value: object) -> str:
    """A TOML value as the reader of the message would recognise it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{value}"' if value.strip() else "an empty text"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    return str(value)
