"""Values with their intervals beside each other: one line a slice of a metric, one mark a model, the bound of its rule, a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import (
    SERIES, Figure, Legend, Scale, Table, around, dot, drawing, line, number, short, text, x_axis,
)  # fmt: skip

WIDTH, LEFT, RIGHT = 440.0, 150.0, 428.0
WITHIN = {"share": (0.0, 1.0), "points": (-1.0, 1.0)}


def figure(rows: Sequence[Row], *, title: str, text: str, reference: Mapping[str, float] | None = None, label: str = "") -> Figure:
    """`rows` are of one metric and one data set; `reference` gives a model's value without the change, drawn as a dashed line."""
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    slices = _order(rows, models[0] if models else "")
    unit = reading.unit(rows[0]) if rows else ""
    near = [end for row in rows for end in [row["value"], *(row["ci"] or ()), *reading.bounds(row).values()]]
    lo, hi = around([*near, *(reference or {}).values()], within=WITHIN.get(unit))
    high = 14.0 + 9.0 * (len(models) - 1)
    legend, top = Legend(models, LEFT - 140, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    top, bottom = top + 8, top + 8 + high * len(slices) + 6
    scale = Scale(lo, hi, LEFT, RIGHT)
    parts = [*legend, *x_axis(scale, top, bottom, label=label or reading.title(rows[0]) if rows else label)]
    for name, each in (reference or {}).items():
        series = f" s{models.index(name) % SERIES}" if name in models else ""
        parts.append(line(scale(each), top, scale(each), bottom, f"reference{series}", f"{name}: {number(each)}"))
    for at, name in enumerate(slices):
        parts += _line(name, [row for row in rows if (row["slice"] or row["metric"]) == name], models, scale, top + 3 + high * at, high)
    return Figure(title, text, drawing(WIDTH, bottom + 34, parts, title=title, text=text), _table(rows, slices, models))


def _order(rows: Sequence[Row], model: str) -> list[str]:
    """Slices as they come, when they are steps or severities; else the worst of the first model first."""
    names = list(dict.fromkeys(str(row["slice"] or row["metric"]) for row in rows))
    known = {str(row["slice"] or row["metric"]): row["value"] for row in rows if row["model"] == model}
    side = reading.better(rows[0]) if rows else None
    if side is None or any(name[:1].isdigit() for name in names):
        return names
    worst = -1.0 if side == "lower" else 1.0
    return sorted(names, key=lambda name: (known.get(name) is None, worst * (known.get(name) or 0.0), name))


def _line(name: str, rows: Sequence[Row], models: Sequence[str], scale: Scale, y: float, high: float) -> list[Markup]:
    parts = [text(LEFT - 8, y + high / 2 + 4, short(name, 22), "tick", "end")]
    for row in rows:
        k = models.index(str(row["model"]))
        at = y + 7 + 9 * k
        tip = f"{row['gate']}, {row['model']}: {reading.value(row)} ({reading.interval(row) or 'no interval'}), {reading.WORDS[row['verdict']]}"
        for bound in reading.bounds(row).values():
            parts.append(line(scale(bound), at - 5, scale(bound), at + 5, "bound"))
        if row["ci"]:
            low, top = (scale(edge if end is None else end) for end, edge in zip(row["ci"], (scale.lo, scale.hi), strict=True))
            parts.append(line(low, at, top, at, f"whisker s{k % SERIES}"))
        if row["value"] is not None:
            bad = " bad" if row["verdict"] in ("fail", "insufficient") else ""
            parts.append(dot(scale(row["value"]), at, f"mark s{k % SERIES}{bad}", tip, series=k))
        else:
            parts.append(text(LEFT + 2, at + 4, "no value", "tick"))
    return parts


def _table(rows: Sequence[Row], slices: Sequence[str], models: Sequence[str]) -> Table:
    by = {(str(row["slice"] or row["metric"]), str(row["model"])): row for row in rows}
    told = []
    for name in slices:
        for model in models:
            if (row := by.get((name, model))) is not None:
                who = (model,) if len(models) > 1 else ()
                verdict = reading.WORDS[row["verdict"]]
                told.append((name, *who, reading.value(row), reading.interval(row) or "–", reading.bound(row) or "–", f"{row['n'] or '–'}", verdict))
    who = ("model",) if len(models) > 1 else ()
    return Table(("slice", *who, "value", "95 % interval", "rule", "n", "verdict"), tuple(told))
