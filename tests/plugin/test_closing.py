"""No run ends green although its gates failed, were taken away or were never judged."""

from __future__ import annotations

import json
import textwrap

import pytest

from pytest_clip.session import closing
from pytest_clip.session.closing import Heard

BAD = """
schema = 1
[gates."accuracy/top1"]
min = 0.95
"""

RULES_FOR_NOBODY = """
schema = 1
[gates."accuracy/top1"]
min = 0.5
[data.scenez.gates."accuracy/top5"]
min = 0.5
[model."Stub".gates."ood/auroc"]
min = 0.5
"""

CANNOT = """
import pytest

@pytest.mark.clip_gate("{gate}")
def test_it(gate, clip_case, clip_model, clip_data):
    pytest.skip("cannot")
"""

# Each makes the five gates of a run end otherwise than by their verdicts: two of them fail.
SWALLOWED = {
    "xfail": "def pytest_collection_modifyitems(items):\n    [item.add_marker(pytest.mark.xfail(reason='later')) for item in items]",
    "strict xfail": "def pytest_collection_modifyitems(items):\n    [item.add_marker(pytest.mark.xfail(strict=True)) for item in items]",
    "report": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if report.failed:
                report.outcome, report.longrepr = "passed", None
            return report
    """,
    "status": "@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n    session.exitstatus = 0",
    "last status": """
        @pytest.hookimpl(wrapper=True)
        def pytest_sessionfinish(session):
            yield
            session.exitstatus = 0
    """,
}


@pytest.mark.parametrize("how", SWALLOWED)
def test_a_failed_gate_fails_the_run_whatever_the_project_makes_of_it(world, how):
    world.project(BAD)
    world.conftest("import pytest\n" + textwrap.dedent(SWALLOWED[how]))
    result = world.clip("--clip-report=json:r.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    rows = {row["gate"]: row["verdict"] for row in json.loads((world.pytester.path / "r.json").read_text())["gates"]}
    assert [rows["accuracy/top1[clean]"], rows["accuracy/top1[shift_far]"]] == ["fail", "fail"]


def test_xfail_says_what_excuses_a_gate(world):
    world.project(BAD)
    world.conftest("import pytest\n" + SWALLOWED["xfail"])
    result = world.clip()
    result.assert_outcomes(failed=2, xpassed=3)
    result.stdout.fnmatch_lines(
        ["*xfail * the test is marked xfail (later), which excuses no gate; write a [[][[]waiver]] into thresholds.toml"]
    )


def test_a_gate_that_is_marked_not_to_run_fails(world):
    world.conftest("import pytest\n" + SWALLOWED["xfail"].replace("reason='later'", "run=False"))
    result = world.clip()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(errors=5)


@pytest.mark.parametrize(
    "swallow", ["try:\n        CALL\n    except BaseException:\n        pass", "with pytest.raises(pytest.fail.Exception):\n        CALL"]
)
def test_a_failure_that_the_test_swallows_is_final(world, swallow):
    world.project('schema = 1\n[gates."own/x"]\nmin = 0.95\n')
    test = "import pytest\n\n@pytest.mark.clip_gate('own/x')\ndef test_x(gate, clip_model):\n    " + swallow.replace(
        "CALL", "gate('own/x', 0.1, n=9)"
    )
    world.pytester.makepyfile(test_own=test)
    result = world.clip("test_own.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["own/x: 0.1000 < min 0.9500 (n = 9)", "*swallowed * the test went on after its gate had failed, *"])


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only", "--co"])
@pytest.mark.parametrize("place", ["ini", "variable"])
def test_settings_that_run_nothing_are_refused(world, monkeypatch, option, place):
    if place == "ini":
        world.pytester.makeini(f"[pytest]\naddopts = {option}\n")
    else:
        monkeypatch.setenv("PYTEST_ADDOPTS", option)
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*PYTEST_ADDOPTS adds --*, so no gate would be measured; take it out, or type it if that is meant"])
    assert world.loads == []


@pytest.mark.parametrize("name", ["clip-gating", "clip-reporting", "clip-closing"])
def test_what_judges_has_no_name_by_which_it_could_be_taken_away(world, name):
    world.project(BAD)
    result = world.clip("-p", f"no:{name}")
    result.assert_outcomes(passed=3, failed=2)


@pytest.mark.parametrize("hook", ["pytest_collection_finish(session)", "pytest_runtestloop(session)"])
@pytest.mark.parametrize("how", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_items_that_a_conftest_cuts_are_missed(world, hook, how):
    world.conftest(f"import pytest\n@pytest.hookimpl(tryfirst=True)\ndef {hook}:\n    del session.items[2:]")
    run = world.run_process if how else world.run
    result = run("--clip-model=stub", *(["-p", "xdist", *how] if how else []))
    if how and "runtestloop" in hook:
        assert result.ret == pytest.ExitCode.INTERNAL_ERROR  # xdist itself notices
        return
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["CONTRADICTION 3 of 5 gates were collected and never run: suites/test_accuracy.py::*"])


SKIPPED = {
    "mark": "def pytest_collection_modifyitems(items):\n    [item.add_marker(pytest.mark.skip(reason='slow')) for item in items]",
    "skipif": "def pytest_collection_modifyitems(items):\n    [item.add_marker(pytest.mark.skipif(True, reason='slow')) for item in items]",
    "fixture": "@pytest.fixture(autouse=True)\ndef lazy():\n    pytest.skip('slow')",
}


@pytest.mark.parametrize("how", SKIPPED)
def test_skips_of_the_project_do_not_excuse_shipped_gates(world, how):
    world.conftest("import pytest\n" + SKIPPED[how])
    result = world.clip("-rf")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(["*skips it (slow), and a gate that is skipped looks green; leave a gate out with --clip-suite or -k *"])


def test_a_skip_of_ones_own_suite_stays_a_skip(world):
    world.pytester.makepyfile(
        test_own="import pytest\n\n@pytest.mark.skip(reason='slow')\n@pytest.mark.clip_gate('own/x')\ndef test_x(gate, clip_model): ...\n"
    )
    world.clip("test_own.py", "-o", "clip_unjudged=allow").assert_outcomes(skipped=1)


def test_rules_for_nobody_are_told_and_fail_where_the_project_says_so(world):
    world.project(RULES_FOR_NOBODY)
    result = world.clip()
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "NOT IN THIS RUN data set 'scenez': 1 rule for it (thresholds.toml:5) held nothing; did you mean 'scenes'?",
            "NOT IN THIS RUN model 'Stub': 1 rule for it (thresholds.toml:7) held nothing; did you mean 'stub'?",
        ]
    )
    strict = world.clip("-o", "clip_strict_rules=true")
    strict.assert_outcomes(passed=5, failed=2)


def test_a_run_in_which_nothing_is_judged_is_red(world):
    world.project("schema = 1\n")
    result = world.clip()
    result.assert_outcomes(passed=5, failed=1)
    result.stdout.fnmatch_lines(
        ["*no rule judges any of the 5 gates of this run, so it says nothing about the model; give them rules: pytest-clip init *"]
    )
    for options in (["-o", "clip_unjudged=allow"], ["--clip-save=first"], ["--clip-update=create"]):
        assert world.clip(*options).ret == 0
        (world.pytester.path / "thresholds.toml").write_text("schema = 1\n")


def test_a_run_whose_only_ruled_gate_has_no_number_is_red(world):
    world.project('schema = 1\n[gates."accuracy/top1"]\nmin = 0.5\n')
    world.suites(test_accuracy=CANNOT.format(gate="accuracy/top1"))
    world.defaults('schema = 1\n[gates."accuracy/top1"]\nmin = 0.5\n')
    world.project("schema = 1\n")
    result = world.clip("-k", "top1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["NOTHING JUDGED: none of 2 gates of this run was held against a rule, *clip_unjudged = allow *"])


def test_every_unjudged_gate_is_red_where_the_project_says_so(world):
    result = world.clip("-o", "clip_unjudged=fail")
    result.assert_outcomes(passed=3, failed=2)
    result.stdout.fnmatch_lines(
        ["FAILED accuracy/top5[[]clean]: 1.0000 (n = 100): unjudged, and clip_unjudged = fail; no rule in any thresholds file"]
    )


def test_a_run_that_stops_says_how_far_it_came(world):
    world.project(BAD)
    result = world.clip("-x")
    result.stdout.fnmatch_lines(["STOPPED after 1 of 5 gates"])


def test_gates_that_could_not_be_measured_have_a_word_of_their_own(world):
    world.suites(test_ood=CANNOT.format(gate="ood/auroc"))
    world.project('schema = 1\n[gates."accuracy/top1"]\nmin = 0.5\n')
    result = world.clip("--clip-report=json:r.json")
    rows = {row["gate"]: row["verdict"] for row in json.loads((world.pytester.path / "r.json").read_text())["gates"]}
    assert (rows["ood/auroc[near]"], rows["accuracy/top5[clean]"]) == ("not_measured", "unjudged")
    result.stdout.fnmatch_lines(
        ["NOT MEASURED 1 gate without a rule (-rs says why): ood/auroc[[]near]", "5 gates: 2 unjudged, 1 not measured, 2 passed"]
    )


def test_a_second_attempt_begins_with_nothing(world):
    """What pytest-rerunfailures does: the same item through setup, call and teardown again."""
    world.conftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=nextitem, log=False)
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            runtestprotocol(item, nextitem=nextitem)
            return True
        """
    )
    world.clip().assert_outcomes(passed=5)


def test_a_report_is_written_whatever_is_in_it(world):
    world.pytester.makepyfile(test_own="def test_x(gate, clip_model):\n    gate('own/x', 0.1, n=9, conventions={'odd': 'a\\udce4b'})\n")
    result = world.clip("test_own.py", "-o", "clip_unjudged=allow", "--clip-report=json:r.json")
    assert result.ret == 0
    (row,) = json.loads((world.pytester.path / "r.json").read_text("utf-8"))["gates"]
    assert row["conventions"] == {"odd": "a\\udce4b"}
    result.stdout.fnmatch_lines(["--clip-report: * texts that are no Unicode are escaped in the record"])


# What can be seen before anything loads


def test_all_faults_of_a_start_are_said_at_once(pytester, monkeypatch):
    """Before a model loads, those of models, data, suites and thresholds together: nobody mends one to be told of the next."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (pytester.path / "empty.pt").touch()
    (pytester.path / "thresholds.toml").write_text("schema = 1\n[gates.'accuracy/top9']\nmin = 0.5")
    models = ("ViT-B-32,laion2b_s34b_b79kk", "ViT-B-23", "ViT-B-32,gone/e1.pt", "ViT-B-32,empty.pt")
    result = pytester.runpytest_subprocess(
        "-p", "clip", *(f"--clip-model={each}" for each in models), "--clip-suite=accuracy,odd", "--clip-data=none"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    told = result.stderr.str()
    for each in (
        "ViT-B-32,laion2b_s34b_b79kk: 'laion2b_s34b_b79kk' is neither a tag of ViT-B-32 nor a file; perhaps you mean ViT-B-32,laion2b_s34b",
        "open_clip knows no architecture 'ViT-B-23'; did you mean ViT-B-32",
        "ViT-B-32,gone/e1.pt: there is no checkpoint gone/e1.pt; a relative path starts at",
        "empty.pt is empty; copy it again",
        "--clip-suite: no suite 'odd'; did you mean 'ood'?",
        "thresholds.toml:2: unknown gate 'accuracy/top9'",
        "none",
    ):
        assert each in told, each


def test_a_model_that_cannot_be_loaded_fails_its_own_gates_only(world):
    world.conftest(
        """
        from pytest_clip import ClipError
        from types import SimpleNamespace

        def pytest_clip_make_model(spec, config):
            if spec.text == "broken":
                raise ClipError("broken.pt holds no weights")
            return SimpleNamespace(label=spec.text, fingerprint="a" * 16, precision="fp32", device="cpu", facts={})
        """.replace("        def", "        import pytest\n\n        @pytest.hookimpl(tryfirst=True)\n        def")
    )
    result = world.run("--clip-model=broken", "--clip-model=stub", "-rs")
    result.assert_outcomes(errors=1, skipped=4, passed=5)
    result.stdout.fnmatch_lines(["broken.pt holds no weights", "*the model broken cannot be loaded, as its first gate says"])
    assert world.run("--clip-model=broken").ret == pytest.ExitCode.TESTS_FAILED


def test_a_label_that_was_two_models_is_a_contradiction():
    """Workers that found other files: a run whose training goes on."""
    row = {"gate": "accuracy/top1[clean]", "verdict": "pass", "model": "mine", "fingerprint": "a" * 16}
    other = {**row, "fingerprint": "b" * 16}
    assert closing.contradictions({("x", "g"): row, ("y", "g"): row, ("z", "g"): {**other, "model": "other"}}, Heard()) == []
    assert closing.contradictions({("x", "g"): row, ("y", "g"): {**other, "gate": "mutants/killed[bgr]"}}, Heard()) == []
    [told] = closing.contradictions({("x", "g"): row, ("y", "g"): other, ("z", "g"): {**row, "fingerprint": None}}, Heard())
    assert told.startswith(f"CONTRADICTION mine was not one model: {'a' * 16}, {'b' * 16}; its files were replaced, or a run got")
