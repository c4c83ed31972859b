"""A first run of the embedded benchmark with `scenes-rn`, and where its time goes.

Three runs of `pytest --clip-model=scenes-rn`: with an empty cache, with rendered pictures but no answers, and with everything cached. The
differences are rendering and forward passes (image decoding and preprocessing included); the last run is start-up, metrics and reports.
Target: 120 s for the first on 2 idle cores.  Usage: python benchmarks/cold.py [MODEL]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(cache: Path, model: str) -> float:
    """Wall time of one run with this cache."""
    with tempfile.TemporaryDirectory() as empty:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", f"--clip-model={model}", f"--clip-cache-dir={cache}"],
            cwd=empty,
            capture_output=True,
            text=True,
        )
        took = time.perf_counter() - began
    if done.returncode not in (0, 1):
        sys.exit(done.stdout + done.stderr)
    print(f"  {took:6.1f} s  {done.stdout.strip().splitlines()[-1].strip('= ')}")
    return took


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "scenes-rn"
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        cold = seconds(cache, model)
        shutil.rmtree(cache / "answers")
        embedding = seconds(cache, model)
        warm = seconds(cache, model)
    print(f"cold run: {cold:.1f} s = rendering {cold - embedding:.1f} + forward passes {embedding - warm:.1f} + the rest {warm:.1f}")
    print(f"  {model}, {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} load at the end")


if __name__ == "__main__":
    main()
