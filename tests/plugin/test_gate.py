"""Every gate is an item that passes or fails, and nothing about it is silent."""

from __future__ import annotations

import json

import pytest

FULL_MESSAGE = [
    "accuracy/top1[[]clean]: 0.9000 < min 0.9500 (n = 100, 95 % interval 0.5000..0.9500)",
    "  rule         min 0.95 (thresholds.toml:3)",
    "  model        stub fingerprint 00000000000001be",
    "  data         scenes",
    "  conventions  prompts=abc",
    '  rerun        pytest --clip-model=stub --clip-suite=accuracy -k "accuracy/top1[[]clean]"',
]


def own(world, body: str, *args: str) -> pytest.RunResult:
    world.pytester.makepyfile(test_own=f"import pytest\nfrom pytest_clip import ClipError\n{body}")
    return world.clip("test_own.py", *args)


def test_a_failing_gate_says_all_there_is_to_say(world):
    world.project("schema = 1\n[gates.'accuracy/top1[clean]']\nmin = 0.95")
    result = world.clip()
    result.assert_outcomes(passed=4, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(FULL_MESSAGE, consecutive=False)
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*def test_top1*")


def test_the_rerun_command_reruns_that_gate(world):
    result = world.clip("--clip-suite=accuracy", "-k", "accuracy/top1[clean]")
    result.assert_outcomes(passed=1, deselected=3)


def test_a_gate_test_that_measures_nothing_fails(world):
    world.suites(test_ood="import pytest\n@pytest.mark.clip_gate('ood/auroc')\ndef test_auroc(clip_case): pass")
    result = world.clip("--clip-suite=ood")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ood/auroc[[]near] was never measured: the test finished without calling gate('ood/auroc[[]near]', ...)"])


def test_measuring_another_gate_than_the_marked_one_is_not_enough(world):
    result = own(world, "@pytest.mark.clip_gate('own/a')\ndef test_a(gate): gate('own/b', 1, n=1)", "-o", "clip_unjudged=allow")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["own/a was never measured: *"])


@pytest.mark.parametrize("skip", ["@pytest.mark.skip(reason='no time')", "@pytest.mark.skipif(True, reason='no time')", "inside"])
def test_a_skipped_gate_with_a_rule_fails(world, skip):
    mark, body = ("", "pytest.skip('no time')") if skip == "inside" else (skip, "pass")
    world.suites(test_ood=f"import pytest\n{mark}\n@pytest.mark.clip_gate('ood/auroc')\ndef test_auroc(clip_case):\n    {body}")
    result = world.clip("--clip-suite=ood")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ood/auroc[[]near]: rule thresholds.toml:6 was never measured: no time"])
    result.stdout.fnmatch_lines(["1 gate: 1 failed"])
    world.project("schema = 1")
    result = world.clip("--clip-suite=ood", "-o", "clip_unjudged=allow")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["NOT MEASURED 1 gate without a rule (-rs says why): ood/auroc[[]near]"])


def test_a_skipped_gate_with_a_shipped_rule_alone_is_skipped(world):
    world.suites(test_ood="import pytest\n@pytest.mark.clip_gate('ood/auroc')\ndef test_auroc(clip_case): pytest.skip('cannot')")
    world.defaults("schema = 1\n[gates.'ood/auroc']\nmin = 0.5")
    world.project("schema = 1")
    result = world.clip("--clip-suite=ood")
    result.assert_outcomes(skipped=1)
    world.project("schema = 1\n[gates.'ood/auroc[near]']\nmin_n = 5")
    result = world.clip("--clip-suite=ood")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ood/auroc[[]near]: rule thresholds.toml:3 was never measured: cannot"])


def test_a_gate_without_a_rule_passes_and_is_counted(world):
    world.project("schema = 1")
    result = world.clip("-o", "clip_unjudged=allow")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["UNJUDGED 5 gates without a rule: accuracy/top1[[]clean] 0.9000, *", "5 gates: 5 unjudged"])


def test_a_user_error_is_one_sentence(world):
    body = """
@pytest.fixture
def photos(): raise ClipError("photos/1.jpg is not an image; delete it")
def test_setup(photos): pass
def test_call(): raise ClipError("weights.pt holds code; save it with safetensors")
def test_other(): raise RuntimeError("a bug keeps its traceback")
"""
    result = own(world, body)
    result.assert_outcomes(failed=2, errors=1)
    result.stdout.fnmatch_lines(["photos/1.jpg is not an image; delete it", "weights.pt holds code; save it with safetensors"])
    result.stdout.fnmatch_lines([">*raise RuntimeError*"])
    result.stdout.no_fnmatch_line("*raise ClipError*")


def test_a_model_that_does_not_load_is_one_error_not_one_for_each_of_its_gates(world):
    world.conftest(
        """
        from pytest_clip import ClipError
        def pytest_clip_make_model(spec, config):
            raise ClipError("no weights for stub; give a local path")
        """
    )
    result = world.clip()
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["no weights for stub; give a local path"])
    result.stdout.fnmatch_lines(["FAILED accuracy/*: not measured: no weights for stub; give a local path*"])
    result.stdout.fnmatch_lines(["!* the model * cannot be loaded, so none of its gates can be measured *"])


@pytest.mark.parametrize(
    ("call", "outcome", "text"),
    [
        ("gate('own/a', float('nan'), n=1)", "failed", "own/a: the value is nan; say why: gate(..., reason='...')"),
        ("gate('own/a', None, n=1, reason='no images')", "passed", "NOT MEASURED 1 gate without a rule (-rs says why): own/a"),
        ("gate('own/a', 0.5, n=0)", "failed", "own/a: n must be a positive whole number of images, not 0"),
        (
            "gate('own/a', 0.5, n=1); gate('own/a', 0.6, n=1)",
            "failed",
            "*: own/a is measured twice in one test; give each number its own gate id",
        ),
        ("gate('own/a', 0.5, n=1); gate('own/b', 0.6, n=1)", "passed", "2 gates: 2 unjudged"),
        ("assert gate('own/a', 0.5, n=1).status == 'unjudged'", "passed", "1 gate: 1 unjudged"),
        ("gate('Own/A', 0.5, n=1)", "failed", "'Own/A' is not a gate id: *"),
    ],
)
def test_a_projects_own_gates(world, call, outcome, text):
    result = own(world, f"def test_a(gate): {call}")
    result.assert_outcomes(**{outcome: 1})
    result.stdout.fnmatch_lines([text])


def test_a_projects_own_gates_are_judged_by_its_rules(world):
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.6\n[gates.'own/b']\nmax = 0.6")
    body = """
@pytest.mark.clip_gate("own/a")
def test_a(gate, clip_case):
    assert clip_case.slice is None
    gate(clip_case.gate, 0.5, n=10)
@pytest.mark.clip_gate("own/b")
def test_b(gate): gate("own/b", 0.5, n=10)
"""
    result = own(world, body, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["test_own.py::test_a[[]scenes-own/a] FAILED*", "own/a: 0.5000 < min 0.6000 (n = 10)"])


def test_a_test_that_fails_after_its_gate_passed_is_not_a_passed_gate(world):
    result = own(world, "def test_a(gate):\n    gate('own/a', 0.5, n=10)\n    assert not 'and then'")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["FAILED own/a: the test failed after its gate was judged unjudged: AssertionError: assert not 'and then'*"]
    )


def test_a_reason_given_just_in_case_is_not_shown_with_a_value(world):
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.6")
    result = own(world, "def test_a(gate): gate('own/a', 0.5, n=10, reason='an embedding holds NaN')")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*an embedding holds NaN*")


@pytest.mark.parametrize(("args", "where"), [([], "given"), (["--clip-no-cache"], "temporary")])
def test_extraction_gets_what_was_asked_for(world, monkeypatch, args, where):
    import sys
    from types import ModuleType, SimpleNamespace

    module = ModuleType("pytest_clip.extract.extraction")
    closed = []
    module.Extraction = lambda **how: SimpleNamespace(**how, close=lambda: closed.append(True), forget=len)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    body = """
@pytest.mark.clip_gate("accuracy/top1")
def test_a(gate, clip_case, clip_extraction, clip_settings):
    assert clip_extraction.wanted == ("clean", "shift_far")
    assert (clip_extraction.batch_size, clip_extraction.cores.share, clip_settings.mcm_tau) == (8, 3, 0.5)
    clip_extraction.say("once")
    print("HERE", "given" if clip_extraction.cache.name == "here" else "temporary" if "clip-cache" in str(clip_extraction.cache) else "")
    gate(clip_case.gate, 1, n=1)
"""
    options = ("--clip-batch-size=8", "--clip-workers=3", "--clip-cache-dir=here", "-o", "clip_mcm_tau=0.5", "-rP")
    result = own(world, body, *options, *args)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["clip: once", f"HERE {where}"])
    assert closed == [True]


def test_without_a_model_tests_that_need_one_are_skipped_with_the_reason(world):
    world.pytester.makepyfile(test_own="def test_a(clip_model): pass\ndef test_b(gate): pass\ndef test_c(): pass")
    result = world.run("-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*no model was named: run pytest with --clip-model=NAME[[],PRETRAINED]"])


# Rules that nobody measures


def test_a_rule_that_no_test_measures_fails_the_run(world):
    world.project("schema = 1\n[gates.'accuracy/top1[clean]']\nmin = 0.1\n\n[gates.'accuracy/mean_per_class']\nmin = 0.4")
    result = world.clip("-v")
    result.assert_outcomes(passed=5, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = "thresholds.toml:5: rule for accuracy/mean_per_class was never measured: no test of this run measures that gate"
    result.stdout.fnmatch_lines(
        ["suites/test_accuracy.py::never_measured[[]accuracy/mean_per_class-thresholds.toml-5] FAILED*", sentence, f"FAILED *{sentence}"]
    )


@pytest.mark.parametrize("scope", ["data.imagenet.", 'model."other".'])
def test_rules_for_another_data_set_or_model_are_not_missed(world, scope):
    world.project(f"schema = 1\n[{scope}gates.'accuracy/mean_per_class']\nmin = 0.4")
    world.clip("-o", "clip_unjudged=allow").assert_outcomes(passed=5)


def test_rules_of_suites_that_did_not_run_are_not_missed(world):
    world.clip("--clip-suite=accuracy").assert_outcomes(passed=4)


def test_shipped_rules_for_images_that_the_data_lacks_are_not_missed(world, monkeypatch):
    import stub_world

    from pytest_clip.session import load

    monkeypatch.setattr(load, "image_sets", lambda name: stub_world.SETS[:2])
    world.project("schema = 1")
    world.defaults("schema = 1\n[gates.'ood/fpr95_id_positive']\nmax = 0.9")
    world.clip("-o", "clip_unjudged=allow").assert_outcomes(passed=4, skipped=1)
    world.defaults("schema = 1\n[gates.'accuracy/mean_per_class[clean]']\nmin = 0.1")
    world.clip("-o", "clip_unjudged=allow").assert_outcomes(passed=4, skipped=1, failed=1)


@pytest.mark.parametrize(
    ("args", "by"),
    [
        (["-k", "top1"], "-k"),
        (["-m", "clip_gate"], "-m"),
        (["suites/test_ood.py::test_auroc"], "a node id"),
        (["--deselect", "suites/test_ood.py"], "--deselect"),
    ],
)
def test_a_run_narrowed_by_hand_says_how_many_rules_it_left_out(world, args, by):
    world.project(
        "schema = 1\n[gates.'accuracy/top1']\nmin=0.1\n[gates.'accuracy/mean_per_class']\nmin=0.1\n[gates.'ood/fpr95_id_positive']\nmax=0.9"
    )
    result = world.clip(*args, "-o", "clip_unjudged=allow")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"NOT SELECTED ? rule* of these suites (narrowed by {by})"])


def test_a_cache_that_others_may_write_is_refused_unless_told(world):
    cache = world.pytester.path / "open"
    cache.mkdir()
    cache.chmod(0o777)
    refused = world.clip(f"--clip-cache-dir={cache}")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"*the cache {cache} may be written by everybody (mode 777)*--clip-shared-cache*"])
    assert world.loads == []
    for told in ("--clip-shared-cache", "--clip-no-cache"):
        assert world.clip(f"--clip-cache-dir={cache}", told).ret == 0
    world.pytester.makeini("[pytest]\nclip_shared_cache = true\n")
    assert world.clip(f"--clip-cache-dir={cache}").ret == 0


def test_a_share_brings_its_interval_and_its_outcomes(world):
    """`gate.share(ID, right)` is what a suite would write out: mean, Wilson's interval, outcomes, names of images, conventions."""
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.5\n[gates.'own/b']\nmin = 0.5\n[gates.'own/c']\nmin = 0.5")
    world.pytester.makepyfile(
        test_own="""
        from types import SimpleNamespace
        import numpy as np
        RIGHT = np.array([True] * 9 + [False])
        ANSWERS = SimpleNamespace(ids=tuple("abcdefghij"), conventions={"prompts": "p"})
        def test_a(gate): gate.share("own/a", RIGHT)
        def test_b(gate): assert gate.share("own/b", RIGHT, ANSWERS).measurement.per_image.ids == ANSWERS.ids
        def test_c(gate): gate.share("own/c", RIGHT, ANSWERS, reason="at chance")
        """
    )
    result = world.clip("test_own.py", "--clip-report=json:r.json")
    result.assert_outcomes(passed=2, failed=1)
    rows = {row["gate"]: row for row in json.loads((world.pytester.path / "r.json").read_text())["gates"]}
    assert [rows["own/a"][key] for key in ("value", "n", "better", "conventions")] == [0.9, 10, "higher", {}]
    assert rows["own/a"]["ci"] == pytest.approx([0.5958, 0.9821], abs=1e-4)
    assert rows["own/b"]["conventions"] == {"prompts": "p"}
    assert (rows["own/c"]["value"], rows["own/c"]["reason"]) == (None, "at chance")
