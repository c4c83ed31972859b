"""Known against unknown images: the ROC curve with both points that are called FPR95, and histograms of the two kinds of scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pytest_clip.report.html.axes import Legend, Scale
from pytest_clip.report.html.svg import Figure, Table, bar, dot, drawing, line, number, path, text

WIDTH, SIDE, TOP = 440.0, 172.0, 30.0
Told = Mapping[str, Any]


def figure(told: Told, *, title: str) -> Figure:
    """`told` is evidence of the kind `scores`: `roc` points, `fpr95` by orientation, `edges` and counts of `known` and `unknown`."""
    said = (
        "Left: share of known images accepted against share of unknown images accepted, over all thresholds; the marks are the two "
        "orientations of FPR95 found in the literature. Right: how many images of either kind have which score (MCM)."
    )
    parts = [*_curve(told), *_histogram(told)]
    rows = [(f"FPR95, {name}", number(point["value"]), number(point["threshold"], 6)) for name, point in _points(told).items()]
    rows += [
        (f"score {number(lo, 5)} to {number(hi, 5)}", f"{known} known", f"{unknown} unknown")
        for lo, hi, known, unknown in zip(told["edges"], told["edges"][1:], told["known"], told["unknown"], strict=False)
    ]
    table = Table(("what", "value", "threshold or count"), tuple(rows))
    return Figure(title, said, drawing(WIDTH, TOP + SIDE + 42, parts, title=title, text=said), table)


def _points(told: Told) -> dict[str, Any]:
    names = {"id_positive": "known positive (MCM, ODIN)", "ood_positive": "unknown positive (OpenOOD)"}
    return {names[key]: each for key, each in told["fpr95"].items() if key in names}


def _curve(told: Told) -> list[Markup]:
    x = 34.0
    across, up = Scale(0, 1, x, x + SIDE), Scale(0, 1, TOP + SIDE, TOP)
    parts = []
    for tick in (0.0, 0.5, 1.0):
        parts += [line(x, up(tick), x + SIDE, up(tick), "grid"), text(x - 5, up(tick) + 4, number(tick), "tick", "end")]
        parts += [
            line(across(tick), TOP, across(tick), TOP + SIDE, "grid"),
            text(across(tick), TOP + SIDE + 14, number(tick), "tick", "middle"),
        ]
    parts.append(line(across(0), up(0), across(1), up(1), "diagonal"))
    parts.append(path([(across(a), up(b)) for a, b in told["roc"]], "curve s0"))
    for k, (name, point) in enumerate(_points(told).items()):
        tip = f"FPR95, {name}: {number(point['value'])}"
        parts.append(dot(across(point["at"][0]), up(point["at"][1]), f"mark s{k + 1}", tip, series=k + 1, size=4.6))
        parts.append(dot(x + SIDE * 0.26, TOP + SIDE - 32 + 15 * k, f"mark s{k + 1}", series=k + 1))
        parts.append(
            text(
                x + SIDE * 0.26 + 9,
                TOP + SIDE - 28 + 15 * k,
                f"FPR95 {('known', 'unknown')[k]} positive {number(point['value'])}",
                "tick small",
            )
        )
    parts.append(text(x + SIDE / 2, TOP + SIDE + 30, "unknown accepted", "axis", "middle"))
    parts.append(text(x - 28, TOP - 9, "known accepted", "axis"))
    return parts


def _histogram(told: Told) -> list[Markup]:
    x, edges = 262.0, told["edges"]
    across = Scale(edges[0], edges[-1], x, x + SIDE - 4)
    shares = {name: [n / max(sum(told[name]), 1) for n in told[name]] for name in ("known", "unknown")}
    up = Scale(0, max([*shares["known"], *shares["unknown"], 1e-9]), TOP + SIDE, TOP + 6)
    parts = [line(x, up(0), x + SIDE - 4, up(0), "grid")]
    wide = edges[-1] - edges[0]
    ends = (edges[0] + wide * 0.1, edges[0] + wide * 0.9)
    parts += [text(across(tick), TOP + SIDE + 14, f"{tick:.4g}", "tick", "middle") for tick in ends]
    for k, (name, share) in enumerate(shares.items()):
        for lo, hi, part, n in zip(edges, edges[1:], share, told[name], strict=False):
            if n:
                tip = f"{n} {name} images of score {lo:.5g} to {hi:.5g}"
                parts.append(bar(across(lo) + 0.3, up(part), across(hi) - across(lo) - 0.6, up(0) - up(part), f"hist s{(0, 5)[k]}", tip))
    parts.append(text(x + SIDE / 2, TOP + SIDE + 30, "score", "axis", "middle"))
    names, _ = Legend([f"known ({sum(told['known'])})", f"unknown ({sum(told['unknown'])})"], x, 4, 440, marks=("s0", "s5")).draw()
    return [*parts, *names]
