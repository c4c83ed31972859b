"""Accuracy under a shift against clean accuracy on logit axes: models by group, lines where they are straight, runs of a user."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from scipy.special import logit

from pytest_clip.report.html.axes import Legend, Scale
from pytest_clip.report.html.svg import DASH, SERIES, Figure, Table, dot, drawing, line, number, path, text
from pytest_clip.study.axes import EDGE
from pytest_clip.study.lines import Line
from pytest_clip.study.placed import Placed
from pytest_clip.study.study import Study

WIDTH, HIGH, LEFT, RIGHT = 480.0, 340.0, 52.0, 468.0
TICKS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
ROOM = 34.0
"""Pixels between two numbers of an axis."""
OWN = "these runs"


def scatter(study: Study, shift: str, placed: Sequence[Placed] = ()) -> Figure:
    """One shift. The groups are the levels of the plan's factor; the table has every model with its distances."""
    held, clean, group = study.population, study.plan.clean, study.plan.group
    levels = list(held.families(group)) if group in held.factors else []
    of: list[str | None] = list(held.factors[group]) if levels else [None] * len(held)
    names = [f"{each} ({of.count(each)})" for each in levels]
    names += [f"{'not known' if levels else 'models'} ({of.count(None)})"] if None in of else []
    known = np.isfinite(held.values[clean]) & np.isfinite(held.values[shift])
    mine = [each for each in placed if each.shift == shift and each.drawn]
    xs = [*held.values[clean][known], *(each.clean for each in mine)]
    ys = [*held.values[shift][known], *(each.value for each in mine)]
    marks = [f"s{at % SERIES}" for at in range(len(levels))] + ["s5"] * (len(names) - len(levels)) + (["s5 bad"] if mine else [])
    legend, top = Legend([*names, *([OWN] if mine else [])], LEFT, 2, WIDTH, marks).draw()
    along, up = _axis(xs, LEFT, RIGHT), _axis(ys, top + HIGH - 40, top + 10)
    parts: list[Markup] = list(legend)
    parts += _grid(along, up, top, clean, shift)
    for drawn in [each for each in study.lines if each.on == shift and len(each.clean) == 1 and each.coefficients]:
        own = levels.index(drawn.group) % SERIES if drawn.group else None
        parts.append(_line(drawn, along, up, "mean reference" if own is None else f"curve s{own}"))
    for at in np.flatnonzero(known).tolist():
        level = of[at]
        series = len(levels) if level is None else levels.index(level)
        x, y = float(held.values[clean][at]), float(held.values[shift][at])
        tip = f"{held.names[at]}: {number(x)} and {number(y)}"
        parts.append(dot(along(_on(x)), up(_on(y)), f"mark s{5 if level is None else series % SERIES}", tip, series=series, size=3.4))
    for model in mine:
        x, y = float(model.clean or 0), float(model.value or 0)
        parts.append(
            dot(along(_on(x)), up(_on(y)), "mark s5 bad", f"{model.model}: {number(x)} and {number(y)}", series=len(names), size=5.5)
        )
    found, _ = study.ranges[shift]
    title = f"{shift} against {clean}"
    said = "Logit axes. No line: there is none, or too few families to see one."
    if found is not None:
        ends = f"{number(found.lowest)} to {number(found.highest)}"
        said = f"Logit axes. Lines where they are straight, from {ends}: of all models (dashed) and of each group."
    return Figure(title, said, drawing(WIDTH, top + HIGH, parts, title=title, text=said), _table(study, shift, placed))


def _table(study: Study, shift: str, placed: Sequence[Placed]) -> Table:
    held, clean = study.population, study.plan.clean
    lines = [each for each in study.lines if each.on == shift]
    told = {(id(each.line), each.model): each for each in study.distances}
    heads = list(dict.fromkeys("its group" if each.group else f"all, on {' and '.join(each.clean)}" for each in lines))
    rows = []
    for at, name in enumerate(held.names):
        cells = dict.fromkeys(heads, DASH)
        for each in lines:
            found = told.get((id(each), name))
            if found is not None and found.shares is not None:
                cells["its group" if each.group else f"all, on {' and '.join(each.clean)}"] = _points(found.shares)
        both = (number(_known(held.values[clean][at])), number(_known(held.values[shift][at])))
        rows.append((name, held.lineages[at], *both, *cells.values()))
    for model in (each for each in placed if each.shift == shift):
        said = [_points(model.shares) if model.shares else model.refused or DASH, *[DASH] * len(heads)][: len(heads)]
        rows.append((model.model, OWN, number(model.clean), number(model.value), *said))
    return Table(("model", "family", clean, shift, *(f"points beyond {each}" for each in heads)), tuple(rows))


def _points(shares: tuple[float, float, float]) -> str:
    return f"{100 * shares[0]:+.1f} ({100 * shares[1]:+.1f} to {100 * shares[2]:+.1f})"


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _on(share: float) -> float:
    return float(logit(min(max(share, EDGE), 1 - EDGE)))


def _axis(shares: Sequence[float | None], a: float, b: float) -> Scale:
    values = [_on(float(each)) for each in shares if each is not None] or [0.0]
    room = max(0.06 * (max(values) - min(values)), 0.05)
    return Scale(min(values) - room, max(values) + room, a, b)


def _grid(along: Scale, up: Scale, top: float, clean: str, shift: str) -> list[Markup]:
    bottom = top + HIGH - 40
    parts = []
    for scale, flat in ((along, False), (up, True)):
        last = float("inf")
        for tick in TICKS:
            at = float(logit(tick))
            if not scale.lo <= at <= scale.hi or abs(scale(at) - last) < (ROOM if not flat else 18):
                continue
            last = scale(at)
            if flat:
                parts += [line(LEFT, last, RIGHT, last, "grid"), text(LEFT - 6, last + 4, f"{tick:g}", "tick", "end")]
            else:
                parts += [line(last, top + 10, last, bottom, "grid"), text(last, bottom + 14, f"{tick:g}", "tick", "middle")]
    middle = (top + 10 + bottom) / 2
    parts.append(text((LEFT + RIGHT) / 2, bottom + 30, clean, "axis", "middle"))
    parts.append(text(0, 0, shift, "axis", "middle", turn=(12, middle, -90)))
    return parts


def _line(each: Line, along: Scale, up: Scale, class_: str) -> Markup:
    ends = [_on(each.lowest), _on(each.highest)]
    return path([(along(x), up(each.coefficients[0] + each.coefficients[1] * x)) for x in ends], class_)
