"""What the installed plugin adds to `pytest --co` of a project that does not use it.

Runs `pytest --co` in an empty project with the plugin and with `-p no:clip`, in turn, and prints the difference of the smallest processor
times (wall time on a shared machine varies by more than what is measured). Target: at most 20 ms.
Usage: python benchmarks/startup.py [REPEATS]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from shared import surroundings


def seconds(folder: Path, *options: str) -> float:
    """Processor time of one run, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", *options]
    subprocess.run(command, cwd=folder, env=surroundings(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        runs = [(seconds(folder), seconds(folder, "-p", "no:clip")) for _ in range(repeats + 1)][1:]
    with_plugin, without = (min(column) for column in zip(*runs, strict=True))
    print(f"plugin start-up: {1000 * (with_plugin - without):+.1f} ms of processor time, smallest of {repeats} runs")
    print(f"  with {1000 * with_plugin:.0f} ms, without {1000 * without:.0f} ms")


if __name__ == "__main__":
    main()
