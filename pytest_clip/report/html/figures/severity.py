"""Accuracy under corruptions of growing severity: a panel a kind, a curve a model, and below it one image as it is at each severity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, SERIES, Figure, Panel, Table, bar, dot, drawing, line, number, path, picture, text

WIDTH, LEFT, TOP, BOTTOM, SIDE = 300.0, 30.0, 6.0, 80.0, 40.0
SEVERITIES = (1, 2, 3, 4, 5)
Curve = dict[int, Row]
Told = Mapping[str, Any]


def figure(
    rows: Sequence[Row], *, title: str, text: str, clean: Mapping[str, float], examples: Mapping[str, Told], many: bool
) -> Figure | None:
    """`rows` are of `corruptions/accuracy` or its 3D twin, on one data set; None where no kind has a curve.

    `clean`: by model the accuracy without corruption. `examples`: by kind, evidence of the kind `example` with pictures that the page has.
    """
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    curves: dict[str, dict[str, Curve]] = {}
    means = {str(row["slice"]): row for row in reversed(rows)}
    for row in rows:
        kind, level = _cell(row)
        if level:
            curves.setdefault(kind, {}).setdefault(str(row["model"]), {})[level] = row
    if not curves:
        return None
    levels = asked(rows)
    panels = [_panel(kind, by, models, clean, examples.get(kind), means.get(kind), many, levels) for kind, by in sorted(curves.items())]
    legend, high = Legend(models, 6, 2, 600).draw() if len(models) > 1 else ([], 0.0)
    key = drawing(600, high + 4, legend, title="models", text=", ".join(models)) if legend else Markup("")
    several = len(models) > 1
    table = Table(
        (
            "corruption",
            *(("model",) if several else ()),
            "without",
            *(f"severity {s}" for s in levels),
            *(["example"] if examples else []),
        ),
        tuple(
            (
                *(kind, *((model,) if several else ()), number(clean.get(model))),
                *(number(by[model][s]["value"]) if s in by[model] else DASH for s in levels),
                *([_answers(examples.get(kind))] if examples else []),
            )
            for kind, by in sorted(curves.items())
            for model in models
            if model in by
        ),
    )
    return Figure(title, text, key, table, wide=True, panels=tuple(panels))


def asked(rows: Sequence[Row]) -> tuple[int, ...]:
    """The severities to draw: the one that there is, else all."""
    found = {level for row in rows if (level := _cell(row)[1])}
    return tuple(found) if len(found) == 1 else SEVERITIES


def named(levels: Sequence[int]) -> str:
    return f"severity {levels[0]}" if len(levels) == 1 else f"severities {levels[0]} to {levels[-1]}"


def _cell(row: Row) -> tuple[str, int]:
    """Kind and severity of `fog-3`; 0 for the mean of a kind."""
    kind, _, level = str(row["slice"]).rpartition("-")
    return (kind, int(level)) if kind and level in "12345" and level else (str(row["slice"]), 0)


def _answers(example: Told | None) -> str:
    """What an image is answered at each severity, in words."""
    if example is None:
        return DASH
    said = ", ".join(f"{_level(step)} {step['answer']}{'' if step['right'] else ' (wrong)'}" for step in example["steps"])
    return f"{example['id']}, {example['truth']}: {said}"


def _level(step: Told) -> str:
    return str(step["severity"]) if step["severity"] else "without"


def _panel(
    kind: str,
    by: Mapping[str, Curve],
    models: Sequence[str],
    clean: Mapping[str, float],
    example: Told | None,
    mean: Row | None,
    many: bool,
    levels: Sequence[int],
) -> Panel:
    across, up = Scale(-0.5, max(levels) + 0.5, LEFT, WIDTH - 2), Scale(0, 1, BOTTOM, TOP)
    parts: list[Markup] = []
    for tick in (0.0, 0.5, 1.0):
        parts += [line(LEFT, up(tick), WIDTH - 2, up(tick), "grid"), text(LEFT - 5, up(tick) + 3.5, number(tick), "tick small", "end")]
    parts += [text(across(s), BOTTOM + 14, str(s) if s else "without", "tick small", "middle") for s in (0, *levels)]
    said = []
    for k, model in enumerate(models):
        drawn, told = _curve(by.get(model, {}), model, k, clean.get(model), across, up)
        parts += drawn
        said.append(f"{f'{model}: ' if len(models) > 1 else ''}accuracy {told}")
    high = BOTTOM + 20
    if example is not None:
        parts += [each for step in example["steps"] for each in _shot(step, across(step["severity"]), high)]
        said.append(f"the example, {_answers(example)}")
        high += SIDE + 4
    only = next(iter(by.get(models[0], {}).values()), None) if len(levels) == 1 else None
    row = mean if mean is not None else only
    anchor = reading.anchor(row, many=many) if row is not None else None
    name, value = kind.replace("_", " "), ""
    if row is not None and len(models) == 1:
        value = f"{'mean ' if row is mean else ''}{reading.value(row)}"
    return Panel(name, value, drawing(WIDTH, high, parts, title=name, text="; ".join(said)), anchor)


def _curve(curve: Curve, model: str, k: int, clean: float | None, across: Scale, up: Scale) -> tuple[list[Markup], str]:
    """The curve of a model with its intervals, from the accuracy without corruption on, and the same in words."""
    known = [(s, row) for s, row in sorted(curve.items()) if row["value"] is not None]
    band = [(s, row["ci"]) for s, row in known if row["ci"] and None not in row["ci"]]
    edge = [(across(s), up(ci[1])) for s, ci in band] + [(across(s), up(ci[0])) for s, ci in reversed(band)]
    parts = [path(edge, f"band s{k % SERIES}", closed=True)]
    before = []
    if clean is not None:
        parts.append(line(across(across.lo), up(clean), across(across.hi), up(clean), f"reference s{k % SERIES}"))
        before = [(across(0), up(clean))]
    parts.append(path([*before, *((across(s), up(row["value"])) for s, row in known)], f"curve s{k % SERIES}"))
    if clean is not None:
        parts.append(dot(across(0), up(clean), f"mark open s{k % SERIES}", f"without corruption: {number(clean)}", series=k, size=2.8))
    if len(band) == 1:
        [(s, (low, high))] = band
        parts.append(line(across(s), up(low), across(s), up(high), f"whisker s{k % SERIES}"))
    for s, row in known:
        tip = f"{row['gate']}, {model}: {reading.value(row)} ({reading.interval(row) or 'no interval'})"
        bad = " bad" if row["verdict"] in ("fail", "insufficient") else ""
        parts.append(dot(across(s), up(row["value"]), f"mark s{k % SERIES}{bad}", tip, series=k, size=2.8))
    told = ", ".join(
        [*([f"{number(clean)} without"] if clean is not None else []), *(f"{number(row['value'])} at {s}" for s, row in known)]
    )
    return parts, told


def _shot(step: Told, x: float, y: float) -> list[Markup]:
    """The image at a severity; where it is answered wrongly it has a frame and a cross."""
    sure = "" if step.get("confidence") is None else f" {step['confidence']:.0%}"
    tip = f"{_level(step)}: “{step['answer']}”{sure}, {'right' if step['right'] else 'wrong'}"
    left = x - SIDE / 2
    parts = [picture(step.get("picture"), left, y, SIDE, tip)]
    if not step["right"]:
        ends = (left + SIDE - 10, y + 3, left + SIDE - 3, y + 10)
        parts += [bar(left + 0.75, y + 0.75, SIDE - 1.5, SIDE - 1.5, "framed"), bar(ends[0] - 2, ends[1] - 2, 11, 11, "plate")]
        parts += [line(ends[0], ends[1], ends[2], ends[3], "cross"), line(ends[0], ends[3], ends[2], ends[1], "cross")]
    return parts
