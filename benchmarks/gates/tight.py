"""Tight floors for one model from its own JSON report: prints the [data.scenes.model."NAME"] tables of thresholds.toml.

The margin rule is that of `pytest_clip.gates.margins`. A number whose interval holds chance gets no bound. The embedded
benchmark is fixed and the model too, so a healthy run repeats the value to the last digits; the interval's width is what a changed model
may move before it is called worse.  Usage: python benchmarks/gates/tight.py report.json
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from pytest_clip.gates import margins, thresholds
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.ids import GateId

REPORTED = ("corruptions/largest_rise", "corruptions_3d/largest_rise")
"""Say which corruptions are not monotone; a model is not better for being so."""


def main() -> None:
    rulebook = thresholds.load(today=date.today())
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for row in report["gates"]:
        metric = CATALOG[f"{row['suite']}/{row['metric']}"]
        if row["suite"] == "checkpoint" or f"{row['suite']}/{row['metric']}" in REPORTED:
            continue
        if metric.better == "none" or row["value"] is None:
            continue
        if margins.at_chance(row["ci"], row["conventions"]):
            continue
        key = "min" if metric.better == "higher" else "max"
        step = row["conventions"].get("step", 0.0)
        limit = margins.bound(row["value"], row["ci"], key=key, unit=metric.unit, step=step)
        interval = f", interval {row['ci'][0]:.3f}..{row['ci'][1]:.3f}" if row["ci"] else ""
        print(f'[data.scenes.model."{row["model"]}".gates."{row["gate"]}"]')
        if (rule := rulebook.rule_for(GateId.parse(row["gate"]), (), "scenes")) is not None and rule.warns:
            print('severity = "fail"')  # what only warns of a model that nobody knows fails this one
        print(f"{key} = {limit:g}")
        print(f'why = "measured {row["value"]:.4f}{interval}"\n')


if __name__ == "__main__":
    main()
