"""Whether `-n 2` pays: wall time of a cold run of the embedded benchmark with two xdist workers over that without any.

Usage: python benchmarks/workers.py [MODEL] [--suites=NAMES] [--workers=N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from shared import conditions, run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="scenes-rn")
    parser.add_argument("--suites", default="all")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    walls = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in ("cold", "warm"):
            for number in (0, args.workers):
                given = (
                    f"--clip-model={args.model}",
                    f"--clip-suite={args.suites}",
                    f"--clip-cache-dir={name}/{number}",
                    "-n",
                    str(number),
                )
                done = run(*given, folder=Path(name) / "project")
                walls[kind, number] = done.wall
                print(f"  {kind}, -n {number}: {done.wall:.1f} s, {done.processor:.1f} s of processor time; {done.last}")
    for kind in ("cold", "warm"):
        print(f"-n {args.workers} over no workers, {kind}: {walls[kind, args.workers] / walls[kind, 0]:.2f} x the wall time")
    print(f"  {args.model}, suites {args.suites}; {conditions()}")


if __name__ == "__main__":
    main()
