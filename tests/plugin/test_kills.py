"""Runs that are killed while they write: what lay there is the old or the new, whole, and the next run notices nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from kill_server import PAUSE

from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.runs import store
from pytest_clip.session.updating import CI_VARIABLES

HERE = Path(__file__).parent
SEED = 20261130
BETWEEN = 10
"""Kills in a row before a run is left alone."""
RULES = """
schema = 1
# ours
[gates."accuracy/top1"]
min = 0.95
[gates."ood/auroc"]
min = 0.8
"""
OWN = """
import numpy as np
import pytest
from pytest_clip.metrics.outcomes import Outcomes

@pytest.mark.clip_gate("own/right")
def test_right(gate, clip_model, clip_data):
    right = np.arange(20000) >= 5
    gate("own/right", right.mean(), n=20000, better="higher", per_image=Outcomes("mean", {"correct": right}, tuple(map(str, range(20000)))))
"""


class Killer:
    """A project and the process that runs pytest in it."""

    def __init__(self, path: Path, *args: str) -> None:
        self.path = path
        self.args = ["-p", "clip", "-p", "no:cacheprovider", "--clip-model=stub", *args]
        self.server = subprocess.Popen(
            [sys.executable, str(HERE / "kill_server.py")], cwd=path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, sign: str = "end", at: int | None = None, delay: float = 0.0) -> dict[str, float]:
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps({"args": self.args, "sign": sign, "at": at, "delay": delay}) + "\n")
        self.server.stdin.flush()
        found: dict[str, float] = json.loads(self.server.stdout.readline())
        assert found["signs"], self.log
        return found

    def alone(self, sign: str = "end", *, fine: int) -> dict[str, float]:
        """A run that nobody kills."""
        found = self.run(sign)
        assert found["status"] == fine, self.log
        return found

    @property
    def log(self) -> str:
        return (self.path / "run.log").read_text("utf-8")

    def kills(self, count, seed, *, before, look, fine):
        """Kill `count` runs, each after `before()`; how often `look()`, which judges what is there, said what.

        Half of them die at a random moment after their last test, half at a random step of the writing that they are at.
        """
        random, seen, hits = Random(SEED + seed), Counter(), 0
        before()
        span = self.alone(fine=fine)["after"]
        assert look() == "new"
        before()
        steps = self.alone("write", fine=fine)["signs"]
        assert look() == "new"
        for number in range(count):
            before()
            if number % 2:
                found = self.run("end", 1, random.uniform(0, span))
            else:
                found = self.run("write", random.randint(1, steps), random.uniform(0, PAUSE))
            assert found["status"] in (-9, fine)
            hits += found["status"] == -9
            seen[look()] += 1
            if number % BETWEEN == BETWEEN - 1 or number == count - 1:
                before()
                self.alone(fine=fine)
                assert look() == "new"
        assert hits >= count // 2  # the others had ended
        return f"{count} kills ({hits} met a run, half at one of {steps} steps of writing): {dict(seen)}"

    def close(self) -> None:
        self.server.stdin.close()
        self.server.wait(60)
        self.server.stdout.close()


@pytest.fixture
def killer(world, monkeypatch):
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    started = []

    def start(*args: str) -> Killer:
        started.append(Killer(world.pytester.path, *args))
        return started[-1]

    yield start
    for each in started:
        each.close()


def hidden(folder: Path, name: str) -> list[Path]:
    """What killed writers of the file left beside it."""
    return [each for each in folder.iterdir() if each.name.startswith(f".{name}.")]


counts = pytest.mark.parametrize("count", [2, pytest.param(50, marks=pytest.mark.slow)])


@counts
def test_thresholds_are_the_old_or_the_new_after_a_killed_update(world, killer, capsys, count):
    path = world.pytester.path / "thresholds.toml"
    new = None

    def look() -> str:
        nonlocal new
        text = re.sub(r"on \d{4}-\d\d-\d\d", "on DAY", path.read_bytes().decode("utf-8"))
        tomllib.loads(text)
        if text == RULES:
            return "old"
        new = new or text  # of the first run, which was left alone
        assert text == new
        return "new"

    run = killer("--clip-update=create,fix")
    told = run.kills(count, 1, before=lambda: world.project(RULES), look=look, fine=1)
    assert new.startswith(RULES.partition("min")[0])
    assert new.count("[") > RULES.count("[")
    left = len(hidden(path.parent, path.name))
    with capsys.disabled():
        print(f"\nupdate: {told}, {left} temporary files left")


@counts
def test_a_report_is_the_old_or_the_new_after_a_killed_run(world, killer, capsys, count):
    path = world.pytester.path / "r.json"
    old = json.dumps({"old": list(range(5000))})

    def look() -> str:
        text = path.read_bytes().decode("utf-8")
        document = json.loads(text)
        if text == old:
            return "old"
        assert [document["schema"] > 0, len(document["gates"]), document["session"]["exit_status"]] == [True, 5, 0]
        return "new"

    world.project('schema = 1\n[gates."accuracy/top1"]\nmin = 0.5\n')
    told = killer("--clip-report=json:r.json").kills(count, 2, before=lambda: path.write_text(old), look=look, fine=0)
    left = len(hidden(path.parent, path.name))
    with capsys.disabled():
        print(f"\nreport: {told}, {left} temporary files left")


@counts
@pytest.mark.parametrize("replace", [False, True])
def test_a_baseline_is_there_whole_or_not_at_all_after_a_killed_save(world, killer, capsys, count, replace):
    """A run that is replaced is the old or the new one; the name of a new one is free or taken. As in tests/unit/test_runs_place.py, whose
    kills go into the writing alone; these go into whole runs."""
    import shutil

    world.pytester.makepyfile(test_own=OWN)
    world.project("schema = 1\n[gates.'own/right']\nmin = 0.5\n")
    folder = world.pytester.path / ".clip/runs/base"
    last = None

    def started() -> str:
        run = store.read(folder)
        assert len(run.record["gates"]) == 1
        return (folder / "manifest.json").read_text()

    def before() -> None:
        nonlocal last
        if replace:
            last = started() if folder.exists() else None
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def look() -> str:
        from pytest_clip.runs import place

        place.recover(folder)
        if not folder.exists():
            assert not replace
            return "old"
        return "old" if started() == last else "new"

    options = ["--clip-save=base", *(["--clip-save-replace"] if replace else [])]
    told = killer("test_own.py", *options).kills(count, 3 + replace, before=before, look=look, fine=0)
    left = sum(each.name.startswith(".") for each in folder.parent.iterdir())
    with capsys.disabled():
        print(f"\nsave{' and replace' if replace else ''}: {told}, {left} leftovers, swept after a day")
