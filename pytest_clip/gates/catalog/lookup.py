"""A metric by its id, and the neighbour of one that there is not."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pytest_clip import ClipError
from pytest_clip.gates.catalog.metric import Metric
from pytest_clip.gates.catalog.table import CATALOG


def did_you_mean(text: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """``; did you mean 'x'?`` when something known is close, else ``otherwise``."""
    close = get_close_matches(text, sorted(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else otherwise


def metric_of(metric_id: str) -> Metric:
    try:
        return CATALOG[metric_id]
    except KeyError:
        raise ClipError(f"unknown metric {metric_id!r}{did_you_mean(metric_id, CATALOG)}; pytest-clip list shows all") from None
