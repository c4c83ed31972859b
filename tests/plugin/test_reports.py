"""Reports are views of the same rows: the JSON record, the list of what would run, and the text on the terminal."""

from __future__ import annotations

import json

import pytest

from pytest_clip.models import factors as factors_of
from pytest_clip.report import json as json_report
from pytest_clip.report import junit, order, terminal

# The JSON record


def record(world, *args: str) -> dict:
    world.clip("--clip-report=json:out/deep/run.json", *args)
    return json.loads((world.pytester.path / "out" / "deep" / "run.json").read_text("utf-8"))


def test_the_record_keeps_its_contract(world):
    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\nwhy = 'because'\n[gates.'ood/auroc']\nmin = 0.7\nmin_n = 500")
    found = record(world)
    assert list(found) == ["schema", "session", "models", "data", "gates"]
    assert found["schema"] == 1
    session = found["session"]
    assert session["exit_status"] == 1
    assert session["argv"][-2:] == ["--clip-model=stub", "--clip-report=json:out/deep/run.json"]
    assert {"pytest-clip", "pytest", "python", "numpy"} <= set(session["versions"])
    assert {"system", "machine", "cores", "python"} == set(session["host"])
    assert session["duration"] >= 0
    factors = found["models"][0].pop("factors")
    assert factors.pop("parameters") == {"value": 7, "from": "derived"}
    assert list(factors) == ["family", *factors_of.KEYS[2:]]
    assert all(each == {"value": None, "from": None} for each in factors.values())
    assert found["models"] == [
        {
            "name": "stub",
            "fingerprint": "00000000000001be",
            "architecture": "stub",
            "pretrained": None,
            "preprocess": None,
            "precision": "fp32",
            "parameters": 7,
            "device": "cpu",
        }
    ]
    assert found["data"] == [
        {
            "name": "scenes",
            "fingerprint": "d" * 16,
            "n": {"clean": 100, "shift_far": 100, "near": 50},
            "limit": None,
            "prompts": None,
            "sets": {},
            "doubts": [],
            "unreadable": {},
        }
    ]
    assert [(row["gate"], row["verdict"]) for row in found["gates"]] == [
        ("accuracy/top1[clean]", "pass"),
        ("accuracy/top1[shift_far]", "fail"),
        ("accuracy/top5[clean]", "unjudged"),
        ("accuracy/top5[shift_far]", "unjudged"),
        ("ood/auroc[near]", "insufficient"),
    ]
    row = found["gates"][1]
    assert {key: row[key] for key in ("suite", "metric", "slice", "model", "data", "value", "ci", "n", "baseline", "conventions")} == {
        "suite": "accuracy",
        "metric": "top1",
        "slice": "shift_far",
        "model": "stub",
        "data": "scenes",
        "value": 0.6,
        "ci": [0.5, 0.95],
        "n": 100,
        "baseline": None,
        "conventions": {"prompts": "abc"},
    }
    assert row["rule"] == {"min": 0.7, "why": "because", "source": "thresholds.toml:3", "sources": {"min": "thresholds.toml:3"}}
    assert row["message"].startswith("accuracy/top1[shift_far]: 0.6000 < min 0.7000")
    assert row["nodeid"] == "suites/test_accuracy.py::test_top1[stub-scenes-accuracy/top1[shift_far]]"
    assert row["partial"] is False


def test_a_value_that_is_no_number_is_null_with_a_reason(world):
    world.suites(
        test_ood="import pytest\n@pytest.mark.clip_gate('ood/auroc')\n"
        "def test_auroc(gate, clip_case): gate(clip_case.gate, float('nan'), n=9, reason='all scores equal')"
    )
    row = record(world)["gates"][-1]
    assert (row["value"], row["verdict"], row["reason"]) == (None, "fail", "the value is nan: all scores equal")


def test_gates_that_gave_no_number_are_in_the_record_too(world):
    world.suites(test_ood="import pytest\n@pytest.mark.clip_gate('ood/auroc')\ndef test_auroc(clip_case): assert 0")
    world.project("schema = 1\n[gates.'accuracy/mean_per_class']\nmin = 0.1\n[gates.'ood/auroc']\nmin = 0.1")
    rows = {row["gate"]: row for row in record(world)["gates"]}
    assert rows["ood/auroc[near]"]["verdict"] == rows["accuracy/mean_per_class"]["verdict"] == "fail"
    assert rows["ood/auroc[near]"]["rule"] == {"min": 0.1, "why": None, "source": "thresholds.toml:5"}
    assert rows["ood/auroc[near]"]["reason"] == "ood/auroc[near]: not measured: assert 0"
    assert rows["accuracy/mean_per_class"]["rule"]["source"] == "thresholds.toml:2"


def test_a_limited_run_says_so(world):
    found = record(world, "--clip-limit=10")
    assert all(row["partial"] for row in found["gates"])
    assert found["data"][0]["limit"] == 10
    assert set(found["data"][0]["n"].values()) == {10}
    result = world.clip("--clip-limit=10")
    result.stdout.fnmatch_lines(["clip: *; partial: at most 10 images per set", "5 gates: *(partial: --clip-limit)"])


def test_the_record_needs_no_terminal(world):
    world.clip("-p", "no:terminal", "--clip-report=json:run.json")
    assert len(json.loads((world.pytester.path / "run.json").read_text())["gates"]) == 5


def test_looking_writes_no_report(world):
    world.clip("--collect-only", "--clip-report=json:run.json")
    assert not (world.pytester.path / "run.json").exists()


def test_a_report_that_can_no_longer_be_written_fails_the_run(world, monkeypatch):
    def full(path, document):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json_report, "write", full)
    result = world.clip("--clip-report=json:run.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["--clip-report: could not write */run.json: No space left on device"])


def test_a_page_that_cannot_be_made_leaves_the_other_reports(world, monkeypatch):
    def broken(record):
        raise KeyError("colour")

    monkeypatch.setattr("pytest_clip.report.html.page.render", broken)
    result = world.clip("--clip-report=html:run.html", "--clip-report=json:run.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["--clip-report: could not write */run.html: KeyError: 'colour', a fault of pytest-clip", "wrote run.json"])
    assert json.loads((world.pytester.path / "run.json").read_text("utf-8"))["gates"]


def test_a_report_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "run.json"
    json_report.write(path, {"schema": 1})
    odd = {"value": float("nan"), "who": "a\udce4", 3: [object]}
    told = json_report.write(path, odd)
    assert json.loads(path.read_text()) == {"value": None, "who": "a\\udce4", "3": ["<class 'object'>"]}
    assert [each.partition(" ")[2] for each in told] == [
        "numbers that are not finite are null in the record",
        "texts that are no Unicode are escaped in the record",
        "values that JSON does not know are text in the record",
    ]
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o666 & ~json_report._umask()


def test_the_record_does_not_depend_on_the_order_of_the_tests(tmp_path):
    rows = [{"model": m, "data": "d", "gate": g} for m in "ba" for g in ("x/b", "x/a")]
    one = json_report.record(rows=rows, models=[{"name": "b"}, {"name": "a"}], data=[], session={})
    two = json_report.record(rows=rows[::-1], models=[{"name": "a"}, {"name": "b"}], data=[], session={})
    assert one == two
    assert [(row["model"], row["gate"]) for row in one["gates"]] == [("a", "x/a"), ("a", "x/b"), ("b", "x/a"), ("b", "x/b")]


def test_the_commit_comes_from_the_ci_system_or_from_git(tmp_path, monkeypatch):
    for name in json_report._COMMIT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert json_report._commit(tmp_path / "nowhere") is None
    monkeypatch.setenv("CI_COMMIT_SHA", "abc")
    assert json_report._commit(tmp_path) == "abc"


# JUnit


def test_properties_are_flat_builtins(world):
    row = {
        "gate": "a/b",
        "value": 0.5,
        "n": 3,
        "ci": [0.1, 0.9],
        "rule": {"max_drop": "5%", "min": 0.2, "source": "t.toml:3"},
        "partial": True,
    }
    found = junit.properties(
        row | {"waiver": {"reason": "#41", "until": "2027-03-01", "source": "t.toml:9"}, "slice": None, "conventions": {}}
    )
    assert dict(found) == {
        "clip.gate": "a/b",
        "clip.value": 0.5,
        "clip.n": 3,
        "clip.ci_low": 0.1,
        "clip.ci_high": 0.9,
        "clip.rule.max_drop": "5%",
        "clip.rule.min": 0.2,
        "clip.rule.source": "t.toml:3",
        "clip.waiver.reason": "#41",
        "clip.waiver.until": "2027-03-01",
        "clip.partial": "true",
    }
    assert {type(value) for _, value in found} <= {str, int, float}


def test_properties_are_on_the_report_of_the_call_for_other_plugins(world):
    world.pytester.makepyfile(test_own="def test_own(gate): gate('own/a', 1, n=1)")
    world.conftest(
        """
        def pytest_runtest_logreport(report):
            print(report.when, [value for name, value in report.user_properties if name == "clip.gate"])
        """
    )
    world.clip("test_own.py", "-s").stdout.fnmatch_lines(["*setup []*", "*call [[]'own/a'[]]", "teardown [[]'own/a'[]]"])


def test_junit_shows_the_verdict_in_its_first_line(world):
    from xml.etree import ElementTree

    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.7")
    world.clip("--junitxml=junit.xml", "-W", "error")
    root = ElementTree.parse(world.pytester.path / "junit.xml").getroot()
    (failure,) = root.iter("failure")
    assert failure.get("message", "").startswith("accuracy/top1[shift_far]: 0.6000 < min 0.7000 (n = 100")
    assert "rerun" in (failure.text or "")


# The summary on the terminal


def row(gate: str, verdict: str, value: float | None = None, message: str = "", model: str = "m", **rule: float) -> dict:
    suite, _, rest = gate.partition("/")
    return {
        "gate": gate,
        "suite": suite,
        "metric": rest.partition("[")[0],
        "slice": rest.rstrip("]").partition("[")[2] or None,
        "model": model,
        "data": "scenes",
        "value": value,
        "verdict": verdict,
        "rule": {**rule, "source": "t.toml:1"} if rule else None,
        "message": f"{gate}: {message}\n  more",
    }


ROWS = [
    row("accuracy/top1[clean]", "pass", 0.91, "0.91 >= min 0.9", min=0.9),
    row("accuracy/top5[clean]", "pass", 0.99, "0.99 >= min 0.5", min=0.5),
    row("accuracy/top1[shift_far]", "fail", 0.63, "0.63 < min 0.7", min=0.7),
    row("calibration/ece[clean]", "fail", 0.12, "0.12 > max 0.04 (t.toml:1)", max=0.04),
    row("calibration/nll[clean]", "insufficient", 1.0, "insufficient: n = 3 < min_n 100", max=2.0),
    row("calibration/temperature", "unjudged", 1.3, "1.3: unjudged"),
    row("factors/drop[pose]", "waived", 0.2, "0.2 > max 0.1: waived until 2027-03-01: #41", max=0.1),
    row("ood/auroc[near]", "fail", None, "no value: no images", min=0.7),
    *(row(f"factors/accuracy[f{n}]", "unjudged", 0.5) for n in range(7)),
]

GOLDEN = """\
FAILED ood/auroc[near]: no value: no images  [t.toml:1]
FAILED calibration/ece[clean]: 0.12 > max 0.04 (t.toml:1)
FAILED accuracy/top1[shift_far]: 0.63 < min 0.7  [t.toml:1]
INSUFFICIENT calibration/nll[clean]: insufficient: n = 3 < min_n 100  [t.toml:1]
WAIVED factors/drop[pose]: 0.2 > max 0.1: waived until 2027-03-01: #41  [t.toml:1]
UNJUDGED 8 gates without a rule: calibration/temperature 1.3000, factors/accuracy[f0] 0.5000, factors/accuracy[f1] 0.5000, \
factors/accuracy[f2] 0.5000, factors/accuracy[f3] 0.5000, factors/accuracy[f4] 0.5000 and 2 more
suite accuracy     3 gates: 1 failed, 2 passed; top1 0.9100 clean, 0.6300 shift_far; closest to its bound: accuracy/top1[clean] 0.91 \
(min 0.9, 1.1% of it left)
suite calibration  3 gates: 1 failed, 1 insufficient, 1 unjudged; ece 0.1200 clean
suite factors      8 gates: 1 waived, 7 unjudged; accuracy best 0.5000 f6, worst 0.5000 f0; drop 0.2000 pose
suite ood          1 gate: 1 failed
NOT SELECTED 2 rules of these suites (narrowed by -k, -m)
model m: fingerprint 0123456789abcdef
WARNING m: the weights are RANDOM
15 gates: 3 failed, 1 insufficient, 1 waived, 8 unjudged, 2 passed
wrote run.json"""


def test_the_summary_is_worst_first():
    lines = terminal.summary_lines(
        ROWS[::-1],
        models=[{"name": "m", "fingerprint": "0123456789abcdef", "warnings": ["m: the weights are RANDOM"]}],
        not_selected=2,
        narrowed_by=("-k", "-m"),
        notes=["wrote run.json"],
    )
    assert "\n".join(lines) == GOLDEN
    assert terminal.summary_lines(ROWS)[:7] == lines[:7]  # whatever the order of the tests


def test_the_summary_names_the_model_when_there_are_several():
    lines = terminal.summary_lines([row("a/b", "fail", 0.1, "0.1 < min 0.5", model=m, min=0.5) for m in ("m2", "m1")])
    assert lines[:2] == ["FAILED a/b: 0.1 < min 0.5 on m1, scenes  [t.toml:1]", "FAILED a/b: 0.1 < min 0.5 on m2, scenes  [t.toml:1]"]


def test_a_bound_of_zero_and_a_side_that_holds():
    assert order.room(row("a/b", "fail", 0.1, max=0.0)) < -1
    assert order.room(row("a/b", "pass", 0.5, min=0.1, max=0.9)) == pytest.approx(0.4 / 0.9)
    assert order.room(row("a/b", "fail", 0.3, min=0.6)) == pytest.approx(-0.5)
    assert order.room(row("a/b", "fail", 1.2, min=0.6, max=0.8)) == pytest.approx(-0.5)


def test_no_rows_no_summary(world):
    assert terminal.summary_lines([]) == []
    world.pytester.makepyfile(test_own="def test_own(): pass")
    world.clip("test_own.py").stdout.no_fnmatch_line("*clip gates*")


@pytest.mark.parametrize(
    ("line", "colour"), [("FAILED x", "red"), ("UNJUDGED 2", "yellow"), ("NOT SELECTED 1", "yellow"), ("suite a", None)]
)
def test_colours(line, colour):
    assert terminal.markup(line) == ({colour: True} if colour else {})


# What would run

LISTING = """\
models: stub

suite accuracy on scenes: Zero-shot accuracy, clean and under natural shifts
  accuracy/top1[clean]                     min 0.5 (thresholds.toml:4)
  accuracy/top1[shift_far]                 min 0.5 (thresholds.toml:4)
  accuracy/top5[clean]                     no rule: measured, reported as unjudged
  accuracy/top5[shift_far]                 no rule: measured, reported as unjudged
  accuracy/mean_per_class[clean]           no rule: measured, reported as unjudged
  accuracy/mean_per_class[shift_far]       no rule: measured, reported as unjudged
  accuracy/relative_robustness[shift_far]  no rule: measured, reported as unjudged

7 gates, 2 with a rule
data scenes: 3 image sets, 250 images
  clean      100
  shift_far  100
  near       50
  this run: 200 pictures, 152 texts: 200 forward passes of pictures; less what the cache holds
  time of stub: not known, because no run with this cache has measured it yet"""


def test_the_list_shows_gates_rules_and_the_work_they_take(world):
    result = world.clip("--clip-list", "--clip-suite=accuracy", "--clip-cache-dir=empty")
    assert result.ret == 0
    assert "\n".join(result.outlines) == LISTING
    limited = world.clip("--clip-list", "--clip-limit=60", "--clip-model=other", "--clip-suite=accuracy,ood", "--clip-cache-dir=empty")
    limited.stdout.fnmatch_lines(
        [
            "models: stub, other",
            "data scenes: 3 image sets, 170 images",
            "  this run: 170 pictures, 152 texts: 340 forward passes of pictures, at most 220 more in searches, variants and places; "
            "less what the cache holds",
            "  time of stub: not known*",
            "  time of other: not known*",
        ]
    )


def test_the_list_needs_no_model_and_names_rules_of_others(world):
    world.project("schema = 1\n[model.'other'.gates.'accuracy/top1']\nmin = 0.5")
    result = world.run("--clip-list")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["models: none named*", "not in this run: rule for accuracy/top1 (model.*other*) in thresholds.toml:2"])


def test_the_list_checks_what_it_is_given(world):
    assert world.run("--clip-list", "--clip-suite=odd").ret == pytest.ExitCode.USAGE_ERROR
