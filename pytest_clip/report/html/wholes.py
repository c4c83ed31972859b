"""Sections about the run as a whole: several models, epochs of one training run, the baseline, mutants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pytest_clip.report.html import reading
from pytest_clip.report.html.evidence import Shown
from pytest_clip.report.html.figures import changes, models, mutants
from pytest_clip.report.html.reading import Row
from pytest_clip.report.html.shown import gallery
from pytest_clip.report.html.svg import Figure, Strip

DRAWN = 40


@dataclass(frozen=True)
class Lost:
    """Images of a gate that a baseline had right: the place of the gate, its name, how many, and some of them by what they share."""

    anchor: str
    name: str
    text: str
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Part:
    anchor: str
    title: str
    lines: tuple[str, ...]
    figures: tuple[Figure, ...]
    gallery: tuple[Lost, ...] = ()


def parts(record: Mapping[str, Any], rows: Sequence[Row], shown: Shown) -> list[Part]:
    """Those that this record has."""
    own = [row for row in rows if not row.get("role")]
    made = [_baseline(own, shown), _models(rows), *_epochs(record, own), *_mutants(record)]
    return [part for part in made if part is not None]


def _baseline(rows: Sequence[Row], shown: Shown) -> Part | None:
    held = [row for row in rows if row.get("baseline")]
    if not held:
        return None
    compared, runs = changes.compared(held), sorted({str(row["baseline"]["run"]) for row in held})
    lines = [f"{reading.gates(len(compared))} compared with {', '.join(runs)} on the same images."]
    if refused := [row for row in held if row["baseline"]["drop"] is None]:
        why = dict.fromkeys(str(row["baseline"].get("reason") or "no reason is given") for row in refused)
        lines.append(f"{reading.gates(len(refused))} could not be compared: {'; '.join(list(why)[:3])}.")
    if not compared:
        return Part("baseline", "Baseline", tuple(lines), ())
    more = f" The {DRAWN} surest changes are drawn, the table has all {len(compared)}." if len(compared) > DRAWN else ""
    text = (
        "From the open mark, the baseline, to the filled one, now; right of 0 is worse, whatever side of a metric is the good one. "
        f"The bar is what max_drop allows, the thin line goes from the lower to the upper bound of the drop, each one-sided, of 95 %.{more}"
    )
    drawn = changes.figure(compared, title=f"Against {', '.join(runs)}", text=text, most=DRAWN)
    lost = [Lost(anchor, name, text, tuple(strips)) for anchor, name, text, strips in gallery(shown, compared)]
    return Part("baseline", "Baseline", tuple(lines), (drawn,), tuple(lost))


def _models(rows: Sequence[Row]) -> Part | None:
    found = []
    for data in dict.fromkeys(str(row["data"]) for row in rows):
        drawn = models.figure([row for row in rows if row["data"] == data], title=f"Headline gates on {data}")
        found += [drawn] if drawn is not None else []
    return Part("models", "Models side by side", (), tuple(found)) if found else None


def _epochs(record: Mapping[str, Any], rows: Sequence[Row]) -> list[Part]:
    """One for each training run, a folder of checkpoints that tell their epoch, of which several were measured."""
    runs: dict[str, dict[str, float]] = {}
    for each in record["models"]:
        held = each.get("checkpoint")
        epoch = held.get("epoch") if isinstance(held, Mapping) else None
        if isinstance(epoch, int | float) and not isinstance(epoch, bool) and not each.get("role"):
            folder = PurePath(str(each.get("pretrained") or "")).parent
            runs.setdefault(f"{each.get('architecture')} in {folder}", {})[str(each["name"])] = float(epoch)
    found = []
    for at, (run, when) in enumerate(sorted(runs.items())):
        figures = []
        for data in dict.fromkeys(str(row["data"]) for row in rows):
            own = [row for row in rows if row["data"] == data and row["model"] in when]
            drawn = models.epochs(own, when, title=f"Epochs of {run} on {data}") if len(set(when.values())) > 1 else None
            figures += [drawn] if drawn is not None else []
        if figures:
            found.append(Part(f"epochs-{at}" if at else "epochs", f"Epochs of {run}", (), tuple(figures)))
    return found


def _mutants(record: Mapping[str, Any]) -> list[Part]:
    rows = record.get("mutants") or []
    found = []
    for at, model in enumerate(dict.fromkeys(str(row["model"]) for row in rows)):
        own = [row for row in rows if row["model"] == model]
        drawn = mutants.figure(own, title=f"Mutants of {model}")
        lines = [f"Survived: {row['name']}, the model {row['what']}." for row in own if row["survived"]]
        lines += [f"Not counted: {row['name']}: {row[kind]}." for row in own for kind in ("equivalent", "not_applicable") if row[kind]]
        blunt = (record.get("toothless") or {}).get(model) or []
        if blunt:
            more = f" and {len(blunt) - 12} more" if len(blunt) > 12 else ""
            lines.append(f"{reading.gates(len(blunt))} noticed none of them: {', '.join(map(str, blunt[:12]))}{more}.")
        found.append(Part(f"mutants-{at}" if at else "mutants", f"Mutants of {model}", tuple(lines), (drawn,) if drawn is not None else ()))
    return found
