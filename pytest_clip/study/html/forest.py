"""Numbers with their intervals below each other: effects, correlations, differences over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_clip.report.html.axes import Scale, around, x_axis
from pytest_clip.report.html.svg import Figure, Table, dot, drawing, line, short, text

WIDTH, LEFT, RIGHT, HIGH = 880.0, 400.0, 860.0, 17.0


@dataclass(frozen=True)
class Row:
    """A name, a number, its interval, and whether it is sure (filled, in the colour of its sign) or not (grey, open)."""

    name: str
    value: float
    low: float
    high: float
    sure: bool
    tip: str


def forest(rows: Sequence[Row], *, title: str, said: str, unit: str, table: Table, zero: bool = True) -> Figure | None:
    """None without rows. A triangle points at an end that lies beyond the axis, which holds nine in ten of all ends."""
    if not rows:
        return None
    ends = sorted(abs(end) for row in rows for end in (row.low, row.high))
    most = max(ends[int(0.9 * (len(ends) - 1))], *(abs(row.value) for row in rows)) * 1.05
    lo, hi = around([max(min(row.low for row in rows), -most), min(max(row.high for row in rows), most), *([0.0] if zero else [])])
    scale, bottom = Scale(lo, hi, LEFT, RIGHT), 8 + HIGH * len(rows)
    parts: list[Markup] = x_axis(scale, 4, bottom, label=unit, about=6)
    if lo < 0 < hi:
        parts.append(line(scale(0), 4, scale(0), bottom, "zero"))
    for at, row in enumerate(rows):
        y = 6 + HIGH * (at + 0.5)
        series = "s5" if not row.sure else "s0" if row.value > 0 else "s1"
        parts.append(text(LEFT - 10, y + 4, short(row.name, 62), "tick", "end"))
        parts.append(line(scale(row.low), y, scale(row.high), y, f"whisker {series}", row.tip))
        parts.append(
            dot(scale(row.value), y, f"mark {series}{'' if row.sure else ' open'}", row.tip, series=2 if row.sure else 0, size=3.6)
        )
    return Figure(title, said, drawing(WIDTH, bottom + 36, parts, title=title, text=said), table, wide=True)
