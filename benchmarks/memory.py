"""Whether memory grows with the data: peak memory of a run on ten times as many images over that on few.

The bundled `scenes-rn` on folders of small JPEGs (what grows with images would grow all the same), accuracy and calibration.
Usage: python benchmarks/memory.py [FEW] [MANY] [--model=NAME]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from shared import conditions, make_folder, run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("few", nargs="?", type=int, default=1000)
    parser.add_argument("many", nargs="?", type=int, default=10_000)
    parser.add_argument("--model", default="scenes-rn")
    args = parser.parse_args()
    peaks = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number in (args.few, args.many):
            make_folder(root / str(number), images=number, size=(160, 120))
            given = (f"--clip-model={args.model}", f"--clip-data={root / str(number)}", "--clip-suite=accuracy,calibration")
            # One child process at a time counts: the largest of all that have ended so far, so the small run comes first.
            peaks[number] = run(*given, f"--clip-cache-dir={root / 'cache'}", folder=root / "project").memory
    print(f"memory: {peaks[args.many] / peaks[args.few]:.2f} x for {args.many / args.few:g} x the images")
    print(f"  {args.few} images {peaks[args.few]:.0f} MB, {args.many} images {peaks[args.many]:.0f} MB; {args.model}; {conditions()}")


if __name__ == "__main__":
    main()
