"""The path of a fine-tuning: each property against accuracy in distribution, epoch by epoch, beside the path of mixtures."""

from __future__ import annotations

from markupsafe import Markup

from pytest_clip.report.html.axes import Scale, around, ticks
from pytest_clip.report.html.svg import DASH, Figure, Table, dot, drawing, line, number, path, short, text
from pytest_clip.study.watch import Watch

WIDE, HIGH, ACROSS = 290.0, 180.0, 3


def watched(watch: Watch) -> Figure | None:
    """A panel a gate, as many beside each other as a page has room for; None where nothing was compared."""
    gates = list(watch.first_falls)
    if not gates:
        return None
    accuracy = {epoch: value for epoch, _, value in watch.epochs}
    xs = [*accuracy.values(), *(clean for _, clean, _ in watch.mixtures)]
    parts: list[Markup] = []
    rows = []
    for at, gate in enumerate(gates):
        own = [each for each in watch.moves if each.gate == gate]
        first = watch.epochs[0][0]
        points = [(accuracy[first], own[0].first), *((accuracy[each.epoch], each.value) for each in own)]
        mixed = [(clean, values[gate]) for _, clean, values in watch.mixtures if gate in values]
        x, y = WIDE * (at % ACROSS), HIGH * (at // ACROSS)
        along = Scale(*around(xs, least=0.01), x + 46, x + WIDE - 14)
        up = Scale(*around([each for _, each in [*points, *mixed]], least=0.01), y + HIGH - 40, y + 24)
        parts.append(text(x + 4, y + 14, short(gate, 42), "panel"))
        for tick in ticks(up.lo, up.hi, 3):
            parts += [
                line(x + 46, up(tick), x + WIDE - 14, up(tick), "grid"),
                text(x + 42, up(tick) + 4, number(tick), "tick small", "end"),
            ]
        for tick in ticks(along.lo, along.hi, 3):
            parts += [
                line(along(tick), y + 24, along(tick), y + HIGH - 40, "grid"),
                text(along(tick), y + HIGH - 26, number(tick), "tick small", "middle"),
            ]
        parts += [path([(along(a), up(b)) for a, b in mixed], "reference s2"), path([(along(a), up(b)) for a, b in points], "curve s0")]
        parts += [dot(along(a), up(b), "mark s2", f"mixture: {number(a)} and {number(b)}", series=1, size=2.6) for a, b in mixed]
        falls = {each.epoch for each in own if each.falls}
        for (a, b), epoch in zip(points, [first, *(each.epoch for each in own)], strict=True):
            parts.append(
                dot(
                    along(a), up(b), f"mark s0{' bad' if epoch in falls else ''}", f"epoch {epoch:g}: {number(a)} and {number(b)}", size=3.6
                )
            )
            parts.append(text(along(a) + 5, up(b) - 5, f"{epoch:g}", "tick small"))
        rows += [
            (
                gate, f"{each.epoch:g}", number(accuracy[each.epoch], 4), number(each.first, 4), number(each.value, 4),
                DASH if each.p_holm is None else f"{each.p_holm:.2g}", "falls" if each.falls else "", number(each.mixed, 4),
            )
            for each in own
        ]  # fmt: skip
    title = f"Epochs of {watch.run}"
    said = (
        f"Each property against {watch.clean}; numbers are epochs, a red ring is a sure fall (paired test against the first epoch, Holm "
        f"over all epochs and properties){', squares the mixtures of both ends (WiSE-FT)' if watch.mixtures else ''}."
    )
    head = ("gate", "epoch", watch.clean, "first", "value", "p (Holm)", "", "WiSE-FT at this accuracy")
    high = HIGH * -(-len(gates) // ACROSS)
    return Figure(title, said, drawing(WIDE * ACROSS, high, parts, title=title, text=said), Table(head, tuple(rows)), wide=True)
