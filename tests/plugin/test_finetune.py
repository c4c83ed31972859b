"""The suite that needs a path of weights: measured at its end, not reached without one, skipped once when asked for by name."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_clip import ClipError

SUITE = """
import pytest

pytestmark = pytest.mark.clip_suite("finetune")

@pytest.mark.clip_gate("finetune/below_path")
def test_below_path(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 0.04, n=100, ci=(0.01, 0.09))
"""
PATH = "--clip-model=wise:a::b::0:1:0.5"


@pytest.fixture
def paths(world):
    world.suites(test_finetune=SUITE)
    return world


def rows(world):
    return {(row["model"], row["gate"]) for row in json.loads((world.pytester.path / "run.json").read_text("utf-8"))["gates"]}


def test_the_gate_belongs_to_the_end_of_the_path(paths):
    result = paths.run(PATH, "--clip-report=json:run.json")
    found = rows(paths)
    assert {row for row in found if row[1].startswith("finetune")} == {("wise-a-b-1", "finetune/below_path[shift_far]")}
    assert len({model for model, gate in found if gate == "accuracy/top1[clean]"}) == 3
    assert result.ret == 0


@pytest.mark.parametrize("model", ["stub", "wise:a::b::0.5", "wise:a::b::1", "wise:a::b::0:0.5:0.25"])
def test_an_ordinary_run_does_not_hear_of_it(paths, model):
    result = paths.run(f"--clip-model={model}", "-rs")
    assert "finetune" not in result.stdout.str() + result.stderr.str()
    assert result.ret == 0


def test_asked_for_by_name_it_is_skipped_once_with_the_reason(paths):
    result = paths.run("--clip-model=stub", "--clip-model=stub2", "--clip-suite=finetune,accuracy", "-rs")
    result.stdout.fnmatch_lines(["SKIPPED [[]1[]]*no models of this run are a path of weights*add --clip-model=wise:BASE::TUNED::0:1:0.1"])
    assert result.stdout.str().count("SKIPPED") == 1
    assert result.ret == 0


def test_a_rule_for_it_breaks_no_promise_without_a_path(paths):
    paths.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.5\n[gates.'finetune/below_path']\nmax = 0.02")
    assert paths.run("--clip-model=stub").ret == 0
    result = paths.run(PATH, "--clip-suite=finetune")
    result.stdout.fnmatch_lines(["FAILED finetune/below_path[[]shift_far[]]: 0.0400 > max 0.0200*"])


def test_the_list_tells_it_where_there_is_a_path(paths):
    said = paths.run(PATH, "--clip-list", "--clip-suite=finetune").stdout.str()
    assert said.count("finetune/below_path[shift_far]") == 1
    said = paths.run("--clip-model=stub", "--clip-list", "--clip-suite=finetune").stdout.str()
    assert "skipped: no models of this run are a path of weights" in said


def test_two_paths_have_an_end_each(paths):
    paths.run(PATH, "--clip-model=wise:a::c::0.5", "--clip-model=wise:a::c::1", "--clip-report=json:run.json")
    assert {model for model, gate in rows(paths) if gate.startswith("finetune")} == {"wise-a-b-1", "wise-a-c-1"}


def test_all_models_of_the_path_answer_all_images_once(monkeypatch):
    """Made one at a time, in the order of alpha, and forgotten; the end is the model that is there already."""
    from pytest_clip.plugin import pathanswers
    from pytest_clip.session.settings import Settings
    from pytest_clip.session.start import _models

    chosen = _models(Settings(models=("wise:a::b::0:1:0.5",)))
    made, forgotten, end = [], [], SimpleNamespace(alpha=1.0)
    data = object()
    session = SimpleNamespace(
        models=chosen, loaded={chosen[-1].label: end}, data=[SimpleNamespace(label="d")], loaded_data={"d": data},
        reach=SimpleNamespace(gates=lambda metric, choice: [SimpleNamespace(slice=name) for name in ("far", "near")]),
    )  # fmt: skip

    def zero_shot(model, given, name):
        assert given is data
        return SimpleNamespace(right=np.array([model.alpha > 0.25, name == "far"]))

    def make(config, run, choice):
        made.append(choice.label)
        return SimpleNamespace(alpha=float(choice.spec.pretrained))

    monkeypatch.setattr(pathanswers, "make_model", make)
    answers = pathanswers.PathAnswers(None, session, end, data, SimpleNamespace(zero_shot=zero_shot, forget=forgotten.append))
    far = answers("far")
    assert far.alphas == (0.0, 0.5, 1.0)
    assert far.right.tolist() == [[False, True, True], [True, True, True]]
    assert answers("clean").right.tolist() == [[False, True, True], [False, False, False]]
    assert made == [chosen[0].label, chosen[1].label]
    assert [each.alpha for each in forgotten] == [0.0, 0.5]


def test_a_model_that_conftest_puts_in_its_place_has_no_path():
    from pytest_clip.plugin.pathanswers import PathAnswers

    with pytest.raises(ClipError, match=r"conftest\.py puts its own clip_model in the place of every model"):
        PathAnswers(None, SimpleNamespace(loaded={}, models=()), object(), None, None)
