"""What the installed plugin adds to `pytest --co` of a project that does not use it.

Runs `pytest --co` in an empty project with the plugin and with `-p no:clip`, in turn, and prints the difference of the medians.
Target: at most 20 ms.  Usage: python benchmarks/startup.py [REPEATS]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(folder: Path, *options: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", *options], cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - began


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        runs = [(seconds(folder), seconds(folder, "-p", "no:clip")) for _ in range(repeats + 1)][1:]
    with_plugin, without = (statistics.median(column) for column in zip(*runs, strict=True))
    print(f"plugin start-up: {1000 * (with_plugin - without):+.1f} ms, median of {repeats}")
    print(f"  with {1000 * with_plugin:.0f} ms, without {1000 * without:.0f} ms")


if __name__ == "__main__":
    main()
