"""What `pytest-clip compare` says of gates whose images cannot be paired."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pytest_clip.cli import main as cli
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import names, store
from pytest_clip.runs.spool import Parcel


def save(home, name: str, *, error: float, right: int, better: str | None = "lower") -> None:
    correct = np.arange(100) < right
    rows = [
        {"gate": "own/error", "value": error, "better": better},
        {"gate": "own/right", "value": float(correct.mean()), "better": "higher"},
    ]
    rest = {"model": "m", "data": "d", "n": 100, "reason": None, "verdict": "pass", "conventions": {}}
    rows = [row | rest for row in rows]
    held = [Parcel(rows[0], None, {}), Parcel(rows[1], Outcomes("mean", {"correct": correct}), {})]
    record = {"schema": 1, "session": {"started": "2026-11-30"}, "models": [{"name": "m"}], "data": [{"name": "d"}], "gates": rows}
    store.write(home / names.HOME / name, record=record, asked={}, partial=[], parcels=held, replace=False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_loss_that_cannot_be_paired_is_unknown_and_no_success(home, capsys):
    save(home, "base", error=0.1, right=90)
    save(home, "next", error=0.5, right=90)
    assert cli.main(["compare", "base", "next"]) == 1
    _, first, line, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(
        "2 gates, 2 compared, 0 worse by more than chance explains, 1 worse by an unknown certainty: their images cannot"
    )
    assert line == "UNKNOWN own/error: 0.1000 -> 0.5000, drop 0.4000; no paired outcomes: judged on the values alone"
    assert rest == []
    assert cli.main(["compare", "base", "next", "--json"]) == 1
    assert {row["gate"]: row["worse"] for row in json.loads(capsys.readouterr().out)} == {"own/error": "unknown", "own/right": False}
    assert cli.main(["compare", "next", "base"]) == 0  # better is better, whatever its interval
    assert "unknown" not in capsys.readouterr().out


def test_the_surest_stand_first_and_the_unknown_before_what_may_be_chance(home, capsys):
    save(home, "base", error=0.1, right=90)
    save(home, "sure", error=0.5, right=40)
    save(home, "slight", error=0.5, right=89)
    assert cli.main(["compare", "base", "sure"]) == 1
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:] if "->" in line] == ["WORSE", "UNKNOWN"]
    assert cli.main(["compare", "base", "slight"]) == 1
    assert capsys.readouterr().out.splitlines()[2].startswith("UNKNOWN own/error: ")


def test_a_number_of_no_side_is_no_loss(home, capsys):
    save(home, "base", error=0.1, right=90, better=None)
    save(home, "next", error=0.5, right=90, better=None)
    assert cli.main(["compare", "base", "next"]) == 0
    assert "not compared: own/error: the test does not say which side is better" in capsys.readouterr().out
