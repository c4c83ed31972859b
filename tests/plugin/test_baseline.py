"""Saved runs and baselines: what is kept, what is refused and when, and what a drop makes of a gate."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

# Inner runs in this process forget the modules they import; numpy can be imported only once.
import pytest_clip.plugin.saving
import pytest_clip.session.regressions  # noqa: F401
from pytest_clip.cli import main as cli
from pytest_clip.session import load

OWN = """
import os
import numpy as np
import pytest
from pytest_clip.metrics.outcomes import Outcomes

WRONG = {"stub": 5, "slight": 7, "mean": 13, "worse": 35}
IDS = tuple(f"i{k}" for k in range(100))

@pytest.mark.clip_gate("own/right")
def test_right(gate, clip_model, clip_data):
    right = np.arange(100) >= WRONG[clip_model.label]
    gate("own/right", right.mean(), n=100, better="higher", conventions={"tau": os.environ.get("TAU", "1")},
         per_image=Outcomes("mean", {"correct": right}, IDS))

@pytest.mark.clip_gate("own/loss")
def test_loss(gate, clip_model, clip_data):
    loss = np.linspace(0, 1, 100) + WRONG[clip_model.label] / 100
    gate("own/loss", loss.mean(), n=100, better="lower", per_image={"loss": loss})
"""
RULES = "schema = 1\n[gates.'own/right']\nmax_drop = 0.02\n"


@pytest.fixture
def project(world):
    world.pytester.makepyfile(test_own=OWN)
    world.project(RULES)

    def run(model: str = "stub", *args: str) -> pytest.RunResult:
        return world.run(f"--clip-model={model}", "test_own.py", "--clip-report=json:r.json", *args)

    run.world, run.path = world, world.pytester.path
    run.rows = lambda: {(row["gate"], row["model"]): row for row in json.loads((run.path / "r.json").read_text())["gates"]}
    return run


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("shelf") / "runs"


@pytest.fixture
def saved(project, shelf):
    """A project with the run `base` of the model `stub`, measured once for all tests, and the run `worse` of that model."""
    if not shelf.exists():
        for name, model in (("base", "stub"), ("worse", "worse")):
            result = project(model, f"--clip-save={name}")
            assert result.ret == 0
            result.stdout.fnmatch_lines([f"saved run .clip/runs/{name} (*MB)"])
        (project.world.home / "loads.txt").unlink()
        shutil.copytree(project.path / ".clip/runs", shelf)
    else:
        shutil.copytree(shelf, project.path / ".clip/runs")
    return project


# Verdicts


def test_a_regression_fails_its_gate_and_says_how_sure_it_is(saved):
    result = saved("worse", "--clip-baseline=base")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "own/right: drop 0.3000 > max_drop 0.0200 (exact McNemar, 30 worse and 0 better of 100, 95 % sure of at least 0.2248, "
            "p = 9.3e-10; drop_test observed) against run base (0.9500); value 0.6500 (n = 100)",
            "  rule         max_drop 0.02 (thresholds.toml:3)",
            "  flips        30 of 95 that were right are wrong: i5, i6, i7, i8, i9 and 25 more",
            "  rerun        pytest --clip-model=worse --clip-baseline=base *",
        ]
    )
    result.stdout.fnmatch_lines(["FAILED own/right: drop*", "against run base: 2 gates: 1 regressed, 1 without a max_drop"])
    result.stdout.fnmatch_lines(["REGRESSED own/right 0.9500 -> 0.6500", "WORSE without a max_drop: own/loss 0.5500 -> 0.8500"])
    row = saved.rows()["own/right", "worse"]
    assert row["verdict"] == "fail"
    held = {key: row["baseline"][key] for key in ("run", "value", "method", "status", "allowed", "worse", "better")}
    assert held == {
        "run": "run base", "value": 0.95, "method": "exact McNemar", "status": "fail", "allowed": 0.02, "worse": 30, "better": 0,
    }  # fmt: skip
    assert row["baseline"]["drop"] == pytest.approx(0.3)
    assert row["baseline"]["ci"] == pytest.approx([0.2248, 0.3844], abs=1e-4)
    assert row["baseline"]["p"] == pytest.approx(2**-30)
    assert row["flips"]["ids"] == [f"i{k}" for k in range(5, 35)]


def test_junit_has_the_baseline_of_a_gate(saved):
    saved("worse", "--clip-baseline=base", "--junitxml=j.xml")
    text = (saved.path / "j.xml").read_text()
    for name, value in (("run", "run base"), ("value", "0.95"), ("status", "fail"), ("method", "exact McNemar")):
        assert f'<property name="clip.baseline.{name}" value="{value}"' in text
    assert '<property name="clip.flips" value="30"' in text


def test_the_same_model_is_clean_against_itself(saved):
    result = saved("stub", "--clip-baseline=base")
    result.assert_outcomes(passed=2)
    rows = saved.rows()
    assert rows["own/right", "stub"]["verdict"] == "pass"
    assert {row["baseline"]["drop"] for row in rows.values()} == {0.0}
    result.stdout.fnmatch_lines(["against run base: 2 gates: 1 held, 1 without a max_drop"])


def test_a_drop_that_may_be_chance_is_insufficient_and_says_how_many_images_would_tell(saved):
    saved.world.project(RULES + "[gates.'own/loss']\nmax = 1\n")
    saved.world.pytester.makepyfile(
        test_own=OWN.replace(
            "right = np.arange(100) >= WRONG[clip_model.label]",
            "right = np.isin(np.arange(100), (0, 9, 10, 11), invert=True) if clip_model.label == 'mean' else np.arange(100) > 0",
        )
    )
    saved("stub", "--clip-save=other")
    result = saved("mean", "--clip-baseline=other")
    result.assert_outcomes(passed=1, failed=1)
    told = (
        "INSUFFICIENT own/right: insufficient: drop 0.0300 > max_drop 0.0200, but it may be chance: +-*; about * images would settle it *"
    )
    result.stdout.fnmatch_lines([told])
    row = saved.rows()["own/right", "mean"]
    assert (row["verdict"], row["baseline"]["worse"], row["baseline"]["better"]) == ("insufficient", 3, 0)
    assert row["baseline"]["half_width"] > 0
    assert row["baseline"]["needed_n"] > 100


def test_without_a_max_drop_the_change_is_told_and_not_judged(saved):
    saved.world.project("schema = 1\n[gates.'own/loss']\nmax = 0.1\n")
    result = saved("worse", "--clip-baseline=base")
    result.assert_outcomes(passed=1, failed=1)
    change = "  baseline     worse by 0.3000 against run base (0.5500) (*); no max_drop, so not judged"
    result.stdout.fnmatch_lines(["own/loss: 0.8500 > max 0.1000 *", change])
    row = saved.rows()["own/right", "worse"]
    assert (row["verdict"], row["baseline"]["status"], row["flips"]) == ("unjudged", None, None)


def test_without_a_baseline_max_drop_is_a_note(project):
    project.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.02\nmin = 0.99\n")
    result = project()
    result.stdout.fnmatch_lines(["own/right: 0.9500 < min 0.9900 (n = 100)", "  note         max_drop 0.02 not judged: no baseline"])


def test_shipped_max_drop_rules_speak_only_against_a_baseline(saved):
    saved.world.defaults("schema = 1\n[gates.'own/right']\nmax_drop = 0.02\n")
    saved.world.project("schema = 1\n")
    saved("worse")
    assert saved.rows()["own/right", "worse"]["rule"] is None
    saved("worse", "--clip-baseline=base").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(("drop", "verdict"), [('"50%"', "pass"), ('"30%"', "fail"), ("0.35", "pass"), ("0.25", "fail")])
def test_max_drop_is_absolute_or_a_share_of_the_baseline(saved, drop, verdict):
    saved.world.project(f"schema = 1\n[gates.'own/right']\nmax_drop = {drop}\n")
    result = saved("worse", "--clip-baseline=base")
    assert saved.rows()["own/right", "worse"]["verdict"] == verdict
    if drop == '"30%"':
        result.stdout.fnmatch_lines(
            ["own/right: drop 0.3000 > max_drop 0.2850 (*), 30% of the baseline's 0.9500 against run base (0.9500); *"]
        )


def test_a_broken_bound_stays_the_headline_and_the_drop_is_told_too(saved):
    saved.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.02\nmin = 0.9\n")
    result = saved("worse", "--clip-baseline=base")
    result.stdout.fnmatch_lines(["own/right: 0.6500 < min 0.9000 (n = 100)", "  baseline     drop 0.3000 > max_drop 0.0200 *"])


def test_lower_is_better_where_the_test_says_so(saved):
    saved.world.project("schema = 1\n[gates.'own/loss']\nmax_drop = 0.02\n")
    result = saved("worse", "--clip-baseline=base")
    result.stdout.fnmatch_lines(
        ["own/loss: drop 0.3000 > max_drop 0.0200 (paired bootstrap, n = 100*) against run base (0.5500); value 0.8500 *"]
    )


def test_a_gate_whose_good_side_nobody_named_cannot_be_judged(saved):
    saved.world.pytester.makepyfile(test_own=OWN.replace('better="higher", ', ""))
    result = saved("worse", "--clip-baseline=base")
    assert saved.rows()["own/right", "worse"]["verdict"] == "insufficient"
    result.stdout.fnmatch_lines(
        ["own/right: not compared with run base: the test does not say which side is better: gate(..., better='higher')*"]
    )


def test_max_drop_of_a_metric_without_a_good_side_is_a_usage_error(world):
    world.project("schema = 1\n[gates.'checkpoint/logit_scale']\nmax_drop = 0.02\n")
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: thresholds.toml:3: max_drop cannot judge checkpoint/logit_scale: neither more nor less of it is better; *"]
    )


def test_a_gate_that_the_baseline_lacks_is_insufficient_for_the_project_and_a_note_for_a_shipped_rule(saved):
    saved.world.pytester.makepyfile(test_own=OWN.replace("own/right", "own/other"))
    saved.world.project(RULES.replace("own/right", "own/other"))
    saved("stub", "--clip-baseline=base").assert_outcomes(passed=1, failed=1)
    row = saved.rows()["own/other", "stub"]
    assert row["verdict"] == "insufficient"
    assert row["message"].startswith("own/other: not compared with run base: it has not measured this gate; value 0.9500")
    saved.world.defaults(RULES.replace("own/right", "own/other"))
    saved.world.project("schema = 1")
    saved("stub", "--clip-baseline=base").assert_outcomes(passed=2)
    assert saved.rows()["own/other", "stub"]["verdict"] == "unjudged"


# Refusals


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--clip-limit=9"], "it was measured with --clip-limit left out, this run has 9; measure both alike"),
        (["--clip-precision=bf16"], "it was measured with --clip-precision fp32, this run has bf16; measure both alike"),
        (["--clip-prompts=simple"], "it was measured with --clip-prompts left out, this run has simple; measure both alike"),
        (
            ["--clip-prompts=ours.txt"],
            "it was measured with --clip-prompts left out, this run has 2 templates of a file, the first 'our {c}'; measure both alike",
        ),
        (["--clip-data=photos"], "it was measured on scenes, this run is on photos; measure both on the same data"),
    ],
)
def test_a_baseline_asked_for_other_things_is_refused_before_a_model_loads(saved, args, told):
    (saved.path / "ours.txt").write_text("our {c}\nmy {c}\n")
    result = saved("worse", "--clip-baseline=base", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: the baseline base (*runs/base) cannot be compared with this run: {told}"])
    assert saved.world.loads == []


def test_other_pictures_are_one_error_before_a_model_loads(saved, monkeypatch):
    monkeypatch.setattr(load, "load_data", lambda run, choice: SimpleNamespace(name=choice.label, fingerprint="e" * 16))
    result = saved("worse", "--clip-baseline=base")
    result.assert_outcomes(errors=1)
    told = f"*the data set scenes had the fingerprint {'d' * 16} there and has {'e' * 16} now: pictures, ids or labels have changed; *"
    result.stdout.fnmatch_lines([told, "!* the baseline cannot be compared with this run, so none of its gates is measured *"])
    assert saved.world.loads == []


def test_other_conventions_fail_the_gate_and_name_both(saved, monkeypatch):
    monkeypatch.setenv("TAU", "2")
    result = saved("stub", "--clip-baseline=base")
    told = "own/right: not compared with run base: other conventions (tau: 1 in the baseline, 2 now); measure both alike; value 0.9500 *"
    result.stdout.fnmatch_lines([told])
    assert saved.rows()["own/right", "stub"]["verdict"] == "fail"


def test_the_precision_of_a_model_of_ones_own_is_a_convention(saved):
    saved.world.conftest(
        """
        made = pytest_clip_make_model
        def pytest_clip_make_model(spec, config):
            model = made(spec, config)
            model.precision = "bf16"
            return model
        """
    )
    result = saved("stub", "--clip-baseline=base")
    result.stdout.fnmatch_lines(["own/right: not compared with run base: other conventions (precision: fp32 in the baseline, bf16 now); *"])


def test_other_images_fail_the_gate(saved):
    saved.world.pytester.makepyfile(test_own=OWN.replace('f"i{k}"', 'f"j{k}"'))
    result = saved("stub", "--clip-baseline=base")
    result.stdout.fnmatch_lines(
        ["own/right: not compared with run base: not the same samples: 100 and 100, 100 of these unknown to those, *"]
    )
    assert saved.rows()["own/right", "stub"]["verdict"] == "fail"


# Saving


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (
            ["--clip-save=base"],
            "--clip-save: there is a saved run 'base' already, *; choose another name, or replace it with --clip-save-replace",
        ),
        (["--clip-save=./folder"], "--clip-save: *folder exists and is no saved run; choose another name or path"),
        (
            ["--clip-save=test_own.py/x"],
            "--clip-save: cannot write *test_own.py/x: *test_own.py is not a writable folder; choose another place",
        ),
        (["--clip-save-replace"], "--clip-save-replace says how to save; add --clip-save=NAME"),
        (["--clip-baseline=bse"], "--clip-baseline: no run 'bse'; did you mean 'base'?; there is base, worse"),
        (["--clip-baseline=./bse"], "--clip-baseline: no run at *bse; save one with --clip-save=./bse"),
        (
            ["--clip-baseline=./folder"],
            "--clip-baseline: *folder is no saved run: it has no manifest.json; runs are saved with --clip-save=NAME",
        ),
        (["-o", "clip_baseline=bse"], "clip_baseline of the ini file: no run 'bse'; did you mean 'base'?; there is base, worse"),
        (
            ["--clip-baseline=base", "--clip-baseline-model=stub"],
            "--clip-baseline and --clip-baseline-model both name a baseline; give one of them",
        ),
    ],
)
def test_what_cannot_be_saved_or_read_is_said_before_a_model_loads(saved, args, told):
    (saved.path / "folder").mkdir()
    result = saved("stub", *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {told}"])
    assert saved.world.loads == []


@pytest.mark.parametrize("option", ["--clip-save=", "--clip-save=a b", "--clip-baseline=-x", "--clip-baseline-model="])
def test_names_are_checked_by_the_parser(world, option):
    result = world.clip(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*: error: argument {option.partition('=')[0]}: *"])


def test_a_run_is_replaced_when_asked_and_kept_when_the_new_one_measured_nothing(saved):
    manifest = saved.path / ".clip/runs/base/manifest.json"
    before = manifest.read_bytes()
    result = saved("stub", "--clip-save=base", "--clip-save-replace", "-k", "nothing")
    result.stdout.fnmatch_lines(["--clip-save: base was not saved, because the run did not come to its end"])
    assert manifest.read_bytes() == before
    result = saved("worse", "--clip-save=base", "--clip-save-replace", "--clip-limit=50")
    result.stdout.fnmatch_lines(["replaced run .clip/runs/base (*), partial: --clip-limit=50"])
    assert json.loads(manifest.read_bytes())["models"][0]["name"] == "worse"
    assert sorted(each.name for each in (saved.path / ".clip/runs").iterdir()) == ["base", "worse"]


def test_a_run_without_gates_is_not_saved(project):
    project.world.pytester.makepyfile(test_own="def test_a(clip_model): pass")
    project.world.project("schema = 1")
    result = project("stub", "--clip-save=base")
    result.stdout.fnmatch_lines(["--clip-save: base was not saved: no gate was measured"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not (project.path / ".clip").exists()


def test_a_path_saves_anywhere_and_the_ini_key_reads_relative_to_the_ini_file(project):
    project("stub", "--clip-save=./deep/er/run").stdout.fnmatch_lines(["saved run deep/er/run (*)"])
    project.world.pytester.makeini("[pytest]\nclip_baseline = deep/er/run")
    project("worse").assert_outcomes(passed=1, failed=1)
    assert project.rows()["own/right", "worse"]["baseline"]["run"] == "run run"


def test_a_failing_run_is_saved_too(project):
    project.world.project("schema = 1\n[gates.'own/right']\nmin = 0.99\n")
    project("stub", "--clip-save=base").assert_outcomes(passed=1, failed=1)
    assert (project.path / ".clip/runs/base/manifest.json").is_file()


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (
            lambda run: (run / "outcomes.npz").write_bytes(b"x"),
            "* is damaged: outcomes.npz has 1 bytes where * were written than its manifest*",
        ),
        (lambda run: (run / "record.json").unlink(), "* is damaged: record.json: No such file or directory; save it again"),
        (lambda run: (run / "manifest.json").write_text("{"), "*manifest.json cannot be read (*); save the run again"),
        (lambda run: (run / "manifest.json").write_text("[]"), "* is no saved run: its manifest.json belongs to something else; *"),
        (
            lambda run: (run / "manifest.json").write_text('{"format": "pytest-clip run", "version": 9, "pytest-clip": "7.0"}'),
            "* is a saved run of format 9, written by pytest-clip 7.0; this version reads format 1: save the run again",
        ),
        (
            lambda run: (run / "manifest.json").write_text('{"format": "pytest-clip run", "version": 1, "files": {}}'),
            "* is damaged: in its manifest.json it lacks 'saved'; save it again",
        ),
    ],
)
def test_a_damaged_run_is_one_clear_error(saved, break_it, told):
    break_it(saved.path / ".clip/runs/base")
    result = saved("stub", "--clip-baseline=base")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --clip-baseline: {told}"])


def test_a_run_that_was_never_finished_is_not_listed(saved, capsys, monkeypatch):
    (saved.path / ".clip/runs/.half.x1").mkdir()
    (saved.path / ".clip/runs/empty").mkdir()
    monkeypatch.chdir(saved.path)
    assert cli.main(["runs"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["base", "worse"]


# Several models


def test_a_run_of_several_models_answers_by_name(project):
    project("stub", "--clip-model=slight", "--clip-save=both")
    project("slight", "--clip-baseline=both")
    assert project.rows()["own/right", "slight"]["baseline"]["value"] == 0.93
    result = project("worse", "--clip-baseline=both")
    told = (
        "*cannot be compared with this run: it holds 2 models (slight, stub) and none is called worse; save a run of the one that is meant"
    )
    result.stderr.fnmatch_lines([told])


def test_a_baseline_model_is_measured_first_and_not_judged(project):
    project.world.project(RULES + "min = 0.99\n")
    result = project("slight", "--clip-model=worse", "--clip-baseline-model=stub", "-v", "--clip-save=all")
    result.assert_outcomes(passed=4, failed=2)
    assert project.world.loads == ["stub", "slight", "worse"]
    result.stdout.fnmatch_lines(["*::test_right[[]base-stub-scenes] PASSED*", "*::test_right[[]slight-*", "*::test_right[[]worse-*"])
    result.stdout.fnmatch_lines(["clip: *; model slight, worse; *; baseline model base-stub"])
    result.stdout.fnmatch_lines(["baseline base-stub: 2 gates measured, not judged", "against model base-stub: 4 gates: *"])
    rows = project.rows()
    base = rows["own/right", "base-stub"]
    assert (base["verdict"], base["role"], base["baseline"]) == ("unjudged", "baseline", None)
    assert base["message"] == "own/right: 0.9500 (n = 100): measured as the baseline, not judged"
    assert rows["own/right", "worse"]["baseline"]["status"] == "fail"
    # The saved run is about the models under test.
    project("worse", "--clip-baseline=all")
    assert project.rows()["own/right", "worse"]["baseline"]["value"] == 0.65


def test_a_model_against_itself_in_one_run(project):
    project("stub", "--clip-baseline-model=stub").assert_outcomes(passed=4)
    assert project.rows()["own/right", "stub"]["baseline"]["drop"] == 0.0


def test_a_skipped_gate_of_the_baseline_model_is_no_failure(project):
    skip = 'def test_right(gate, clip_model, clip_data):\n    if clip_model.label == "stub": pytest.skip("cannot")'
    project.world.pytester.makepyfile(test_own=OWN.replace("def test_right(gate, clip_model, clip_data):", skip))
    project("worse", "--clip-baseline-model=stub").assert_outcomes(skipped=1, passed=2, failed=1)
    assert project.rows()["own/right", "worse"]["verdict"] == "insufficient"


def test_a_project_that_replaces_clip_model_cannot_have_a_baseline_model(project):
    project.world.conftest(
        """
        import pytest
        from types import SimpleNamespace
        @pytest.fixture(scope="session")
        def clip_model():
            return SimpleNamespace(label="stub", fingerprint="f", precision="fp32", device="cpu")
        """
    )
    result = project("stub", "--clip-baseline-model=stub")
    result.stdout.fnmatch_lines(
        ["--clip-baseline-model cannot be measured: conftest.py puts its own clip_model in the place of every model; *"]
    )


def test_family_wise_holds_every_gate_to_its_share(saved):
    saved.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.0\n[gates.'own/loss']\nmax_drop = 0.5\n")
    saved.world.pytester.makepyfile(test_own=OWN.replace('"slight": 7', '"slight": 10'))  # 5 worse: p = 1/32
    saved("slight", "--clip-baseline=base")
    assert saved.rows()["own/right", "slight"]["verdict"] == "fail"
    result = saved("slight", "--clip-baseline=base", "-o", "clip_family_wise=true")
    row = saved.rows()["own/right", "slight"]
    assert (row["verdict"], row["baseline"]["alpha"]) == ("insufficient", 0.025)
    assert row["baseline"]["p_holm"] == pytest.approx(1 / 32)  # the other gate has the smaller p, and passes
    result.stdout.fnmatch_lines(["regressions: 2 gates share an error rate of 5 %, each is held to p <= 0.025; 2 were compared"])
    result.stdout.fnmatch_lines(["WARNING by Holm's procedure over all of them these regressed, too: own/right on slight, scenes"])


def test_drop_test_of_the_project_and_of_a_rule(saved):
    """2 of 100 are worse: within 0.03, up to 0.0645 not excluded. 8 are: beyond 0.03, at least 0.0377."""
    saved.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.06\n")
    ini = ("-o", "clip_drop_test=safe")
    saved("slight", "--clip-baseline=base", *ini)
    row = saved.rows()["own/right", "slight"]
    assert (row["verdict"], row["baseline"]["status"], row["baseline"]["test"]) == ("insufficient", "insufficient", "safe")
    saved.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.06\ndrop_test = 'observed'\n")
    saved("slight", "--clip-baseline=base", *ini)
    row = saved.rows()["own/right", "slight"]
    assert (row["verdict"], row["baseline"]["test"], row["rule"]["drop_test"]) == ("pass", "observed", "observed")
    saved.world.project("schema = 1\n[gates.'own/right']\nmax_drop = 0.06\ndrop_test = 'sure'\n")
    saved("mean", "--clip-baseline=base")
    row = saved.rows()["own/right", "mean"]
    assert (row["verdict"], row["baseline"]["drop"], row["baseline"]["test"]) == ("pass", pytest.approx(0.08), "sure")
    assert "drop_test sure)" in row["message"]
    saved("worse", "--clip-baseline=base")
    assert saved.rows()["own/right", "worse"]["verdict"] == "fail"


def test_an_unknown_drop_test_is_a_usage_error(project):
    result = project("stub", "-o", "clip_drop_test=certain")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*clip_drop_test: 'certain' is not one of observed, sure, safe"])


# Workers


def stored(run):
    """All that a saved run says, without times and paths."""
    record = json.loads((run / "record.json").read_text())
    index = json.loads((run / "outcomes.json").read_text())
    with np.load(run / "outcomes.npz", allow_pickle=False) as arrays:
        return record["gates"], record["models"], record["data"], index, {name: arrays[name].tolist() for name in arrays}


def test_a_run_is_saved_and_judged_alike_with_workers(project):
    """The suites are slow on the baseline: a worker that takes a model's gates first finds nothing to hold them against."""
    suite = "import time, pytest\n@pytest.mark.clip_gate('{0}')\ndef test_it(gate, clip_case, clip_model):\n"
    suite += "    time.sleep(1.5 if clip_model.label == 'stub' else 0)\n    gate(clip_case.gate, 0.9, n=9)\n"
    project.world.suites(test_accuracy=suite.format("accuracy/top5"), test_ood=suite.format("ood/auroc"))
    project.world.project(RULES + "[gates.'accuracy/top5']\nmax_drop = 0.02\n[gates.'ood/auroc']\nmax_drop = 0.02\n")
    runs, rows = [], []
    for number in ("0", "2"):
        args = ("-p", "xdist", "-n", number, "test_own.py", "--clip-suite=all", "--clip-baseline-model=stub", f"--clip-save=n{number}")
        result = project.world.run_process("--clip-model=worse", "--clip-report=json:r.json", *args)
        result.assert_outcomes(passed=9, failed=1)
        runs.append(stored(project.path / ".clip/runs" / f"n{number}"))
        rows.append(project.rows())
    assert runs[0] == runs[1]
    assert rows[0] == rows[1]
    assert rows[0]["own/right", "worse"]["flips"]["worse"] == 30
    assert rows[0]["ood/auroc[near]", "worse"]["baseline"]["drop"] == 0.0


@pytest.mark.parametrize("dist", ["load", "worksteal"])
def test_a_baseline_model_must_stay_with_its_models(project, dist):
    result = project("worse", "--clip-baseline-model=stub", "-p", "xdist", "-n", "1", f"--dist={dist}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = f"ERROR: --clip-baseline-model is measured before the models on the same worker; use --dist=loadfile, not {dist}"
    result.stderr.fnmatch_lines([told])


# The console script


@pytest.fixture
def two(saved, monkeypatch):
    saved("worse", "--clip-save=later", "--clip-limit=100").stdout.fnmatch_lines(
        ["saved run .clip/runs/later (*), partial: --clip-limit=100"]
    )
    monkeypatch.chdir(saved.path)
    return saved


def test_runs_are_listed_and_shown(two, capsys):
    assert cli.main(["runs"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["base", "later", "worse"]
    assert "stub 00000000000001be; on scenes; 2 unjudged" in told[0]
    assert told[1].endswith("partial: --clip-limit=100")
    assert cli.main(["runs", "show", "base"]) == 0
    assert "own/right  0.9500  n = 100  unjudged" in capsys.readouterr().out
    assert cli.main(["runs", "show", "base", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1


def test_compare_tells_the_worst_changes_and_says_so_by_its_exit_status(two, capsys):
    assert cli.main(["compare", "base", "worse"]) == 1
    told = capsys.readouterr().out
    assert "worse against base\n2 gates, 2 compared, 2 worse by more than chance explains\n" in told
    assert "WORSE own/right: 0.9500 -> 0.6500, drop 0.3000 (+0.2248..+0.3844); exact McNemar, 30 worse and 0 better of 100" in told
    assert "30 of 95 that were right are wrong: i5, i6, i7, i8, i9 and 25 more" in told
    assert cli.main(["compare", "base", "worse", "--ids"]) == 1
    assert "          i34\n" in capsys.readouterr().out
    assert cli.main(["compare", "base", "worse", "--json"]) == 1
    assert {row["gate"] for row in json.loads(capsys.readouterr().out)} == {"own/right", "own/loss"}
    assert cli.main(["compare", "worse", "base"]) == 0
    assert cli.main(["compare", "base", "base"]) == 0


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["compare", "base", "wrose"], "compare: RUN: no run 'wrose'; did you mean 'worse'?; there is base, later, worse"),
        (["compare", "base", "later"], "compare: base and later cannot be compared: limit is None in the one and 100 in the other"),
        (["runs", "show"], "runs: show needs the name of a run; pytest-clip runs lists them"),
        (["runs", "list", "base"], "runs: list takes nothing more; pytest-clip runs show RUN [--json] shows one run"),
        (["runs", "show", "a b"], "runs: 'a b' is not a name: *"),
    ],
)
def test_commands_refuse_in_one_line(two, capsys, argv, told):
    assert cli.main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"pytest-clip {told.rstrip('*')}")


def test_no_run_at_all_is_the_answer_no(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["runs"]) == 1
    assert capsys.readouterr().out.startswith(f"no run is saved in {tmp_path / '.clip' / 'runs'}; save one with pytest --clip-model=NAME ")


def test_commands_import_neither_pytest_nor_torch(two):
    look = "print(*{'torch', 'pytest', '_pytest'} & {*sys.modules})"
    code = f"import sys, pytest_clip.cli.main as c; c.main(['compare', 'base', 'worse']); {look}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=two.path)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("before", "now", "verdict"), [("0.9", "None", "fail"), ("None", "0.9", "insufficient"), ("None", "None", "insufficient")]
)
def test_a_value_that_is_lost_is_a_regression(project, before, now, verdict):
    own = "def test_a(gate): gate('own/right', {}, n=9, better='higher', reason='at chance')"
    project.world.pytester.makepyfile(test_own=own.format(before))
    project("stub", "--clip-save=base")
    project.world.pytester.makepyfile(test_own=own.format(now))
    project("stub", "--clip-baseline=base")
    assert project.rows()["own/right", "stub"]["verdict"] == verdict
    project.world.defaults(RULES)
    project.world.project("schema = 1")
    project("stub", "--clip-baseline=base")
    unruled = "not_measured" if now == "None" else "unjudged"
    assert project.rows()["own/right", "stub"]["verdict"] == ("fail" if verdict == "fail" else unruled)
