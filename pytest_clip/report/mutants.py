"""What the terminal says about mutants: the matrix of suites and mutants, survivors with advice, gates that noticed nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.mutants.catalog import MUTANTS

Row = Mapping[str, Any]

TELLING = 3
TOOTHLESS_SHOWN = 12


def lines(records: Row) -> list[str]:
    """The section of one run, model by model, from the parts of the JSON record."""
    told: list[str] = []
    for model, blunt in records["toothless"].items():
        told += [*([""] if told else []), *_model(model, [row for row in records["mutants"] if row["model"] == model], blunt)]
    return told


def markup(line: str) -> dict[str, bool]:
    word = line.partition(" ")[0]
    return {"red": True} if word == "SURVIVED" else {"yellow": True} if word == "TOOTHLESS" else {}


def _model(model: str, rows: Sequence[Row], blunt: Sequence[str]) -> list[str]:
    ran = [row for row in rows if row["equivalent"] is None and row["not_applicable"] is None]
    killed = [row for row in ran if not row["survived"]]
    share = f", {len(killed) / len(ran):.0%}" if ran else ""
    told = [f"mutants of {model}: {len(killed)} of {len(ran)} noticed by a gate{share}"]
    told += _matrix(ran)
    told += [f"SURVIVED {row['name']}: {advice(row)}" for row in ran if row["survived"]]
    for kind in ("equivalent", "not_applicable"):
        told += [f"{kind.replace('_', ' ')}, not counted: {row['name']}: {row[kind]}" for row in rows if row[kind] is not None]
    if blunt and ran:
        more = f" and {len(blunt) - TOOTHLESS_SHOWN} more (all in the JSON report)" if len(blunt) > TOOTHLESS_SHOWN else ""
        told.append(f"TOOTHLESS {_gates(len(blunt))} noticed none of them: {', '.join(blunt[:TOOTHLESS_SHOWN])}{more}")
    return told


def _matrix(ran: Sequence[Row]) -> list[str]:
    """Gates that noticed, by suite (down) and mutant (across), and for each mutant those that notice the fewest others."""
    counts = [Counter(gate.partition("/")[0] for gate in row["killed_by"]) for row in ran]
    suites = sorted({suite for count in counts for suite in count})
    noticed = Counter(gate for row in ran for gate in row["killed_by"])
    width = max(map(len, suites), default=0)
    cells = max([3, *(len(str(n)) for count in counts for n in count.values())]) + 1
    told = [f"{'':{width}}{''.join(f'{k:>{cells}}' for k in range(1, len(ran) + 1))}"] if suites else []
    told += [f"{suite:{width}}{''.join(f'{count[suite] or chr(183):>{cells}}' for count in counts)}" for suite in suites]
    name = max((len(row["name"]) for row in ran), default=0)
    for k, row in enumerate(ran, 1):
        telling = sorted(row["killed_by"], key=lambda gate: noticed[gate])[:TELLING]  # stable: in the order of the run
        by = f"{len(row['killed_by'])} of {_gates(row['judged'])}, such as {', '.join(telling)}" if telling else "no gate noticed"
        told.append(f"{k:>3} {row['name']:{name}}  {by}")
    return told


def advice(row: Row) -> str:
    """What to do about a survivor."""
    said = f"the model {row['what']}, and all {_gates(row['judged'])} pass"
    if (near := row["nearest"]) is not None:
        share = (near["sound"] - near["damaged"]) / (near["sound"] - near["bound"])
        said += (
            f"; nearest was {near['gate']}: {near['sound']:.4g} became {near['damaged']:.4g}, "
            f"{share:.0%} of the way to {near['key']} {near['bound']:.4g}"
        )
    return f"{said}; {MUTANTS[row['name']].advice}"


def _gates(n: int) -> str:
    return f"{n} gate{'' if n == 1 else 's'}"
