"""How far words move a number: its value under each prompt set of a family, worst and best named."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale, around, x_axis
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import SERIES, Figure, Table, dot, drawing, line, number, short, text

WIDTH, LEFT, RIGHT, HIGH = 440.0, 10.0, 428.0, 46.0


def figure(rows: Sequence[Row], *, title: str, label: str) -> Figure | None:
    """`rows` are of one spread (`prompts/accuracy_spread`), a family each; None where none has values."""
    known = [row for row in rows if row["conventions"].get("values")]
    if not known:
        return None
    models, families = list(dict.fromkeys(str(r["model"]) for r in known)), list(dict.fromkeys(str(r["slice"]) for r in known))
    lo, hi = around(value for row in known for value in row["conventions"]["values"].values())
    legend, top = Legend(models, 6, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    bottom = top + 6 + sum(_height(models) for _ in families)
    scale, parts = Scale(lo, hi, LEFT, RIGHT), list(legend)
    parts += x_axis(scale, top + 4, bottom, label=label)
    for at, family in enumerate(families):
        parts += _family(family, [row for row in known if row["slice"] == family], models, scale, top + 6 + at * _height(models))
    lines = [
        (str(row["slice"]), str(row["model"]), name, number(value, 4))
        for row in known
        for name, value in row["conventions"]["values"].items()
    ]
    said = f"One mark a prompt set, {', '.join(families)}; the spread of a family is the distance between its outermost marks."
    return Figure(
        title,
        said,
        drawing(WIDTH, bottom + 34, parts, title=title, text=said),
        Table(("family", "model", "prompt set", label), tuple(lines)),
    )


def _height(models: Sequence[str]) -> float:
    return HIGH + 14 * (len(models) - 1)


def _family(family: str, rows: Sequence[Row], models: Sequence[str], scale: Scale, y: float) -> list[Markup]:
    parts: list[Markup] = []
    for row in rows:
        k = models.index(str(row["model"]))
        values, at = row["conventions"]["values"], y + 24 + 14 * k
        worst, best = row["conventions"].get("worst"), row["conventions"].get("best")
        if k == 0:
            told = f"{family}: spread {reading.value(row)}; worst {short(str(worst), 22)}, best {short(str(best), 22)}"
            parts.append(text(LEFT, y + 12, told, "panel"))
        ends = [scale(value) for value in values.values()]
        parts.append(line(min(ends), at, max(ends), at, f"whisker s{k % SERIES}"))
        parts += [dot(scale(v), at, f"mark open s{k % SERIES}", f"{row['model']}, {name}: {v:.4f}", series=k) for name, v in values.items()]
    return parts
