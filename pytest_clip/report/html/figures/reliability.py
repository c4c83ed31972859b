"""Reliability diagrams: accuracy against confidence by bins, before and after the temperature, with the number of images in each bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pytest_clip.report.html.axes import Scale
from pytest_clip.report.html.svg import Figure, Table, bar, dot, drawing, line, number, text

WIDTH, SIDE, LEFT, TOP, COUNTS = 440.0, 172.0, 34.0, 24.0, 34.0
Told = Mapping[str, Any]


def figure(before: Told | None, after: Told | None, *, title: str) -> Figure:
    """`before` and `after` are evidence of the kind `reliability`: `bins` with `low`, `high`, `n`, `confidence`, `accuracy`."""
    said = (
        "Marks are the accuracy of the images in a bin at their mean confidence; on the diagonal confidence means what it says, below it "
        "the model is too sure. Larger marks are of more images, and the bars count them."
    )
    parts, lines = [], []
    panels = [(name, told) for name, told in (("as the model is", before), ("after temperature scaling", after)) if told is not None]
    for at, (name, told) in enumerate(panels):
        parts += _panel(name, told["bins"], LEFT + at * (SIDE + 44))
        lines += [
            (name, f"{number(b['low'])} to {number(b['high'])}", str(b["n"]), number(b["confidence"]), number(b["accuracy"]))
            for b in told["bins"]
            if b["n"]
        ]
    table = Table(("model", "confidence", "images", "mean confidence", "accuracy"), tuple(lines))
    return Figure(title, said, drawing(WIDTH, TOP + SIDE + COUNTS + 48, parts, title=title, text=said), table)


def _panel(name: str, bins: Sequence[Told], x: float) -> list[Markup]:
    across, up = Scale(0, 1, x, x + SIDE), Scale(0, 1, TOP + SIDE, TOP)
    parts = [text(x, TOP - 8, name, "panel")]
    for tick in (0.0, 0.5, 1.0):
        parts += [line(x, up(tick), x + SIDE, up(tick), "grid"), text(x - 5, up(tick) + 4, number(tick), "tick", "end")]
        parts += [line(across(tick), TOP, across(tick), TOP + SIDE, "grid")]
        parts += [text(across(tick), TOP + SIDE + COUNTS + 20, number(tick), "tick", "middle")]
    parts.append(line(across(0), up(0), across(1), up(1), "diagonal"))
    known = [b for b in bins if b["n"]]
    most = max((b["n"] for b in known), default=1)
    floor = TOP + SIDE + COUNTS + 6
    for each in known:
        high = COUNTS * each["n"] / most
        tip = f"{each['n']} images of confidence {number(each['low'])} to {number(each['high'])}"
        parts.append(bar(across(each["low"]) + 0.5, floor - high, across(each["high"]) - across(each["low"]) - 1, high, "count s0", tip))
    points = [(across(b["confidence"]), up(b["accuracy"])) for b in known]
    for each, (at, y) in zip(known, points, strict=True):
        parts.append(line(at, up(each["confidence"]), at, y, "gap"))
    for each, (at, y) in sorted(zip(known, points, strict=True), key=lambda pair: -pair[0]["n"]):
        tip = f"confidence {number(each['confidence'])}, accuracy {number(each['accuracy'])}, {each['n']} images"
        parts.append(dot(at, y, "mark s0", tip, size=round(2.2 + 4.2 * (each["n"] / most) ** 0.5, 2)))
    parts.append(text(x + SIDE, floor - COUNTS + 8, f"up to {most} images", "tick small", "end"))
    parts.append(text(x + SIDE / 2, floor + 32, "confidence", "axis", "middle"))
    return parts
