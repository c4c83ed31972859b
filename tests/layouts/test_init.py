"""A first thresholds file from a run on own data: it can be read, its rules hold for the run they were made from, and break for worse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.cli import main as cli
from pytest_clip.gates import chance, first, margins
from pytest_clip.gates.toml_lines import tomllib


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes of thirty pictures, 50 of 60 right."""
    for i in range(60):
        painted.save(tmp_path / "my pets" / f"class {i % 2}" / f"{i}.png", i % 2 if i % 6 else 1 - i % 2)
    return tmp_path / "my pets"


def test_rules_of_a_first_run(pets: Path, measure: Callable, capsys: pytest.CaptureFixture[str]) -> None:
    rows, _ = measure(pets, suites="accuracy,checkpoint,calibration")
    assert rows["accuracy/top1[clean]"]["value"] == 50 / 60
    shutil.copy("report.json", "first.json")
    capsys.readouterr()
    assert cli.main(["init", str(pets), "--report", "first.json", "--out", "mine.toml"]) == 0
    told = capsys.readouterr().out
    assert "wrote mine.toml: " in told
    text = Path("mine.toml").read_text()
    rules = tomllib.loads(text)["data"]["my-pets"]["gates"]
    top1 = rows["accuracy/top1[clean]"]
    assert rules["accuracy/top1[clean]"]["min"] == margins.bound(top1["value"], top1["ci"], key="min", unit="share")
    assert rules["accuracy/top1[clean]"]["why"].startswith("measured 0.8333, 95 % interval 0.7")
    assert "max" in rules["calibration/ece[clean]"]
    assert "# Share of images whose highest-scoring class is the right one; chance is 1 / number of classes." in text
    assert "# calibration/temperature: measured" in text
    assert "neither more nor less is better" in text
    assert "# The shipped rules hold for any model" in text
    rows, _ = measure(pets, "--clip-thresholds=mine.toml", suites="accuracy,calibration")
    assert {rows[gate]["verdict"] for gate in rules} == {"pass"}
    for i in range(0, 60, 2):
        painted.save(pets / "class 0" / f"{i}.png", 1)
    rows, _ = measure(pets, "--clip-thresholds=mine.toml", suites="accuracy,calibration")
    assert rows["accuracy/top1[clean]"]["verdict"] == "fail"


def test_a_bound_that_guessing_keeps_is_no_rule() -> None:
    row = {
        "gate": "accuracy/top1[clean]", "suite": "accuracy", "metric": "top1", "slice": "clean", "model": "m", "data": "d", "value": 0.51,
        "ci": [0.505, 0.515], "n": 9000, "conventions": {"classes": 2}, "reason": None, "verdict": "unjudged",
    }  # fmt: skip
    assert "min = 0.5\n" not in first.text([row], models=[], today="2026-01-01")
    assert "# accuracy/top1[clean]: measured 0.5100, and its bound, 0.5, is kept by guessing (0.5); measure more images" in first.text(
        [row], models=[], today="2026-01-01"
    )
    assert first.ruled([row]) == set()
    assert first.ruled([row | {"conventions": {"classes": 3}}]) == {"accuracy/top1[clean]"}
    gone = {"gate": "ood/fpr95_id_positive[near]", "suite": "ood", "metric": "fpr95_id_positive", "value": 0.945, "ci": [0.94, 0.949]}
    assert first.ruled([row | gone | {"conventions": {}}]) == {"ood/fpr95_id_positive[near]"} - {
        gone["gate"] for _ in (0,) if chance.is_met_by_guessing(0.955, "max", "ood/fpr95_id_positive", {})
    }
    assert chance.is_met_by_guessing(0.95, "max", "ood/fpr95_id_positive", {})
    assert not chance.is_met_by_guessing(0.94, "max", "ood/fpr95_id_positive", {})
    assert not chance.is_met_by_guessing(0.0, "min", "calibration/ece", {})


def test_the_exit_status_says_whether_the_next_run_passes(
    pets: Path, measure: Callable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(pets, suites="accuracy,checkpoint")
    record = json.loads(Path("report.json").read_text())

    def status(name: str, verdict: str) -> tuple[int, str]:
        rows = [row | ({"verdict": verdict} if row["gate"] == name else {}) for row in record["gates"]]
        Path("changed.json").write_text(json.dumps(record | {"gates": rows}))
        capsys.readouterr()
        done = cli.main(["init", str(pets), "--report", "changed.json", "--out", "mine.toml", "--force"])
        return done, capsys.readouterr().err

    assert status("accuracy/top1[clean]", "fail")[0] == 0  # it has a rule now that it keeps
    done, told = status("checkpoint/alignment", "fail")
    assert done == 1
    assert "pytest-clip init: that run will fail, as this one did, at 1 gates with shipped rules: " in told
    Path("few.json").write_text(json.dumps(record | {"gates": [row | {"value": None, "verdict": "unjudged"} for row in record["gates"]]}))
    assert cli.main(["init", str(pets), "--report", "few.json", "--out", "mine.toml", "--force"]) == 1
    assert "no gate could become a rule, so that run will judge nothing" in capsys.readouterr().err


def test_what_init_refuses(pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(*args: str, status: int = 2) -> str:
        assert cli.main(["init", *args]) == status
        return capsys.readouterr().err

    assert "name a --model to be measured, the --report of a run" in refused(str(pets))
    (tmp_path / "thresholds.toml").write_text("schema = 1\n")
    assert "thresholds.toml is there already; pytest --clip-update=create adds what it lacks" in refused(str(pets), "--report", "x.json")
    (tmp_path / "thresholds.toml").unlink()
    assert "x.json: not the record of a run with gates" in refused(str(pets), "--report", "x.json")
    row = {"gate": "accuracy/top1[clean]", "data": "d", "value": 0.5, "n": 9, "verdict": "unjudged"}
    (tmp_path / "y.json").write_text(json.dumps({"gates": [row | {"model": each} for each in "ab"], "models": [], "data": []}))
    assert "y.json: holds 2 models (a, b); rules are made from one" in refused(str(pets), "--report", "y.json")
    assert "there is no folder" in refused(str(pets), "--report", "y.json", "--out", "nowhere/t.toml")
    shutil.rmtree(pets / "class 1")
    assert "refuse: --clip-data" in refused(str(pets), "--report", "y.json", status=1)
    assert not (tmp_path / "thresholds.toml").exists()


ROW = {"gate": "accuracy/top1[clean]", "model": "m", "data": "d", "value": 0.5, "n": 9, "verdict": "unjudged", "ci": [0.4, 0.6]}
PLANTED = 'x"]\n[gates."accuracy/top1"]\nmin = 0.0\n#'


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {"gates": {}, "models": [], "data": []},
        {"gates": [], "models": [], "data": []},
        {"gates": [ROW], "models": {}, "data": []},
        {"gates": [ROW], "models": [{}], "data": []},
        *({"gates": [ROW | row], "models": [], "data": []} for row in (
            {"gate": 7}, {"gate": "accuracy"}, {"gate": PLANTED}, {"data": PLANTED}, {"data": None}, {"data": "a\x00b"}, {"model": ["m"]},
            {"value": "0.5"}, {"value": True}, {"value": 10**400}, {"value": float("nan")}, {"n": None}, {"n": -1}, {"n": 0.5}, {"ci": 0.5},
            {"ci": [0.6, 0.4]}, {"ci": [0.1]}, {"ci": ["a", "b"]}, {"conventions": None}, {"conventions": {"step": "x"}},
            {"conventions": {"a": [10**400]}}, {"suite": "ood"},
            {"verdict": "green"}, {"reason": []}, {"role": {}},
        )),
    ],
)  # fmt: skip
def test_a_record_of_another_shape_is_one_sentence_and_no_file(
    record: object, pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.json").write_text(json.dumps(record))
    assert cli.main(["init", str(pets), "--report", "r.json"]) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("data my pets: warn: ")]
    assert len(told) == 1
    assert told[0].startswith("pytest-clip init: r.json: no")
    assert not Path("thresholds.toml").exists()


def test_a_file_that_must_not_be_written(
    pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.json").write_text(json.dumps({"gates": [ROW], "models": [], "data": []}))
    Path("thresholds.toml").write_text("schema = 1\n")
    Path("thresholds.toml").chmod(0o444)
    assert cli.main(["init", str(pets), "--report", "r.json", "--force"]) == 2
    assert "thresholds.toml cannot be written: it is write-protected (mode 0444); allow it with: chmod u+w" in capsys.readouterr().err
    assert Path("thresholds.toml").read_text() == "schema = 1\n"
    assert cli.main(["init", str(pets), "--report", "r.json", "--out", "."]) == 2
    assert "is a folder; name a file in it" in capsys.readouterr().err
