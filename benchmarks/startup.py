"""What somebody waits for before anything is measured: help, a list, the first lines of a run; and what the plugin adds to other projects.

Medians of REPEATS runs in turn, processor time and clock; the clock of a shared machine says little. `pytest` loads every plugin of its
environment: pytest-html, allure-pytest, pytest-json-report and anyio come with pytest-clip's extra `test` alone and cost start-up that is
not ours, so both are told. The marks of a run are the seconds until its lines came through a pipe: the header (model, data, gates), the
line that a model is loaded, which is said before torch is imported, and the first line that says what remains; then the run is stopped.
Usage: python benchmarks/startup.py [REPEATS]
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shared import conditions, surroundings

PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
NOT_OURS = ("html", "html_fixtures", "metadata", "allure_pytest", "pytest_jsonreport", "anyio", "benchmark")
BARE = [f"-pno:{name}" for name in NOT_OURS]
LIST = ["--clip-model=scenes-rn", "--clip-list"]
RUN = ["--clip-model=scenes-rn", "--clip-suite=accuracy", "--clip-limit=64"]
MARKS = {"header": lambda line: line.startswith("clip: ") and "; model " in line, "loading": lambda line: line.startswith("clip: loading"),
         "estimate": lambda line: line.startswith("clip: ") and " left)" in line}  # fmt: skip
Spent = tuple[float, float]  # seconds of processor and of clock


def whole(command: list[str], folder: Path) -> Spent:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=surroundings(), capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _used(pid: int) -> float:
    """Processor seconds of a process that runs; NaN where the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def marks(folder: Path) -> dict[str, Spent]:
    """When each of MARKS was seen of a run with an empty cache. Processor seconds are those of the main process."""
    out: dict[str, Spent] = {}
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        command = [*PYTEST, *BARE, *RUN, f"--clip-cache-dir={cache}"]
        run = subprocess.Popen(command, cwd=folder, env=surroundings(), stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        for line in run.stdout:
            for name, seen in MARKS.items():
                if name not in out and seen(line):
                    out[name] = _used(run.pid), time.perf_counter() - began
            if len(out) == len(MARKS):
                break
        run.send_signal(signal.SIGINT)
        run.stdout.read()
        run.wait()
    return out


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    pass\n")
        commands: dict[str, list[str]] = {
            "pytest-clip --help": [sys.executable, "-m", "pytest_clip.cli.main", "--help"],
            "pytest --co, without pytest-clip": [*PYTEST, "--co", "-q", "-pno:clip"],
            "pytest --co, with it": [*PYTEST, "--co", "-q"],
            "pytest --co, no plugins of others": [*PYTEST, *BARE, "--co", "-q", "-pno:clip"],
            "--clip-list": [*PYTEST, *LIST],
            "--clip-list, no plugins of others": [*PYTEST, *BARE, *LIST],
        }
        acts: dict[str, Callable[[], Spent]] = {what: lambda command=command: whole(command, folder) for what, command in commands.items()}
        seen: dict[str, list[Spent]] = {what: [] for what in acts}
        for number in range(repeats + 1):  # the first one writes bytecode
            for what, act in acts.items():
                spent = act()
                if number:
                    seen[what].append(spent)
        for _ in range(repeats):
            for mark, spent in marks(folder).items():
                seen.setdefault(f"until the run's {mark}", []).append(spent)
    print(f"{'seconds, median of ' + str(repeats):40}{'processor':>10}{'clock':>10}")
    for what, spent in seen.items():
        print(f"{what:40}" + "".join(f"{statistics.median(column):10.3f}" for column in zip(*spent, strict=True)))
    pairs = zip(seen["pytest --co, with it"], seen["pytest --co, without pytest-clip"], strict=True)
    print(f"plugin start-up: {1000 * statistics.median(ours[0] - theirs[0] for ours, theirs in pairs):+.1f} ms of processor time")
    print(conditions())


if __name__ == "__main__":
    main()
