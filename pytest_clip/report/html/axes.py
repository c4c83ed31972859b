"""What numbers become places: scales, round ticks, axes with their grids, legends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pytest_clip.report.html.svg import SERIES, dot, line, number, short, text


@dataclass(frozen=True)
class Scale:
    """A linear axis: values `lo` to `hi` lie at `a` to `b`; what is beyond either end is drawn on it."""

    lo: float
    hi: float
    a: float
    b: float

    def __call__(self, value: float) -> float:
        share = 0.5 if self.hi == self.lo else (value - self.lo) / (self.hi - self.lo)
        return round(self.a + min(max(share, 0.0), 1.0) * (self.b - self.a), 2)

    def ticks(self, about: int = 4) -> list[float]:
        return ticks(self.lo, self.hi, about)


def ticks(lo: float, hi: float, about: int = 4) -> list[float]:
    """Round numbers from `lo` to `hi`, about so many."""
    if not hi > lo:
        return [lo]
    raw = (hi - lo) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def around(values: Iterable[float | None], *, least: float = 0.02, within: tuple[float, float] | None = None) -> tuple[float, float]:
    """Both ends of an axis for these values: a little beyond them, never narrower than `least`, never beyond `within`."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return 0.0, 1.0
    lo, hi = min(known), max(known)
    room = max((hi - lo) * 0.06, (least - (hi - lo)) / 2, 1e-9 * max(abs(lo), abs(hi)), 1e-12)
    lo, hi = lo - room, hi + room
    if within is not None:
        lo, hi = max(lo, within[0]), min(hi, within[1])
    return lo, hi


def x_axis(scale: Scale, top: float, bottom: float, *, label: str = "", about: int = 4) -> list[Markup]:
    """Grid lines from `top` to `bottom`, and numbers below them."""
    parts = []
    for tick in scale.ticks(about):
        parts += [line(scale(tick), top, scale(tick), bottom, "grid"), text(scale(tick), bottom + 14, number(tick), "tick", "middle")]
    if label:
        parts.append(text((scale.a + scale.b) / 2, bottom + 29, label, "axis", "middle"))
    return parts


@dataclass(frozen=True)
class Legend:
    """Entries of a legend in a line or more: a mark of each series, and its name."""

    names: Sequence[str]
    x: float = 0.0
    y: float = 0.0
    width: float = 420.0
    marks: Sequence[str] = ()
    """classes of the marks, where they are not those of the series in order"""

    def draw(self) -> tuple[list[Markup], float]:
        """The parts, and the height that they take."""
        x, y = self.x, self.y
        parts: list[Markup] = []
        for k, name in enumerate(self.names):
            shown = short(name, 34)
            need = 22 + 6.6 * len(shown)
            if x + need > self.width and x > self.x:
                x, y = self.x, y + 17
            mark = self.marks[k] if self.marks else f"s{k % SERIES}"
            parts += [dot(x + 6, y + 6, f"mark {mark}", series=k), text(x + 15, y + 10, shown, "key")]
            x += need
        return parts, y + 17 - self.y
