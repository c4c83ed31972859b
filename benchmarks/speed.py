"""Whether the embedded run costs more processor time than it did: a fixed part of it, cold and warm, over a fixed piece of other work.

`pytest --clip-model=scenes-rn` with a few suites and images, once with an empty cache and once more with the same; and a yardstick that has
none of our code (Python, numpy and torch on one thread), so that a slow machine is slow at both. Each in turn, five times; what counts is
the median of processor seconds over those of the yardstick. More than 1.2 times the committed figure (speed.json) is exit status 1.
Usage: python benchmarks/speed.py [--update] [--times=5]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from shared import conditions, run, surroundings

FIGURES = Path(__file__).with_name("speed.json")
ALLOWED = 1.2
SUITES = "accuracy,calibration,checkpoint,metamorphic,ood,retrieval"
PART = ("--clip-model=scenes-rn", f"--clip-suite={SUITES}", "--clip-limit=190", "-p", "no:xdist")
YARDSTICK = """
import numpy as np, torch
torch.set_num_threads(1)
rng, found = np.random.default_rng(0), {}
for k in range(2_000_000):
    found[k % 1009] = found.get(k % 1009, 0) + k
for _ in range(12):
    values = rng.normal(size=(1000, 1000))
    np.sort(values, axis=1), values @ values
layer = torch.nn.Conv2d(32, 32, 3, padding=1)
with torch.inference_mode():
    for _ in range(60):
        layer(torch.ones(16, 32, 64, 64))
"""


def yardstick() -> float:
    """Processor seconds of the piece of other work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", YARDSTICK], check=True, env={**surroundings(), "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(times: int) -> dict[str, float]:
    """Medians of cold and warm runs over the yardstick of the same round."""
    rounds: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(times):
        with tempfile.TemporaryDirectory() as name:
            root, stick = Path(name), yardstick()
            for kind in rounds:
                done = run(*PART, f"--clip-cache-dir={root / 'cache'}", folder=root / "project")
                rounds[kind].append(done.processor / stick)
                print(f"{kind}: {done.processor:.1f} s of processor time, yardstick {stick:.1f} s ({done.last})", flush=True)
    return {kind: round(statistics.median(each), 2) for kind, each in rounds.items()}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true", help="Write what is measured to speed.json")
    parser.add_argument("--times", type=int, default=5)
    args = parser.parse_args()
    found = measured(args.times)
    print(conditions())
    if args.update:
        FIGURES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    wanted, slower = json.loads(FIGURES.read_text(encoding="utf-8")), 0
    for kind, figure in found.items():
        over = figure / wanted[kind]
        slower += over > ALLOWED
        print(f"{kind}: {figure:.2f} yardsticks, {wanted[kind]:.2f} committed: {over:.2f} x{', TOO SLOW' if over > ALLOWED else ''}")
    if slower:
        print(f"over {ALLOWED} times what the embedded run took: profile it, or say why it is worth it and write the figures with --update")
    return int(slower > 0)


if __name__ == "__main__":
    sys.exit(main())
