"""Accuracy under corruptions of growing severity: a panel a kind, a curve a model, the accuracy without corruption for comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, SERIES, Figure, Table, dot, drawing, line, number, path, short, text

WIDTH, ACROSS, PANEL, HIGH = 440.0, 3, 140.0, 92.0
SEVERITIES = (1, 2, 3, 4, 5)
Curve = dict[int, Row]


def figure(rows: Sequence[Row], *, title: str, text: str, clean: Mapping[str, float]) -> Figure | None:
    """`rows` are of `corruptions/accuracy` or its 3D twin, on one data set; None where no kind has a curve."""
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    curves: dict[str, dict[str, Curve]] = {}
    for row in rows:
        kind, _, level = str(row["slice"]).rpartition("-")
        if kind and level.isdigit():
            curves.setdefault(kind, {}).setdefault(str(row["model"]), {})[int(level)] = row
    if not curves:
        return None
    legend, top = Legend(models, 6, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    parts = list(legend)
    for at, (kind, by) in enumerate(sorted(curves.items())):
        x, y = 4 + (PANEL + 6) * (at % ACROSS), top + 4 + (HIGH + 14) * (at // ACROSS)
        parts += _panel(kind, by, models, clean, x, y)
    height = top + (HIGH + 14) * -(-len(curves) // ACROSS) + 4
    table = Table(
        ("corruption", *(("model",) if len(models) > 1 else ()), *(f"severity {s}" for s in SEVERITIES)),
        tuple(
            (kind, *((model,) if len(models) > 1 else ()), *(number(by[model][s]["value"]) if s in by[model] else DASH for s in SEVERITIES))
            for kind, by in sorted(curves.items())
            for model in models
            if model in by
        ),
    )
    return Figure(title, text, drawing(WIDTH, height, parts, title=title, text=text), table)


def _panel(kind: str, by: Mapping[str, Curve], models: Sequence[str], clean: Mapping[str, float], x: float, y: float) -> list[Markup]:
    across, up = Scale(1, 5, x + 26, x + PANEL - 6), Scale(0, 1, y + HIGH - 14, y + 18)
    parts = [text(x + 26, y + 11, short(kind.replace("_", " "), 20), "panel")]
    for tick in (0.0, 0.5, 1.0):
        parts += [line(x + 26, up(tick), x + PANEL - 6, up(tick), "grid"), text(x + 21, up(tick) + 3.5, number(tick), "tick small", "end")]
    parts += [text(across(s), y + HIGH - 2, str(s), "tick small", "middle") for s in SEVERITIES]
    for k, model in enumerate(models):
        curve = by.get(model, {})
        if model in clean:
            parts.append(line(x + 26, up(clean[model]), x + PANEL - 6, up(clean[model]), f"reference s{k % SERIES}"))
        known = [(s, row) for s, row in sorted(curve.items()) if row["value"] is not None]
        band = [(s, row["ci"]) for s, row in known if row["ci"] and None not in row["ci"]]
        edge = [(across(s), up(ci[1])) for s, ci in band] + [(across(s), up(ci[0])) for s, ci in reversed(band)]
        parts += [
            path(edge, f"band s{k % SERIES}", closed=True),
            path([(across(s), up(r["value"])) for s, r in known], f"curve s{k % SERIES}"),
        ]
        for s, row in known:
            tip = f"{row['gate']}, {model}: {reading.value(row)} ({reading.interval(row) or 'no interval'})"
            bad = " bad" if row["verdict"] in ("fail", "insufficient") else ""
            parts.append(dot(across(s), up(row["value"]), f"mark s{k % SERIES}{bad}", tip, series=k, size=2.8))
    return parts
