"""Groups of images by a column of facts: the accuracy of each, the worst first, with its interval and how many images it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale, around, x_axis
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import SERIES, Figure, Table, dot, drawing, line, number, short, text

WIDTH, LEFT, RIGHT = 440.0, 150.0, 428.0
MOST = 40
"""Groups that are drawn; a table has all."""
SAID = (
    "Each mark is the accuracy of a group, with the 95 % interval of that group alone; the gate's own interval knows that the worst "
    "was chosen by looking."
)


def figure(rows: Sequence[Row], *, title: str) -> Figure | None:
    """`rows` are of `groups/worst_accuracy` on one column of one data set, one a model; None where no row tells its groups."""
    told = {str(row["model"]): found for row in rows if (found := _of(row))}
    if not told:
        return None
    models = list(told)
    first = told[models[0]]
    names = sorted({name for each in told.values() for name in each}, key=lambda name: (first.get(name, (2.0, 0))[0], name))
    drawn = names[:MOST]
    said = SAID if len(names) == len(drawn) else f"{SAID} The first {MOST} of {len(names)} are drawn, the table has all."
    legend, top = Legend(models, LEFT - 140, 2, WIDTH).draw() if len(models) > 1 else ([], 0.0)
    high = 14.0 + 9.0 * (len(models) - 1)
    top, bottom = top + 8, top + 8 + high * len(drawn) + 6
    ends = {(model, name): _interval(*found) for model, each in told.items() for name, found in each.items()}
    scale = Scale(*around([end for both in ends.values() for end in both], within=(0.0, 1.0)), LEFT, RIGHT)
    parts = [*legend, *x_axis(scale, top, bottom, label="accuracy")]
    for at, name in enumerate(drawn):
        y = top + 3 + high * at
        parts.append(text(LEFT - 8, y + high / 2 + 4, short(name, 22), "tick", "end"))
        for k, model in enumerate(models):
            if name in told[model]:
                (share, n), (low, end) = told[model][name], ends[model, name]
                tip = f"{name}, {model}: {number(share)} ({number(low)} to {number(end)}), {n:,} images"
                parts.append(line(scale(low), y + 7 + 9 * k, scale(end), y + 7 + 9 * k, f"whisker s{k % SERIES}"))
                parts.append(dot(scale(share), y + 7 + 9 * k, f"mark s{k % SERIES}", tip, series=k))
    who = ("model",) if len(models) > 1 else ()
    lines = tuple(
        (name, *((model,) if who else ()), number(share), " to ".join(map(number, ends[model, name])), f"{n:,}")
        for name in names
        for model in models
        for share, n in ([told[model][name]] if name in told[model] else [])
    )
    table = Table(("group", *who, "accuracy", "95 % interval", "images"), lines)
    return Figure(title, said, drawing(WIDTH, bottom + 34, parts, title=title, text=said), table)


def _of(row: Row) -> dict[str, tuple[float, int]]:
    """Accuracy and number of images by group."""
    sizes = (row.get("conventions") or {}).get("groups")
    known = sizes if isinstance(sizes, Mapping) else {}
    return {
        name: (share, known[name])
        for name, share in reading.measured(row).items()
        if isinstance(known.get(name), int) and known[name] > 0 and 0 <= share <= 1
    }


def _interval(share: float, n: int) -> tuple[float, float]:
    from pytest_clip.metrics.intervals import wilson_share  # scipy is for those who have groups

    return wilson_share(share, n)
