"""Which suite notices which damaged copy of the model: the matrix of a run with `--clip-mutants`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.report.html.svg import Figure, Table, bar, drawing, short, text

Row = Mapping[str, Any]
WIDTH, LEFT, TOP, HIGH = 880.0, 150.0, 104.0, 18.0


def figure(rows: Sequence[Row], *, title: str) -> Figure | None:
    """`rows` are the `mutants` of one model; None where none of them ran."""
    ran = [row for row in rows if row["equivalent"] is None and row["not_applicable"] is None]
    counts = [Counter(gate.partition("/")[0] for gate in row["killed_by"]) for row in ran]
    suites = sorted({suite for count in counts for suite in count})
    if not ran:
        return None
    killed = sum(bool(row["killed_by"]) for row in ran)
    cell = min((WIDTH - LEFT - 60) / len(ran), 46.0)
    most = max((n for count in counts for n in count.values()), default=1)
    parts = []
    for k, row in enumerate(ran):
        x = LEFT + k * cell + cell / 2
        parts.append(text(0, 0, short(row["name"], 20), "tick", "start", turn=(x + 3, TOP - 8, -52)))
    for at, suite in enumerate(suites):
        y = TOP + at * HIGH
        parts.append(text(LEFT - 8, y + 13, short(suite, 22), "tick", "end"))
        for k, (row, count) in enumerate(zip(ran, counts, strict=True)):
            n, x = count[suite], LEFT + k * cell
            level = 0 if not n else 1 + min(3, int(4 * n / (most + 1)))
            told = f"{suite} notices {row['name']} by {n} gate{'' if n == 1 else 's'}"
            parts += [
                bar(x + 1, y + 1, cell - 2, HIGH - 2, f"cell l{level}", told),
                text(x + cell / 2, y + 13, str(n or "·"), f"tick on{level}", "middle"),
            ]
    said = f"{killed} of {len(ran)} damaged copies are noticed. A cell counts gates that pass on the model and fail on the copy."
    table = Table(
        ("mutant", "the model ...", *suites, "noticed by", "such as"),
        tuple(
            (row["name"], row["what"], *(str(count[s]) for s in suites), f"{len(row['killed_by'])} of {row['judged']}",
             ", ".join(row["killed_by"][:3]) or "no gate noticed")
            for row, count in zip(ran, counts, strict=True)
        ),
    )  # fmt: skip
    return Figure(title, said, drawing(WIDTH, TOP + HIGH * max(len(suites), 1) + 8, parts, title=title, text=said), table, wide=True)
