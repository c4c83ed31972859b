"""Several models beside each other over the headline gates; who wins, and where intervals overlap, so that nobody does."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_clip.report.html import reading
from pytest_clip.report.html.axes import Legend, Scale, around, ticks
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.svg import DASH, SERIES, Figure, Table, dot, drawing, line, number, path, short, text

WIDTH, LEFT, RIGHT = 880.0, 300.0, 640.0
HEADLINES = (
    "accuracy/top1[clean]", "accuracy/top1[typical]", "factors/worst_accuracy", "shape_bias/shape_bias[cue_conflict]",
    "prompts/worst_accuracy[templates]", "correspondence/recall_px[view_30]", "corruptions/mce_unnormalised",
    "corruptions_3d/mce_unnormalised", "calibration/ece[clean]", "retrieval/image_retrieval_recall_at_1[clean]",
    "retrieval/text_retrieval_recall_at_1[clean]", "metamorphic/agreement[mirror]", "ood/auroc[near]", "ood/auroc[far]",
)  # fmt: skip
MOST = 18


def headline(rows: Sequence[Row]) -> list[str]:
    """Ids of the gates that stand for the rest: the known ones, and the first of each suite that has none among them."""
    there = list(dict.fromkeys(str(row["gate"]) for row in rows if row["value"] is not None))
    found = [gate for gate in HEADLINES if gate in there]
    suites = {gate.partition("/")[0] for gate in found}
    for gate in there:
        if gate.partition("/")[0] not in suites:
            suites.add(gate.partition("/")[0])
            found.append(gate)
    return found[:MOST]


def winners(rows: Sequence[Row]) -> tuple[list[Row], str]:
    """The best of the rows of one gate and all that it cannot be told from, and that in words."""
    side = reading.better(rows[0])
    known = [row for row in rows if row["value"] is not None]
    if side is None or len(known) < 2:
        return [], "no side is the good one" if side is None else "only one model has a value"
    best = (max if side == "higher" else min)(known, key=lambda row: row["value"])
    others = [row for row in known if row is not best]
    if [row for row in known if not row["ci"] or None in row["ci"]]:
        equal = [row for row in others if row["value"] == best["value"]]
        return [best, *equal], "equal values" if equal else f"{best['model']} by value alone: not every model has an interval"
    tied = [row for row in others if row["ci"][0] <= best["ci"][1] and best["ci"][0] <= row["ci"][1]]
    if not tied:
        return [best], f"{best['model']}"
    return [best, *tied], f"tie: the intervals of {', '.join(str(row['model']) for row in [best, *tied])} overlap"


def figure(rows: Sequence[Row], *, title: str) -> Figure | None:
    """`rows` are of all models on one data set. Each gate has an axis of its own, from the lowest end of an interval to the highest."""
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    gates = [gate for gate in headline(rows) if sum(row["gate"] == gate for row in rows) > 1]
    if len(models) < 2 or not gates:
        return None
    legend, top = Legend(models, 8, 2, WIDTH).draw()
    high, parts, lines = 14.0 + 9.0 * len(models), list(legend), []
    for at, gate in enumerate(gates):
        own = sorted((row for row in rows if row["gate"] == gate), key=lambda row: models.index(str(row["model"])))
        best, word = winners(own)
        y = top + 6 + at * high
        lo, hi = around(end for row in own for end in [row["value"], *(row["ci"] or ())])
        scale = Scale(lo, hi, LEFT, RIGHT)
        parts += [line(LEFT, y + high - 5, RIGHT, y + high - 5, "grid"), text(LEFT - 8, y + high / 2 + 1, short(gate, 44), "tick", "end")]
        for tick in ticks(lo, hi, 3):
            parts += [
                line(scale(tick), y, scale(tick), y + high - 5, "grid"),
                text(scale(tick) + 3, y + high - 7, number(tick), "tick small"),
            ]
        for row in own:
            k = models.index(str(row["model"]))
            spot = y + 7 + 9 * k
            if row["ci"]:
                ends = [edge if end is None else end for end, edge in zip(row["ci"], (lo, hi), strict=True)]
                parts.append(line(scale(ends[0]), spot, scale(ends[1]), spot, f"whisker s{k % SERIES}"))
            if row["value"] is not None:
                tip = f"{row['model']}: {reading.value(row)} ({reading.interval(row) or 'no interval'})"
                parts.append(dot(scale(row["value"]), spot, f"mark s{k % SERIES}", tip, series=k))
        parts.append(text(RIGHT + 10, y + high / 2 + 1, short(_said(best, word), 36), "tick"))
        lines.append((gate, *(_cell(next((r for r in own if r["model"] == m), None)) for m in models), word))
    said = "One line a gate, one mark a model, with 95 % intervals. Models whose intervals overlap are ties: nothing here tells them apart."
    table = Table(("gate", *models, "best"), tuple(lines))
    return Figure(title, said, drawing(WIDTH, top + 8 + high * len(gates), parts, title=title, text=said), table, wide=True)


def _said(best: Sequence[Row], word: str) -> str:
    if len(best) > 1:
        return f"tie of {len(best)}"
    return f"best: {best[0]['model']}" if best else word


def _cell(row: Row | None) -> str:
    if row is None:
        return DASH
    return f"{reading.value(row)} ({reading.interval(row)})" if reading.interval(row) else reading.value(row)


def epochs(rows: Sequence[Row], when: dict[str, float], *, title: str) -> Figure | None:
    """Headline gates over the epochs of one training run; `when` gives the epoch of each model."""
    gates = [
        gate for gate in headline(rows) if len({when[row["model"]] for row in rows if row["gate"] == gate and row["model"] in when}) > 1
    ]
    if not gates:
        return None
    parts, lines, across, wide, high = [], [], 4, 214.0, 130.0
    first, last = min(when.values()), max(when.values())
    for at, gate in enumerate(gates):
        own = sorted((row for row in rows if row["gate"] == gate and row["model"] in when), key=lambda row: when[row["model"]])
        known = [row for row in own if row["value"] is not None]
        x, y = 6 + wide * (at % across), 8 + high * (at // across)
        lo, hi = around(end for row in known for end in [row["value"], *(row["ci"] or ())])
        along, up = Scale(first, last, x + 40, x + wide - 18), Scale(lo, hi, y + high - 34, y + 22)
        parts.append(text(x, y + 12, short(gate, 30), "panel"))
        for tick in ticks(lo, hi, 3):
            parts += [
                line(x + 40, up(tick), x + wide - 18, up(tick), "grid"),
                text(x + 36, up(tick) + 4, number(tick), "tick small", "end"),
            ]
        parts += [text(along(tick), y + high - 18, number(tick), "tick small", "middle") for tick in sorted({first, last})]
        band = [(when[row["model"]], row["ci"]) for row in known if row["ci"] and None not in row["ci"]]
        edge = [(along(t), up(ci[1])) for t, ci in band] + [(along(t), up(ci[0])) for t, ci in reversed(band)]
        parts += [path(edge, "band s0", closed=True), path([(along(when[r["model"]]), up(r["value"])) for r in known], "curve s0")]
        for row in known:
            tip = f"epoch {when[row['model']]:g}: {reading.value(row)} ({reading.interval(row) or 'no interval'})"
            parts.append(dot(along(when[row["model"]]), up(row["value"]), "mark s0", tip, size=3))
        lines += [(gate, f"{when[row['model']]:g}", str(row["model"]), reading.value(row), reading.interval(row) or DASH) for row in own]
    said = "One panel a gate, over the epochs of one training run; the band is the 95 % interval."
    table = Table(("gate", "epoch", "model", "value", "95 % interval"), tuple(lines))
    return Figure(title, said, drawing(WIDTH, 8 + high * -(-len(gates) // across), parts, title=title, text=said), table, wide=True)
