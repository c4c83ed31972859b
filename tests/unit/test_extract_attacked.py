"""Attacked answers: stored once, resumed where a run was killed, the same question under the same key only."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pytest_clip import ModelError
from pytest_clip.extract.attacked import Attacked, grouped
from pytest_clip.extract.zeroshot import ZeroShot
from pytest_clip.models.gradients import NoGradientsError, normalized, way
from pytest_clip.models.protocol import UnableError
from pytest_clip.views.attacks import BUDGETS

N, SIDE = 40, 6
WEIGHTS = np.random.default_rng(0).normal(size=(3 * SIDE * SIDE, 8))


class KilledError(Exception):
    """A run that ends here."""


class Linear:
    """Embeds pictures linearly and counts what it is asked."""

    label, fingerprint, device, precision, image_size, facts = "linear", "0" * 16, "cpu", "fp32", (SIDE, SIDE), {}
    logit_scale, logit_bias = 10.0, None

    def __init__(self, stop=None):
        self.asked, self.stop = 0, stop

    def from_pixels(self, pixels):
        self.asked += 1
        if self.stop is not None and self.asked > self.stop:
            raise KilledError
        rows = (pixels - 0.5).flatten(1) @ torch.from_numpy(WEIGHTS).float()
        return torch.nn.functional.normalize(rows, dim=1)


def pictures():
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (N, 3, SIDE, SIDE), dtype=np.uint8))


def answers(classes=5, *, names=None, accepted=None, wrong=6):
    """Zero-shot answers of `Linear`; the first `wrong` images have a label that is not the answer."""
    heads = np.random.default_rng(2).normal(size=(classes, 8))
    heads /= np.linalg.norm(heads, axis=1, keepdims=True)
    with torch.no_grad():
        cosines = Linear().from_pixels(pictures().float() / 255).double().numpy() @ heads.T
    labels = cosines.argmax(1)
    labels[:wrong] = (labels[:wrong] + 1) % classes
    named = tuple(names or (f"class {k}" for k in range(classes)))
    ids = tuple(f"clean/{k:03d}" for k in range(N))
    return heads, ZeroShot(cosines, labels, 10.0, ids, named, "abc", 1, accepted=accepted)


def attacked(tmp_path, model=None, *, steps=6, **how):
    heads, found = answers(**how)
    model = model or Linear()
    return Attacked(model, found, tmp_path, {"model": "m"}, lambda rows: pictures()[list(rows)], lambda: heads, steps)


def test_robust_accuracy_falls_with_the_budget_and_never_exceeds_clean(tmp_path):
    these = attacked(tmp_path)
    curve = [these.answers.right, *(these.survived(name) for name in BUDGETS)]
    assert curve[0].sum() == N - 6
    for more, less in pairwise(curve):
        assert not (less & ~more).any()
    assert curve[-1].sum() < curve[0].sum()
    assert these.blind() is None


def test_the_smallest_break_agrees_with_every_budget(tmp_path):
    these = attacked(tmp_path)
    breaks = these.breaks()
    assert (breaks[:6] == 0).all()
    for name, eps in BUDGETS.items():
        np.testing.assert_array_equal(breaks > eps * 255, these.survived(name))
    assert np.isinf(breaks[these.survived("linf-4")]).all()


@pytest.mark.parametrize(("classes", "names", "targets"), [(5, None, 4), (12, None, 9), (4, "aabc", 2)])
def test_targets_are_the_published_nine_or_as_many_as_there_are(tmp_path, classes, names, targets):
    """Classes of one name are one class."""
    assert attacked(tmp_path, classes=classes, names=names).targets == targets


def test_a_second_run_attacks_nothing(tmp_path):
    first = attacked(tmp_path)
    once, blind = first.breaks(), first.blind()
    again = attacked(tmp_path, Linear(stop=0))
    np.testing.assert_array_equal(again.breaks(), once)
    assert again.blind() == blind
    for name in BUDGETS:
        np.testing.assert_array_equal(again.survived(name), first.survived(name))


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path):
    whole = attacked(tmp_path / "whole")
    once, all_ = whole.breaks(), whole.model.asked
    interrupted = attacked(tmp_path / "killed", Linear(stop=all_ // 2))
    with pytest.raises(KilledError):
        interrupted.breaks()
    resumed = attacked(tmp_path / "killed")
    np.testing.assert_array_equal(resumed.breaks(), once)
    assert resumed.model.asked < 0.8 * all_


@pytest.mark.parametrize("other", [{"steps": 7}, {"classes": 4}, {"wrong": 5}, {"names": "vwxyz"}])
def test_another_question_is_another_entry(tmp_path, other):
    attacked(tmp_path).survived("linf-0.25")
    asked = attacked(tmp_path, Linear(stop=0), **other)
    with pytest.raises(KilledError):
        asked.survived("linf-0.25")


def test_one_of_several_right_classes_is_enough(tmp_path):
    """With all classes accepted no attack can break an answer; with the label alone it can."""
    everything = tuple(tuple(range(4)) for _ in range(N))
    some = attacked(tmp_path, accepted=everything)
    alone = attacked(tmp_path)
    assert some.survived("linf-4").sum() > alone.survived("linf-4").sum()


def test_what_has_no_wrong_answer_cannot_be_broken(tmp_path):
    everything = tuple(tuple(range(5)) for _ in range(N))
    these = attacked(tmp_path, Linear(stop=0), accepted=everything)
    assert these.survived("linf-4").all()
    assert np.isinf(these.breaks()).all()


def test_of_classes_with_one_name_the_first_is_attacked(tmp_path):
    """The second would be a tie with the first, and a tie is wrong: every image of the two would count as broken at once."""
    heads, found = answers(wrong=0)
    twice = np.concatenate([heads, heads[:1]])
    cosines = np.concatenate([found.cosines, found.cosines[:, :1] - 1e-9], 1)
    doubled = ZeroShot(cosines, found.labels, 10.0, found.ids, (*found.classes, found.classes[0]), "abc", 1)
    plain = Attacked(Linear(), found, tmp_path / "a", {}, lambda rows: pictures()[list(rows)], lambda: heads, 6)
    same = Attacked(Linear(), doubled, tmp_path / "b", {}, lambda rows: pictures()[list(rows)], lambda: twice, 6)
    np.testing.assert_array_equal(plain.survived("linf-1"), same.survived("linf-1"))


def test_a_classifier_is_attacked_by_the_scores_of_the_classes_of_the_data(tmp_path):
    heads, found = answers(wrong=0)

    class Scores(Linear):
        names = ("another", *reversed(found.classes), "a last one")

        def class_scores(self, images):
            raise AssertionError("answers are stored")

        def from_pixels(self, pixels):
            logits = 10 * super().from_pixels(pixels) @ torch.from_numpy(heads[::-1].T.copy()).float()
            return torch.cat([logits[:, :1] + 100, logits, logits[:, :1] + 100], 1)  # what the data does not have counts for nothing

    scored = ZeroShot(found.logits, found.labels, 1.0, found.ids, found.classes, "", 0, scorer="scores")
    theirs = Attacked(Scores(), scored, tmp_path / "a", {}, lambda rows: pictures()[list(rows)], lambda: heads, 6)
    ours = attacked(tmp_path / "b", wrong=0)
    np.testing.assert_allclose(theirs.survived("linf-1").mean(), ours.survived("linf-1").mean(), atol=1 / N)


def test_a_model_that_rounds_is_not_measured_and_says_so(tmp_path):
    class Rounding(Linear):
        def from_pixels(self, pixels):
            return super().from_pixels((pixels * 32).round() / 32)

    told = attacked(tmp_path, Rounding()).blind()
    assert told is not None
    assert "100% of 34 images have no gradient" in told
    assert "the model rounds, cuts off or draws lots on its way" in told


def test_a_model_without_gradients_is_not_able(tmp_path):
    class Plain:
        label, fingerprint, device, precision, facts = "ours", "1" * 16, "cpu", "fp32", {}

    with pytest.raises(NoGradientsError, match=r"^ours gives no gradients of its answers by pixels: it has no method from_pixels"):
        attacked(tmp_path, Plain()).survived("linf-1")
    assert issubclass(NoGradientsError, UnableError)


def test_nan_under_attack_is_an_error(tmp_path):
    class Broken(Linear):
        def from_pixels(self, pixels):
            return super().from_pixels(pixels) * float("nan")

    with pytest.raises(ModelError, match="from_pixels of the model linear returned NaN or inf for an attacked picture; use fp32"):
        attacked(tmp_path, Broken()).survived("linf-1")


def test_sets_whose_answers_are_put_together_are_left_alone():
    assert grouped(SimpleNamespace(name="clean", members=None, worst_of=None)) is None
    told = grouped(SimpleNamespace(name="clean", members=((0, 1), (2,)), worst_of=None))
    assert told == "the answers on clean are put together from several classes or images, and only plain ones are attacked"


def test_normalised_keeps_the_gradient_and_the_numbers():
    pixels = torch.rand(2, 3, 4, 4, requires_grad=True)
    out = normalized(pixels, {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.25, 2.0]})
    np.testing.assert_allclose(out[1, 1].detach().numpy(), (pixels[1, 1].detach().numpy() - 0.2) / 0.25, rtol=1e-6)
    out.sum().backward()
    np.testing.assert_allclose(pixels.grad[0, :, 0, 0].numpy(), [2, 4, 0.5])
    assert way(SimpleNamespace(from_pixels=len)) is len
