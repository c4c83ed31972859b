"""What the terminal says about a baseline: how many gates were held against it, and what changed most where nothing judges it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

SHOWN = 5
_WORDS = {"fail": "regressed", "insufficient": "insufficient", "pass": "held"}


def lines(rows: Sequence[Row], beside: Sequence[Row]) -> list[str]:
    """``rows`` are those of the models under test, ``beside`` those of a baseline measured in the same run."""
    told = []
    for model in sorted({str(row["model"]) for row in beside}):
        own = [row for row in beside if row["model"] == model]
        told.append(f"baseline {model}: {len(own)} gate{'s' * (len(own) != 1)} measured, not judged")
    compared = [row for row in rows if row.get("baseline")]
    for run in sorted({row["baseline"]["run"] for row in compared}):
        told += _against(run, [row for row in compared if row["baseline"]["run"] == run])
    return told


def _against(run: str, rows: Sequence[Row]) -> list[str]:
    known = [row for row in rows if row["baseline"]["drop"] is not None]
    counts = Counter(row["baseline"]["status"] for row in known)
    told = [f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]]
    if counts[None]:
        told.append(f"{counts[None]} without a max_drop")
    if len(known) < len(rows):
        told.append(f"{len(rows) - len(known)} not compared")
    lines = [f"against {run}: {len(rows)} gate{'s' * (len(rows) != 1)}: {', '.join(told)}"]
    lines += _named("REGRESSED", [row for row in known if row["baseline"]["status"] == "fail"])
    lines += _named("WORSE without a max_drop:", [row for row in known if row["baseline"]["status"] is None and _sure(row)])
    return lines


def _named(what: str, rows: Sequence[Row]) -> list[str]:
    """The surest changes by name."""
    order = sorted(rows, key=lambda row: (row["baseline"]["p"] or 0.0, row["gate"], row["model"], row["data"]))
    more = f" and {len(order) - SHOWN} more" if len(order) > SHOWN else ""
    return [f"{what} {', '.join(map(_change, order[:SHOWN]))}{more}"] if order else []


def _sure(row: Row) -> bool:
    """Whether the change is hardly chance, by itself: a look at all of them will find one in twenty of these."""
    baseline = row["baseline"]
    return baseline["p"] is not None and baseline["ci"] is not None and bool(baseline["ci"][0] > 0)


def _change(row: Row) -> str:
    baseline = row["baseline"]
    found = (row.get("flips") or {}).get("groups") or []
    clear = next((f", mostly {group['fact']} {group['value']}" for group in found if group["stands_out"]), "")
    return f"{row['gate']} {baseline['value']:.4f} -> {row['value']:.4f}{clear}"
