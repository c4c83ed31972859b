"""Values with their intervals: a line a slice of a metric, a mark a model, the bound of its rule, the value without the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale, around, x_axis
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, SERIES, Figure, Table, dot, drawing, line, number, short, text

WIDTH, LEFT, RIGHT = 440.0, 150.0, 428.0
MOST = 40
"""Slices that are drawn; a table has all."""
WITHIN = {"share": (0.0, 1.0), "points": (-1.0, 1.0)}


Before = Mapping[tuple[str, str], float]
"""By slice and model, the value of the same images without the change."""


def figure(rows: Sequence[Row], *, title: str, text: str, before: Before | None = None, label: str = "") -> Figure:
    """`rows`, at least one, are of one metric and one data set; `before` is drawn as an open mark on the same line."""
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    slices = _order(rows, models[0])
    drawn = slices[:MOST]
    if len(slices) > MOST:
        text = f"{text} The first {MOST} of {len(slices)} are drawn, the table has all."
    near = [end for row in rows for end in [row["value"], *(row["ci"] or ()), *reading.bounds(row).values()]]
    lo, hi = around([*near, *(before or {}).values()], within=WITHIN.get(reading.unit(rows[0])))
    high = 14.0 + 9.0 * (len(models) - 1)
    legend, top = Legend(models, LEFT - 140, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    top, bottom = top + 8, top + 8 + high * len(drawn) + 6
    scale = Scale(lo, hi, LEFT, RIGHT)
    parts = [*legend, *x_axis(scale, top, bottom, label=label or reading.title(rows[0]))]
    by: dict[str, list[Row]] = {}
    for row in rows:
        by.setdefault(_name(row), []).append(row)
    for at, name in enumerate(drawn):
        parts += _line(name, by[name], models, scale, before or {}, top + 3 + high * at, high)
    return Figure(title, text, drawing(WIDTH, bottom + 34, parts, title=title, text=text), _table(rows, slices, models, before or {}))


def _name(row: Row) -> str:
    return str(row["slice"] or row["metric"])


def _order(rows: Sequence[Row], model: str) -> list[str]:
    """Slices as they come, when they are steps or severities; else the worst of the first model first."""
    names = list(dict.fromkeys(_name(row) for row in rows))
    known = {_name(row): row["value"] for row in rows if row["model"] == model}
    side = reading.better(rows[0]) if rows else None
    if side is None or any(name[:1].isdigit() for name in names):
        return names
    worst = -1.0 if side == "lower" else 1.0
    return sorted(names, key=lambda name: (known.get(name) is None, worst * (known.get(name) or 0.0), name))


def _line(name: str, rows: Sequence[Row], models: Sequence[str], scale: Scale, before: Before, y: float, high: float) -> list[Markup]:
    parts = [text(LEFT - 8, y + high / 2 + 4, short(name, 22), "tick", "end")]
    for row in rows:
        k = models.index(str(row["model"]))
        at = y + 7 + 9 * k
        tip = f"{row['gate']}, {row['model']}: {reading.told(row)}, {reading.WORDS[row['verdict']]}"
        parts += [line(scale(bound), at - 5, scale(bound), at + 5, "bound") for bound in reading.bounds(row).values()]
        if row["ci"]:
            low, top = (scale(edge if end is None else end) for end, edge in zip(row["ci"], (scale.lo, scale.hi), strict=True))
            parts.append(line(low, at, top, at, f"whisker s{k % SERIES}"))
        if (was := before.get((name, str(row["model"])))) is not None:
            if row["value"] is not None:
                parts.append(line(scale(was), at, scale(row["value"]), at, "thread"))
            parts.append(dot(scale(was), at, f"mark open s{k % SERIES}", f"{row['model']}: {number(was)} without it", series=k, size=3.2))
        if row["value"] is not None:
            bad = " bad" if row["verdict"] in ("fail", "insufficient") else ""
            parts.append(dot(scale(row["value"]), at, f"mark s{k % SERIES}{bad}", tip, series=k))
        else:
            parts.append(text(LEFT + 2, at + 4, "no value", "tick"))
    return parts


def _table(rows: Sequence[Row], slices: Sequence[str], models: Sequence[str], before: Before) -> Table:
    by = {(_name(row), str(row["model"])): row for row in rows}
    who, was = ("model",) if len(models) > 1 else (), ("without it",) if before else ()
    told = []
    for key in ((name, model) for name in slices for model in models):
        if (row := by.get(key)) is not None:
            value = (reading.value(row), reading.interval(row) or DASH)
            rest = (reading.bound(row) or DASH, f"{row['n'] or DASH}", reading.WORDS[row["verdict"]])
            told.append((key[0], *([key[1]] if who else []), *([number(before.get(key))] if was else []), *value, *rest))
    return Table(("slice", *who, *was, "value", "95 % interval", "rule", "n", "verdict"), tuple(told))
