"""Tight floors for one model from its own JSON report: prints the [data.scenes.model."NAME"] tables of gates/defaults.toml.

Margin rule: the bound is the far end of the 95 % interval of the measured value, and at least 0.01 away from it (0.05 for nats, ratios and
ranks), rounded outward to three digits; a number found by a search may move two of its steps. A number whose interval holds chance gets no
bound. The embedded benchmark is fixed and the model too, so a healthy run repeats the value to the last digits; the interval's width is
what a changed model may move before it is called worse.  Usage: python benchmarks/gates/tight.py report.json
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from pytest_clip.gates.catalog import CATALOG

REPORTED = ("corruptions/largest_rise", "corruptions_3d/largest_rise")
"""Say which corruptions are not monotone; a model is not better for being so."""
LEAST = {"share": 0.01, "points": 0.01, "ratio": 0.05, "nats": 0.05, "score": 0.01, "rank": 0.05}


def bound(row: dict, *, better: str, unit: str) -> float:
    """Where the gate should stand."""
    low, high = row["ci"] or (row["value"], row["value"])
    if unit == "amount":
        return round(row["value"] - 2 * row["conventions"]["step"], 6)
    if better == "higher":
        return math.floor(min(low, row["value"] - LEAST[unit]) * 1000) / 1000
    return math.ceil(max(high, row["value"] + LEAST[unit]) * 1000) / 1000


def at_chance(row: dict) -> bool:
    """Whether the model may as well be guessing."""
    chance = row["conventions"].get("chance")
    return chance is not None and row["ci"] is not None and row["ci"][0] <= chance <= row["ci"][1]


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for row in report["gates"]:
        metric = CATALOG[f"{row['suite']}/{row['metric']}"]
        if row["suite"] == "checkpoint" or f"{row['suite']}/{row['metric']}" in REPORTED:
            continue
        if metric.better == "none" or row["value"] is None or at_chance(row):
            continue
        key = "min" if metric.better == "higher" else "max"
        limit = bound(row, better=metric.better, unit=metric.unit)
        if metric.unit == "share":
            limit = min(max(limit, 0.0), 1.0)
        interval = f", interval {row['ci'][0]:.3f}..{row['ci'][1]:.3f}" if row["ci"] else ""
        print(f'[data.scenes.model."{row["model"]}".gates."{row["gate"]}"]')
        print(f"{key} = {limit:g}")
        print(f'why = "measured {row["value"]:.4f}{interval}"\n')


if __name__ == "__main__":
    main()
