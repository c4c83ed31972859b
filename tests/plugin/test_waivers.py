"""Waivers excuse what they say and nothing longer, and severity = "warn" is never green in silence."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

RULES = """
schema = 1
[gates."accuracy/top1"]
min = 0.8
[gates."ood/auroc"]
min = 0.7
"""


def waiver(gate: str, until: str = "2999-01-01", **more: str) -> str:
    scope = "".join(f'{key} = "{name}"\n' for key, name in more.items())
    return f'[[waiver]]\ngate = "{gate}"\nreason = "#41"\nuntil = {until}\n{scope}'


def test_a_waived_gate_passes_and_is_counted(world):
    world.project(RULES + waiver("accuracy/top1[shift_far]"))
    result = world.clip()
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["WAIVED accuracy/top1[[]shift_far]: *: waived until 2999-01-01: #41 *", "5 gates: 1 waived, *"])


def test_an_expired_waiver_stops_the_run_before_the_model_loads(world):
    world.project(RULES + waiver("accuracy/top1[shift_far]", until="2026-01-01"))
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*thresholds.toml:10: the waiver of accuracy/top1[[]shift_far] expired on 2026-01-01; *"])
    assert world.loads == []


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("accuracy/topp1[clean]", "*thresholds.toml:8: unknown gate 'accuracy/topp1[[]clean]'; did you mean 'accuracy/top1'?"),
        ("accuracy/top1[cleen]", "*thresholds.toml:8: unknown slice 'cleen' of accuracy/top1 on scenes; did you mean 'clean'?"),
    ],
)
def test_a_waiver_of_an_unknown_gate_is_a_usage_error(world, gate, message):
    world.project(RULES + waiver(gate))
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert world.loads == []


def test_a_stale_waiver_fails_the_gate_that_passes(world):
    world.project(RULES + waiver("accuracy/top1[clean]"))
    result = world.clip("--clip-suite=accuracy", "-k", "top1 and clean")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["accuracy/top1[[]clean]: 0.9000 *: stale waiver, the gate passes; remove thresholds.toml:7 (#41)"])


def test_a_waiver_that_no_test_measures_fails_the_run(world):
    world.project(RULES + waiver("accuracy/mean_per_class[clean]") + waiver("ood/aupr_in[near]"))
    result = world.clip("--clip-suite=accuracy", "--clip-report=json:r.json")
    result.assert_outcomes(passed=3, failed=2)  # ood does not run, so nothing is said of its waiver
    message = "thresholds.toml:7: waiver of accuracy/mean_per_class[clean] excuses nothing: no test of this run measures that gate"
    result.stdout.fnmatch_lines([message.replace("[", "[[]")])
    rows = json.loads((world.pytester.path / "r.json").read_text())["gates"]
    (row,) = [row for row in rows if row["gate"] == "accuracy/mean_per_class[clean]"]
    assert (row["verdict"], row["waiver"]) == ("fail", {"source": "thresholds.toml:7", "reason": "#41", "until": "2999-01-01"})
    world.clip("--clip-suite=accuracy", "-k", "top1").stdout.fnmatch_lines(["NOT SELECTED 1 rule of these suites (narrowed by -k)"])


def test_a_waiver_of_a_gate_that_no_rule_judges_is_said(world):
    world.project("schema = 1\n" + waiver("accuracy/top1[clean]"))
    result = world.clip("--clip-suite=accuracy", "-o", "clip_unjudged=allow")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["WAIVER thresholds.toml:2 excuses nothing: no rule judges accuracy/top1[[]clean]"])


def test_a_waiver_for_one_model_and_data_set_leaves_the_others_alone(world):
    for scope in ({"model": "stub"}, {"data": "scenes"}, {"model": "stub", "data": "scenes"}):
        world.project(RULES + waiver("accuracy/top1[shift_far]", **scope))
        world.clip().assert_outcomes(passed=5)
        two = world.run("--clip-model=stub", "--clip-model=stub2", "--clip-suite=accuracy", "-k", "shift_far and top1")
        two.assert_outcomes(passed=2 if "model" not in scope else 1, failed=0 if "model" not in scope else 1, deselected=6)
    for scope in ({"model": "other"}, {"data": "photos"}, {"model": "stub", "data": "photos"}):
        world.project(RULES + waiver("accuracy/top1[shift_far]", **scope) + waiver("accuracy/mean_per_class[clean]", **scope))
        world.clip().assert_outcomes(passed=4, failed=1)


def test_the_waiver_and_its_scope_are_in_the_reports(world):
    world.project(RULES + waiver("accuracy/top1[shift_far]", model="stub"))
    world.clip("--clip-report=json:r.json", "--junitxml=j.xml")
    found = {
        each.get("name"): each.get("value")
        for case in ElementTree.parse(world.pytester.path / "j.xml").iter("testcase")
        for each in case.iter("property")
        if "top1[shift_far]" in case.get("name")
    }
    assert found["clip.verdict"] == "waived"
    waived = {key: value for key, value in found.items() if key.startswith("clip.waiver.")}
    assert waived == {"clip.waiver.reason": "#41", "clip.waiver.until": "2999-01-01", "clip.waiver.model": "stub"}


# severity


def test_a_gate_that_only_warns_passes_its_item_and_looks_nothing_like_green(world):
    world.project(RULES.replace("min = 0.8\n", 'min = 0.8\nseverity = "warn"\n'))
    result = world.clip("--clip-report=json:r.json", "--junitxml=j.xml", "-v")
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["warned"]) == (4, 1)  # the last line of the run
    result.stdout.fnmatch_lines(
        [
            "*test_top1[[]stub-scenes-accuracy/top1[[]shift_far]] WARNED *",
            "WARNED accuracy/top1[[]shift_far]: 0.6000 < min 0.8000 (*): no failure, thresholds.toml:5 says severity = \"warn\"*",
            "suite accuracy  4 gates: 1 warned, *",
            "5 gates: 1 warned, *",
        ]
    )  # fmt: skip
    rows = {row["gate"]: row for row in json.loads((world.pytester.path / "r.json").read_text())["gates"]}
    assert rows["accuracy/top1[shift_far]"]["verdict"] == "warn"
    assert rows["accuracy/top1[shift_far]"]["rule"]["severity"] == "warn"
    assert rows["accuracy/top1[clean]"]["verdict"] == "pass"
    suite = ElementTree.parse(world.pytester.path / "j.xml").getroot().find("testsuite")
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    verdicts = [each.get("value") for each in suite.iter("property") if each.get("name") == "clip.verdict"]
    assert verdicts.count("warn") == 1


def test_colour_of_a_run_with_a_warning_is_yellow(world):
    world.project(RULES.replace("min = 0.8\n", 'min = 0.8\nseverity = "warn"\n'))
    last = world.clip("--color=yes").stdout.lines[-1]
    assert "\x1b[33m" in last
    world.project(RULES.replace("0.8", "0.5"))
    assert "\x1b[33m" not in world.clip("--color=yes").stdout.lines[-1]


def test_a_shipped_rule_can_be_softened_and_a_soft_one_hardened(world):
    world.defaults("schema = 1\n[gates.'ood/auroc']\nmin = 0.9")
    world.project("schema = 1\n[gates.'ood/auroc']\nseverity = 'warn'")
    assert world.clip("--clip-suite=ood").parseoutcomes()["warned"] == 1
    (world.pytester.path / "ci.toml").write_text("schema = 1\n[gates.'ood/auroc[near]']\nseverity = 'fail'")
    world.clip("--clip-suite=ood", "--clip-thresholds=ci.toml").assert_outcomes(failed=1)


def test_a_rule_that_warns_must_be_measured_all_the_same(world):
    world.project("schema = 1\n[gates.'accuracy/mean_per_class']\nmin = 0.4\nseverity = 'warn'")
    world.clip("--clip-suite=accuracy", "-o", "clip_unjudged=allow").assert_outcomes(passed=4, failed=1)


def test_a_test_that_fails_after_its_warning_fails(world):
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.4\nseverity = 'warn'")
    world.pytester.makepyfile(test_own="def test_a(gate):\n    gate('own/a', 0.1, n=5)\n    assert 0")
    result = world.clip("test_own.py")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED own/a: the test failed after its gate was judged warn: assert 0*"])


def test_the_list_says_which_rules_only_warn(world):
    world.project(RULES.replace("min = 0.8\n", 'min = 0.8\nseverity = "warn"\n'))
    world.clip("--clip-list").stdout.fnmatch_lines(["*accuracy/top1[[]clean] *min 0.8 (thresholds.toml:4), only warns"])


# what a message says about repeating it, and names that no test of the run has


def test_the_rerun_command_names_what_decides_about_the_number(world):
    (world.pytester.path / "ci.toml").write_text("schema = 1\n[gates.'ood/auroc']\nmin = 0.9")
    result = world.clip("--clip-suite=ood", "--clip-thresholds=ci.toml", "--clip-limit=20", "--clip-precision=bf16")
    (line,) = [line for line in result.stdout.lines if line.startswith("  rerun")]
    options = "--clip-limit=20 --clip-precision=bf16 --clip-thresholds=ci.toml --clip-suite=ood"
    assert line == f'  rerun        pytest --clip-model=stub {options} -k "ood/auroc[near]"'


def test_a_test_of_ones_own_is_rerun_by_its_node_id(world):
    world.project("schema = 1\n[gates.'own/a']\nmin = 0.9")
    world.pytester.makepyfile(
        test_own="import pytest\n@pytest.mark.clip_gate('own/a')\ndef test_a(gate, clip_case): gate('own/a', 0.5, n=5)"
    )
    result = world.clip("test_own.py")
    result.stdout.fnmatch_lines(["  rerun        pytest --clip-model=stub 'test_own.py::test_a[[]scenes-own/a]'"])
    world.clip("test_own.py::test_a[scenes-own/a]").assert_outcomes(failed=1)


def test_a_mistyped_suite_of_ones_own_is_named(world):
    world.project("schema = 1\n[gates.'ovn/a']\nmin = 0.9\n" + waiver("own/b"))
    world.pytester.makepyfile(
        test_own="import pytest\n@pytest.mark.clip_gate('own/a')\ndef test_a(gate, clip_case): gate('own/a', 0.5, n=5)"
    )
    result = world.clip("test_own.py", "-o", "clip_unjudged=allow")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "thresholds.toml:4: waiver of own/b excuses nothing: no test of this run measures that gate; the one that does needs "
            '@pytest.mark.clip_gate("own/b")',
            "NOT MEASURED suite ovn, named in thresholds.toml:2, has no test in this run; did you mean 'own'?",
        ]
    )
