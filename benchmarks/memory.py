"""Whether memory grows with the data: peak memory of a run on ten times as many images over that on few.

The bundled `scenes-rn` on folders of JPEGs (what grows with images would grow all the same), accuracy and calibration. `--plot=PATH`
draws the resident memory of both runs over time, without the pages of mapped files (Linux).
Usage: python benchmarks/memory.py [FEW] [MANY] [--model=NAME] [--size=WIDTHxHEIGHT] [--plot=PATH]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from shared import Run, conditions, make_folder, run

Curve = list[tuple[float, float]]
"""seconds, MB"""


class Sampler(threading.Thread):
    """Resident memory of the child of this process, ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.curve: Curve = []
        self.ended = threading.Event()

    def run(self) -> None:
        began = time.perf_counter()
        while not self.ended.wait(0.1):
            with suppress(OSError, IndexError, ValueError):
                child = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[0]
                status = Path(f"/proc/{child}/status").read_text()
                own = int(status.partition("RssAnon:")[2].split()[0])
                self.curve.append((time.perf_counter() - began, own / 1024))


def sampled(*options: str, folder: Path) -> tuple[Run, Curve]:
    """A run with these options, and its memory over time."""
    sampler = Sampler()
    sampler.start()
    try:
        return run(*options, folder=folder), sampler.curve
    finally:
        sampler.ended.set()
        sampler.join()


def draw(curves: dict[str, Curve], path: Path) -> None:
    """One line each, named."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.5), layout="constrained")
    for name, curve in curves.items():
        axes.plot([second for second, _ in curve], [size for _, size in curve], label=name)
    axes.set(xlabel="seconds", ylabel="resident memory, MB", ylim=(0, None))
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("few", nargs="?", type=int, default=1000)
    parser.add_argument("many", nargs="?", type=int, default=10_000)
    parser.add_argument("--model", default="scenes-rn")
    parser.add_argument("--size", default="160x120")
    parser.add_argument("--plot", type=Path)
    args = parser.parse_args()
    wide, high = (int(side) for side in args.size.split("x"))
    runs, curves = {}, {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number in (args.few, args.many):
            make_folder(root / str(number), images=number, size=(wide, high))
            given = (f"--clip-model={args.model}", f"--clip-data={root / str(number)}", "--clip-suite=accuracy,calibration")
            # One child process at a time counts: the largest of all that have ended so far, so the small run comes first.
            runs[number], curves[f"{number} images"] = sampled(*given, f"--clip-cache-dir={root / 'cache'}", folder=root / "project")
    print(f"memory: {runs[args.many].memory / runs[args.few].memory:.2f} x for {args.many / args.few:g} x the images")
    for number, one in runs.items():
        print(f"  {number} images of {args.size}: {one.memory:.0f} MB, {one.wall:.1f} s, {number / one.wall:.0f} images/s; {one.last}")
    print(f"  {args.model}; {conditions()}")
    if args.plot is not None:
        draw(curves, args.plot)
        print(f"  wrote {args.plot}")


if __name__ == "__main__":
    main()
