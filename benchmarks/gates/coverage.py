"""What the intervals and tests of every kind of gate hold, before and after: the figures of docs/statistics.md, from one command.

    python benchmarks/gates/coverage.py [--part=NAME]... [--quick]

Runs the parts of `coverage_means.py`, `coverage_robustness.py`, `coverage_paired.py` and `benchmarks/frost.py` one after the other;
each prints tables of statistic, n, nominal and measured. All of it takes hours of one core, most of them for the false alarms of
regressions; `--quick` leaves these out. Needs neither a model nor data.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = {
    **{part: ("coverage_means.py", f"--part={part}") for part in ("means", "rates", "areas", "extremes", "prompts", "crossed", "ece")},
    **{part: ("coverage_robustness.py", f"--part={part}") for part in ("effective", "classes", "drops", "ratios", "alarms")},
    **{f"paired-{part}": ("coverage_paired.py", f"--part={part}") for part in ("shares", "scenes", "rare", "drops", "nulls")},
    "frost": ("../frost.py", "180", "--alike"),
}
LONG = ("alarms", "paired-nulls", "paired-scenes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true", help=f"leave out {', '.join(LONG)}")
    given = parser.parse_args()
    for part in given.part or [part for part in PARTS if not (given.quick and part in LONG)]:
        script, *arguments = PARTS[part]
        print(f"\n=== {part}: {script} {' '.join(arguments)}\n", flush=True)
        subprocess.run([sys.executable, str((HERE / script).resolve()), *arguments], check=True)


if __name__ == "__main__":
    main()
