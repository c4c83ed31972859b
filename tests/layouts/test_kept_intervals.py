"""A second run with the same answers makes no interval of the shipped suites again, and says the same; a project's own test is asked."""

import json
from pathlib import Path

import painted
import pytest

from pytest_clip.extract import found

OWN = """
from pathlib import Path
import numpy as np
from pytest_clip.metrics.outcomes import Outcomes

def test_own(gate):
    def interval():
        with Path("asked.txt").open("a") as out:
            out.write("asked ")
        return 0.1, 0.9

    outcomes = Outcomes("mean", {"right": np.array([0, 1])}, ("a", "b"))
    gate("own/number", 0.5, n=2, ci=interval, per_image=outcomes, better="higher")
"""


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for k in range(40):
        painted.save(tmp_path / "pets" / f"class {k % 4}" / f"{k}.png", k % 4 if k % 5 else (k + 1) % 4)
    return tmp_path / "pets"


@pytest.fixture
def run(project, pets, monkeypatch, tmp_path):
    """Rows by gate, and how many intervals were made."""
    project.makepyfile(test_own=OWN)
    whole, made = found.interval, []

    def counted(cache, gate, outcomes, make):
        return whole(cache, gate, outcomes, lambda: made.append(gate) or make())

    monkeypatch.setattr(found, "interval", counted)

    def measured(*options):
        made.clear()
        report = project.path / "report.json"
        project.runpytest_inprocess(
            "-p", "clip", "-p", "no:cacheprovider", "--clip-model=ViT-B-32", "--clip-suite=calibration", f"--clip-data={pets}",
            f"--clip-cache-dir={tmp_path / 'cache'}", "--clip-workers=1", f"--clip-report=json:{report}", "-o", "clip_unjudged=allow",
            "test_own.py", *options,
        )  # fmt: skip
        return {row["gate"]: row for row in json.loads(report.read_text())["gates"]}, len(made)

    return measured


def test_nothing_changed_means_no_interval_is_made_again(run, project):
    first, made = run()
    again, made_again = run()
    assert (made > 0, made_again) == (True, 0)
    assert {gate: row["ci"] for gate, row in first.items()} == {gate: row["ci"] for gate, row in again.items()}
    assert {gate for gate, row in first.items() if row["ci"]} >= {"calibration/ece[clean]", "calibration/temperature", "own/number"}
    assert (project.path / "asked.txt").read_text() == "asked asked "


def test_without_a_cache_every_run_makes_its_own(run):
    kept, _ = run()
    fresh, made = run("--clip-no-cache")
    assert made == 0  # nobody asks the cache
    assert fresh["calibration/ece[clean]"]["ci"] == kept["calibration/ece[clean]"]["ci"]
