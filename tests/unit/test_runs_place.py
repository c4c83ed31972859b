"""Where a saved run lies: one run under its name at any moment, whoever is killed when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import numpy as np
import pytest

from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import names, place, store
from pytest_clip.runs.spool import Parcel

MIB = 2**20


def save(folder: Path, value: float, *, replace: bool = True, size: int = 4) -> None:
    row = {"gate": "own/a", "model": "m", "data": "d", "value": value, "n": size, "reason": None, "verdict": "pass", "conventions": {}}
    draw = np.random.default_rng(0).random(size)
    record = {"schema": 1, "session": {"started": "2026-11-30"}, "models": [{"name": "m"}], "data": [{"name": "d"}], "gates": [row]}
    outcomes = Outcomes(None, {"loss": draw}, tuple(map(str, range(size))))
    store.write(folder, record=record, asked={}, partial=[], parcels=[Parcel(row, outcomes, {})], replace=replace)


def value(folder: Path) -> float:
    [row] = store.read(folder).rows.values()
    return row["value"]


def hidden(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if path.name.startswith("."))


def cannot(one: Path, two: Path) -> bool:
    return False


@pytest.fixture(params=["exchange", "turns"])
def how(request, monkeypatch):
    if request.param == "turns":
        monkeypatch.setattr(place, "exchange", cannot)
    return request.param


@pytest.mark.skipif(sys.platform != "linux", reason="the one system that exchanges two names")
def test_two_folders_change_their_names_at_once(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"was {name}").touch()
    if not place.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot")
    assert [path.name for name in "ab" for path in (tmp_path / name).iterdir()] == ["was b", "was a"]
    assert not place.exchange(tmp_path / "a", tmp_path / "gone")


def test_a_run_takes_the_place_of_another_and_leaves_nothing(tmp_path, how):
    for number in (0.25, 0.5):
        save(tmp_path / "run", number)
        assert (value(tmp_path / "run"), hidden(tmp_path)) == (number, [])


@pytest.mark.parametrize("step", range(1, 5))
def test_a_save_that_dies_between_two_steps_loses_no_run(tmp_path, how, monkeypatch, step):
    """The process ends at once at its first, second, ... rename or exchange, before or after it; nothing is cleared up."""
    save(tmp_path / "run", 0.25)
    child = os.fork()
    if child == 0:
        calls = [0]

        def dying(real):
            def call(*args):
                calls[0] += 1
                if calls[0] == step:
                    os._exit(9)
                done = real(*args)
                calls[0] += 1
                if calls[0] == step:
                    os._exit(9)
                return done

            return call

        place.Path.rename = dying(Path.rename)
        if how == "exchange":
            place.exchange = dying(place.exchange)
        try:
            save(tmp_path / "run", 0.5)
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == (9 if step <= (2 if how == "exchange" else 4) else 0)
    assert names.existing("run", tmp_path / "run", rootpath=tmp_path, option="RUN") == tmp_path / "run"
    assert value(tmp_path / "run") in (0.25, 0.5)
    save(tmp_path / "run", 0.75)
    assert value(tmp_path / "run") == 0.75


def test_a_run_that_stands_aside_is_found_by_whoever_looks(tmp_path):
    home = tmp_path / names.HOME
    for look in (
        lambda: names.known(tmp_path),
        lambda: [names.existing("run", home / "run", rootpath=tmp_path, option="RUN").name],
        lambda: [store.read(home / "run").name],
    ):
        save(home / "run", 0.25)
        aside = home / f".run.abc{place.OLD}"
        aside.mkdir()
        (home / "run").rename(aside / place.HELD)
        assert look() == ["run"]
        assert (value(home / "run"), hidden(home)) == (0.25, [])


def test_leftovers_of_yesterday_go_and_no_last_copy_of_a_run(tmp_path):
    home = tmp_path / names.HOME
    save(home / "run", 0.25)
    before = time.time() - place.ABANDONED - 60
    for name in (
        f".run.a{place.PART}",
        f".run.b{place.OLD}",
        f".gone.c{place.PART}",
        f".last.d{place.OLD}",
        ".mine",
        f".run.e{place.PART}",
    ):
        (home / name / place.HELD).mkdir(parents=True)
        (home / name / place.HELD / names.MANIFEST).write_text("{}")
        os.utime(home / name, (before, before) if not name.startswith(".run.e") else None)
    (home / f".run.f{place.PART}").symlink_to(tmp_path)
    assert names.known(tmp_path) == ["last", "run"]  # what stood aside has its name again
    assert hidden(home) == [".mine", f".run.e{place.PART}", f".run.f{place.PART}"]
    assert value(home / "run") == 0.25


def test_a_folder_that_cannot_be_written_is_only_looked_at(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    save(tmp_path / names.HOME / "run", 0.25)
    aside = tmp_path / names.HOME / f".lost.x{place.OLD}"
    (aside / place.HELD).mkdir(parents=True)
    monkeypatch.setattr(place.Path, "rename", refuse)
    assert names.known(tmp_path) == ["run"]


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
import test_runs_place as t
if {turns}:
    t.place.exchange = t.cannot
print("ready", flush=True)
for number in range(1, 10**6):
    t.save(Path({folder!r}), number / 10**6, size=300)
"""


@pytest.mark.slow
@pytest.mark.parametrize("turns", [False, True])
def test_saves_that_are_killed_at_any_moment_lose_no_run(tmp_path, turns, capsys):
    """30 kills each. A reader beside them never finds a run that is neither the old nor the new one."""
    random, folder = Random(20261130 + turns), tmp_path / "run"
    save(folder, 0.0, size=300)
    recovered, last = 0, 0.0
    for _ in range(30):
        code = KILLED.format(here=str(Path(__file__).parent), turns=turns, folder=str(folder))
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        until = time.monotonic() + random.uniform(0, 0.4)
        while time.monotonic() < until:
            assert 0 <= value(folder) < 1
        child.send_signal(signal.SIGKILL)
        child.communicate()
        recovered += not folder.exists()
        assert value(folder) >= 0
        last = value(folder)
    left = hidden(tmp_path)
    for name in left:
        os.utime(tmp_path / name, (0, 0))
    save(folder, 0.5)
    assert hidden(tmp_path) == []
    with capsys.disabled():
        print(
            f"\n30 kills by {'turns' if turns else 'exchange'}: 0 runs lost, {recovered} put back, {len(left)} leftovers swept; "
            f"saved {last * 10**6:.0f} times by the last"
        )
