"""Answers under every corruption of a suite, and the numbers that the suites make from them, on answers that are made up."""

import importlib.util
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_clip.data.depth import Origin
from pytest_clip.extract import corrupted as module
from pytest_clip.extract.corrupted import Corrupted
from pytest_clip.gates.ids import GateId
from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_3DCC, ALEXNET_IMAGENET_C
from pytest_clip.metrics.intervals import ratio_interval
from pytest_clip.plugin.suites import SUITES
from pytest_clip.views import VERSION

N = 40


def answers(right, *, chance=None):
    return SimpleNamespace(right=right, ids=tuple(map(str, range(len(right)))), conventions={"classes": 9}, at_chance=chance)


class Asked:
    """Answers by view: of image i under severity s of the k-th kind asked for, right where a fixed draw says so."""

    def __init__(self, *, chance=None):
        self.views, self.chance = [], chance

    def __call__(self, name, *, first, view=None):
        self.views.append(view)
        assert (name, first) == ("clean", N)
        if view is None:
            return answers(np.arange(N) % 10 > 0, chance=self.chance)
        kind, _, severity = view.name.partition("-")
        rng = np.random.default_rng([*kind.encode()])
        return answers(rng.random(N) < 0.9 - 0.1 * int(severity))


DATA = SimpleNamespace(sets=(), images=lambda name: None)


def of(*kinds, chance=None):
    return Corrupted(Asked(chance=chance), DATA, kinds, N)


def suite(name):
    spec = importlib.util.spec_from_file_location(f"{name}_suite", SUITES / f"test_{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def judged(test, it, gate, **more):
    """What a test of a suite hands to its gate."""
    told = {}

    def keep(of, value, **facts):
        told.update(facts, gate=str(of), value=value)

    def judge(number, *, reason=None):
        it.judge(keep, GateId.parse(gate), number, reason=reason)

    test(judge, corrupted=it, **more)
    return SimpleNamespace(**told)


def case(text):
    return SimpleNamespace(slice=text)


def test_cells_and_means():
    it, flat = of("fog", "snow"), suite("corruptions")
    one = judged(flat.test_accuracy, it, "corruptions/accuracy[fog-3]", clip_case=case("fog-3"))
    mean = judged(flat.test_accuracy, it, "corruptions/accuracy[fog]", clip_case=case("fog"))
    cells = it.right("fog")
    assert (cells.shape, it.table.shape) == ((5, N), (2, 5, N))
    assert (one.value, one.n) == (cells[2].mean(), N)
    assert mean.value == pytest.approx(cells.mean())
    assert one.per_image.ids == tuple(map(str, range(N)))
    np.testing.assert_allclose(mean.per_image.arrays["correct"], cells.mean(0))
    assert one.conventions == {"classes": 9, "images": N, "views": VERSION, "measured": {"without": 0.9}}
    for each in (one, mean):
        assert each.ci[0] < each.value < each.ci[1]
    error = judged(flat.test_mce_unnormalised, it, "corruptions/mce_unnormalised")
    assert error.value == pytest.approx(1 - it.table.mean())
    assert error.conventions["kinds"] == ("fog", "snow")
    added = judged(flat.test_relative_mce_unnormalised, it, "corruptions/relative_mce_unnormalised")
    assert added.value == pytest.approx(0.9 - it.table.mean())


@pytest.mark.parametrize(("name", "alexnet"), [("corruptions", ALEXNET_IMAGENET_C), ("corruptions_3d", ALEXNET_IMAGENET_3DCC)])
def test_normalised_errors_are_those_of_the_paper(name, alexnet, monkeypatch):
    monkeypatch.setattr(module, "origin", lambda images: Origin("exact"))
    it, tests = of(*alexnet.errors), suite(name)
    errors = {kind: 1 - it.right(kind).mean() for kind in alexnet.errors}
    got = judged(tests.test_mce, it, f"{name}/mce")
    assert got.value == pytest.approx(np.mean([errors[kind] / alexnet.errors[kind] for kind in errors]))
    relative = judged(tests.test_relative_mce, it, f"{name}/relative_mce")
    assert relative.value == pytest.approx(np.mean([(errors[k] - 0.1) / (alexnet.errors[k] - alexnet.clean) for k in errors]))
    for each in (got, relative):
        assert each.ci[0] < each.value < each.ci[1]
        (of_image,) = each.per_image.arrays.values()
        assert of_image.mean() == pytest.approx(each.value)


def test_a_rise_is_found_and_a_model_at_chance_has_no_loss(capsys):
    it, flat = of("fog"), suite("corruptions")
    rise = judged(flat.test_largest_rise, it, "corruptions/largest_rise[fog]", clip_case=case("fog"))
    assert (rise.value, rise.per_image.statistic, rise.ci) == (0.0, "largest_rise", None)
    it = replace(it, ask=lambda name, first, view=None: answers(np.arange(N) < (8 * int(view.name[-1]) if view else N)))
    rise = judged(flat.test_largest_rise, it, "corruptions/largest_rise[fog]", clip_case=case("fog"))
    assert rise.value == pytest.approx(0.8)
    assert "fog: accuracy rises by 0.800 from severity 1 to 5" in capsys.readouterr().out
    lost = judged(flat.test_relative_mce_unnormalised, of("fog", chance="no skill"), "corruptions/relative_mce_unnormalised")
    assert (lost.value, lost.reason) == (None, "no skill")


def test_answers_under_estimated_depth_are_kept_apart_by_the_model_that_estimated_it(monkeypatch):
    """Files and scenes are covered by the fingerprint of the image set; what a model says of them is not."""

    def keys(where):
        monkeypatch.setattr(module, "origin", lambda images: where)
        it = of("fog_3d", "color_quant")
        it.table.shape  # noqa: B018 - asks
        return {view.name: view.key for view in it.ask.views}

    exact, first, second = keys(Origin("exact")), keys(Origin("by a", "aa")), keys(Origin("by b", "bb"))
    assert exact["fog_3d-1"] == f"fog_3d-1-v{VERSION}"
    assert len({each["fog_3d-1"] for each in (exact, first, second)}) == 3
    assert exact["color_quant-1"] == first["color_quant-1"] == second["color_quant-1"]


def test_where_depth_comes_from_is_told_where_it_matters(monkeypatch):
    monkeypatch.setattr(module, "origin", lambda images: Origin("files"))
    it, deep = of("fog_3d", "color_quant"), suite("corruptions_3d")
    for name, told in (("fog_3d-2", "files"), ("color_quant-2", None)):
        got = judged(deep.test_accuracy, it, f"corruptions_3d/accuracy[{name}]", clip_case=case(name))
        assert got.conventions.get("depth") == told
    assert judged(deep.test_mce_unnormalised, it, "corruptions_3d/mce_unnormalised").conventions["depth"] == "files"
    monkeypatch.setattr(module, "origin", lambda images: pytest.fail("asked"))  # hashing a depth model takes a second
    assert judged(suite("corruptions").test_mce_unnormalised, of("fog"), "corruptions/mce_unnormalised").value < 1
    assert replace(it, kinds=("color_quant",)).depth is None


def on_portraits(test, *, before, after, chance=None):
    """What a test of portraits hands to its gate."""
    told = {}

    def keep(of, value, **facts):
        told.update(facts, gate=str(of), value=value)

    keep.share = lambda of, right, answers, **facts: told.update(facts, gate=str(of), value=right.mean(), ids=answers.ids)
    asked = []

    def zero_shot(name, view=None):
        asked.append((name, view and view.name))
        return answers(before if view is None else after, chance=chance)

    gate = GateId.parse("corruptions/studio_accuracy[snow-3]")
    it = SimpleNamespace(slice=gate.slice, gate=gate)
    tests = suite("corruptions")
    getattr(tests, test)(keep, it, tests.portraits.__wrapped__(it, zero_shot))
    assert asked == [("studio", None), ("studio", "snow-3")]
    return SimpleNamespace(**told)


def test_what_is_left_of_portraits_is_a_share_of_the_same_portraits():
    before, after = np.arange(N) < 30, np.arange(N) % 4 > 0  # 30 of 40 each, 22 of them the same
    one = on_portraits("test_studio_accuracy", before=before, after=after)
    kept = on_portraits("test_studio_relative_robustness", before=before, after=after)
    assert (one.value, one.conventions["views"], one.conventions["images"]) == (0.75, VERSION, N)
    assert (kept.value, kept.per_image.value, kept.per_image.statistic) == (1.0, 1.0, "kept")
    assert kept.ci == ratio_interval(after, before, paired=True)
    assert kept.ci != ratio_interval(after, before, paired=False)
    assert kept.conventions["measured"] == {"corrupted": 0.75, "uncorrupted": 0.75}
    np.testing.assert_array_equal(kept.per_image.right, after)


def test_a_model_that_knows_no_portrait_keeps_nothing_of_them():
    right = np.arange(N) < 4
    kept = on_portraits("test_studio_relative_robustness", before=right, after=right, chance="no skill")
    assert (kept.value, kept.ci, kept.reason) == (None, None, "no skill")
    assert on_portraits("test_studio_accuracy", before=right, after=right, chance="no skill").value == 0.1
