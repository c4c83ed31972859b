"""The suite that costs minutes runs where somebody asks for it, by name or by a rule of the project, and nowhere else."""

from __future__ import annotations

import pytest

SUITE = """
import pytest

pytestmark = pytest.mark.clip_suite("adversarial")

@pytest.mark.clip_gate("adversarial/robust_accuracy")
def test_robust_accuracy(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.4, n=100, ci=(0.3, 0.5))
"""
TOP1 = "schema = 1\n[gates.'accuracy/top1']\nmin = 0.5\n"
RULE = "[{0}gates.'adversarial/robust_accuracy[linf-0.5]']\nmin = 0.6\n"
NOTHING = ([], ["--clip-suite=all"], ["--clip-list"], ["--clip-list", "--clip-suite=all"])


@pytest.fixture
def attacks(world):
    world.suites(test_adversarial=SUITE)
    world.project(TOP1)
    return world


@pytest.mark.parametrize("options", NOTHING)
def test_an_ordinary_run_does_not_hear_of_it(attacks, options):
    result = attacks.run("--clip-model=stub", "-rs", *options)
    assert "adversarial" not in result.stdout.str() + result.stderr.str()
    assert result.ret == 0


@pytest.mark.parametrize("named", ["adversarial", "adversarial,accuracy", "all,adversarial"])
def test_named_it_runs(attacks, named):
    result = attacks.run("--clip-model=stub", f"--clip-suite={named}", "-o", "clip_unjudged=allow")
    result.stdout.fnmatch_lines(["suite adversarial*5 gates: 5 unjudged*"])
    assert ("suite accuracy" in result.stdout.str()) == (named != "adversarial")


@pytest.mark.parametrize("scope", ["", "model.stub.", "data.scenes."])
def test_a_rule_of_the_project_asks_for_it(attacks, scope):
    attacks.project(TOP1 + RULE.format(scope))
    result = attacks.run("--clip-model=stub")
    result.stdout.fnmatch_lines(["FAILED adversarial/robust_accuracy[[]linf-0.5[]]: 0.4000 < min 0.6000*", "suite accuracy*"])
    assert result.ret == 1
    said = attacks.run("--clip-model=stub", "--clip-list").stdout.str()
    assert "adversarial/robust_accuracy[linf-0.5]" in said


@pytest.mark.parametrize("options", [["--clip-suite=accuracy"], ["--clip-suite=accuracy", "--clip-list"]])
def test_a_rule_for_it_breaks_no_promise_where_another_suite_is_named(attacks, options):
    attacks.project(TOP1 + RULE.format(""))
    result = attacks.run("--clip-model=stub", *options)
    assert "suite adversarial" not in result.stdout.str()
    assert result.ret == 0


def test_a_rule_for_another_model_does_not_ask_for_it(attacks):
    attacks.project(TOP1 + RULE.format("model.other."))
    result = attacks.run("--clip-model=stub")
    assert "suite adversarial" not in result.stdout.str()
    assert result.ret == 0
