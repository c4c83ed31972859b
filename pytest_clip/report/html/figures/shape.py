"""Shape against texture, class by class, on the axis of Geirhos et al. (2019): left all texture, right all shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale, x_axis
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import SERIES, Figure, Table, bar, dot, drawing, line, number, short, text

WIDTH, LEFT, RIGHT, HIGH = 440.0, 128.0, 428.0, 15.0
HUMANS, CNN = (0.92, 0.99), 0.2207
"""Of Geirhos et al. on their own 1,280 images: the range of human observers, and ImageNet's ResNet-50 as torchvision has it."""


def figure(rows: Sequence[Row], *, title: str) -> Figure | None:
    """`rows` are of `shape_bias/shape_bias` on one data set, one a model; None where no row counts its classes."""
    told: dict[str, Mapping[str, Any]] = {
        str(row["model"]): row["conventions"]["per_class"] for row in rows if row["conventions"].get("per_class")
    }
    if not told:
        return None
    models = list(told)
    classes = list(dict.fromkeys(name for each in told.values() for name in each))
    legend, top = Legend(models, 6, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    top, bottom = top + 26, top + 26 + HIGH * len(classes) + 6
    scale = Scale(0, 1, LEFT, RIGHT)
    parts = [*legend, bar(scale(HUMANS[0]), top, scale(HUMANS[1]) - scale(HUMANS[0]), bottom - top, "human")]
    parts += [*x_axis(scale, top, bottom, label="share of shape among decisions for shape or texture")]
    parts += [text(scale(HUMANS[1]), top - 5, "humans, Geirhos et al.", "tick", "end"), line(scale(CNN), top, scale(CNN), bottom, "cnn")]
    parts += [text(scale(CNN), top - 5, "ResNet-50, ImageNet", "tick", "middle")]
    lines = []
    for at, name in enumerate(classes):
        y = top + 3 + HIGH * at
        parts.append(text(LEFT - 8, y + 11, short(name, 18), "tick", "end"))
        for k, model in enumerate(models):
            counts = told[model].get(name)
            if counts is None:
                continue
            decided = counts["shape"] + counts["texture"]
            share = counts["shape"] / decided if decided else None
            who = (model,) if len(models) > 1 else ()
            lines.append((name, *who, number(share), f"{counts['shape']}", f"{counts['texture']}", f"{counts['n']}"))
            if share is not None:
                tip = f"{name}, {model}: {counts['shape']} by shape, {counts['texture']} by texture of {counts['n']}"
                parts.append(dot(scale(share), y + 7, f"mark s{k % SERIES}", tip, series=k))
    for k, row in enumerate(rows):
        if row["value"] is not None:
            mean = scale(row["value"])
            tip = f"{row['model']}: {reading.value(row)} over all classes"
            parts.append(line(mean, top, mean, bottom, f"mean s{k % SERIES}", tip))
    said = (
        "Each mark is the share of conflict images of a shape that were decided for it rather than for the texture; the solid line is "
        "the model over all classes. Reference marks are of humans and of a CNN (ResNet-50 trained on ImageNet) on the images of "
        "Geirhos et al. (2019), not on these."
    )
    who = ("model",) if len(models) > 1 else ()
    table = Table(("shape", *who, "share of shape", "decided for shape", "for texture", "images"), tuple(lines))
    return Figure(title, said, drawing(WIDTH, bottom + 34, parts, title=title, text=said), table)
