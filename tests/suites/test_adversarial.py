"""The adversarial suite on models that ship: beside a kept library, a hardened model beside the one it came from, a model that hides."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pytest_clip.data import load as load_data
from pytest_clip.extract.extraction import Extraction
from pytest_clip.models import reader, spec
from pytest_clip.views.attacks.search import broken

QUICK = "-o", "clip_adversarial_images=57", "-o", "clip_adversarial_steps=5"
HIDES = """
    from pathlib import Path
    import torch
    from pytest_clip.models import openclip
    from pytest_clip.models.spec import parse

    class Hiding:
        '''Pictures of 65 levels: as accurate as before, and no small change of a pixel moves an answer a little.'''

        def __init__(self, model):
            self._model, self.label, self.fingerprint = model, "hides", "a77ac4ed00000001"

        def __getattr__(self, name):
            return getattr(self._model, name)

        def from_pixels(self, pixels):
            return self._model.from_pixels((pixels * 64).round() / 64)

    def pytest_clip_make_model(spec, config):
        return Hiding(openclip.load(parse("scenes-rn-base"), device="cpu", cache_dir=Path(__file__).parent / "models"))
"""
WITHOUT = (
    HIDES.replace("def from_pixels", "def _from_pixels")
    .replace('"a77ac4ed00000001"', '"a77ac4ed00000002"')
    .replace(
        "return getattr(self._model, name)",
        'if name == "from_pixels":\n                raise AttributeError(name)\n            return getattr(self._model, name)',
    )
)


class Attackable(torch.nn.Module):
    """The zero-shot classifier of a bundled model on pixels, the first images that it is right about, and their labels."""

    def __init__(self, name, cache, *, n):
        super().__init__()
        model, data = reader.load(spec.parse(name), device="cpu", cache_dir=cache), load_data("scenes")
        extraction = Extraction(cache=cache)
        answers = extraction.zero_shot(model, data, "clean", first=190)
        rows = np.flatnonzero(answers.right)[:n]
        self.images = extraction.pictures(model, data, "clean", first=190)[rows].float() / 255
        self.labels, self.ids = answers.labels[rows], [answers.ids[row] for row in rows]
        self.classes, self.model = len(answers.classes), model
        self.heads = torch.from_numpy(answers.scale * extraction.classifier(model, data).T).float()

    def forward(self, pixels):
        return self.model.from_pixels(pixels) @ self.heads


def ours(on, levels, *, steps):
    """Share of the images that stay right."""
    right = torch.nn.functional.one_hot(torch.from_numpy(on.labels), on.classes).bool()
    return 1 - float(broken(on, on.images, right, on.ids, eps=torch.full((len(on.ids),), levels / 255), steps=steps).float().mean())


def theirs(on, levels, *, steps):
    """The same by ART's Auto-PGD: both of its losses, and an image stays right only if it withstands both."""
    from art.attacks.evasion import AutoProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    shape = tuple(on.images.shape[1:])
    classifier = PyTorchClassifier(
        on, loss=torch.nn.CrossEntropyLoss(), input_shape=shape, nb_classes=on.classes, clip_values=(0, 1), device_type="cpu"
    )
    left = np.ones(len(on.labels), bool)
    np.random.seed(0)  # the library draws from it
    for loss in ("cross_entropy", "difference_logits_ratio"):
        how = {"eps": levels / 255, "eps_step": 2 * levels / 255, "max_iter": steps, "loss_type": loss, "batch_size": 32}
        attack = AutoProjectedGradientDescent(classifier, norm=np.inf, nb_random_init=1, verbose=False, **how)
        attacked = torch.from_numpy(attack.generate(on.images.numpy(), on.labels))
        with torch.no_grad():
            left &= on(attacked).argmax(1).numpy() == on.labels
    return float(left.mean())


def test_no_weaker_than_a_kept_library_on_a_few_images(cache):
    on = Attackable("scenes-rn-base", cache, n=16)
    assert ours(on, 1.0, steps=10) <= theirs(on, 1.0, steps=10) + 1 / 16


@pytest.mark.slow
@pytest.mark.parametrize(("name", "levels"), [("scenes-rn-base", 1.0), ("scenes-rn-robust", 2.0)])
def test_no_weaker_than_a_kept_library_at_100_steps(cache, name, levels):
    """Robust accuracy on the same images is not above that of ART by more than a point."""
    on = Attackable(name, cache, n=100)
    assert ours(on, levels, steps=100) <= theirs(on, levels, steps=100) + 0.01


@pytest.mark.slow
def test_a_hardened_model_passes_where_the_one_it_came_from_fails(measure, tmp_path):
    """By one rule for both, on the images and steps of the suite; the hardened one with room, and by its shipped rules, too."""
    (tmp_path / "thresholds.toml").write_text('schema = 1\n[gates."adversarial/robust_accuracy[linf-2]"]\nmin = 0.25\n', encoding="utf-8")
    gate = "adversarial/robust_accuracy[linf-2]"
    status, hardened, output = measure("--clip-model=scenes-rn-robust", "--clip-suite=adversarial")
    assert status == 0, output
    assert hardened[gate]["verdict"] == "pass"
    assert hardened[gate]["ci"][0] > 0.25
    assert sum(row["verdict"] == "pass" for row in hardened.values()) == 3
    status, before, output = measure("--clip-model=scenes-rn-base", "--clip-suite=adversarial")
    assert status == 1
    assert {name for name, row in before.items() if row["verdict"] == "fail"} == {gate}, output
    assert before[gate]["ci"][1] < 0.25
    for row in (hardened, before):
        curve = [row[f"adversarial/robust_accuracy[linf-{level}]"]["value"] for level in ("0.25", "0.5", "1", "2", "4")]
        assert curve == sorted(curve, reverse=True)


def test_a_model_whose_gradients_lead_nowhere_is_not_measured(measure):
    status, rows, output = measure(
        "--clip-model=hides", "--clip-suite=adversarial", *QUICK, "-k", "linf-2 or median", "-rs", conftest=HIDES
    )
    assert {row["verdict"] for row in rows.values()} == {"not_measured"}, output
    reasons = {row["reason"] for row in rows.values()}
    assert len(reasons) == 1
    assert reasons.pop().startswith("an attack along gradients would find nothing, however little there is to find: 100% of ")
    assert status == 1  # a run that judged nothing says nothing


def test_a_model_without_gradients_is_skipped_with_the_reason(measure, tmp_path):
    (tmp_path / "thresholds.toml").write_text('schema = 1\n[gates."accuracy/top1[clean]"]\nmin = 0.5\n', encoding="utf-8")
    asked = "--clip-suite=adversarial,accuracy", "-k", "linf-2 or (top1 and clean)"
    status, rows, output = measure("--clip-model=plain", *asked, *QUICK, "-rs", conftest=WITHOUT)
    assert status == 0, output
    assert "adversarial: what needs them is not measured: hides gives no gradients of its answers by pixels" in " ".join(output.split())
    assert not any(gate.startswith("adversarial") and row["value"] is not None for gate, row in rows.items())


def test_a_second_run_attacks_nothing(measure, tmp_path):
    """Whatever the model would say now: outcomes come from the store, whole."""
    options = "--clip-model=again", "--clip-suite=adversarial", *QUICK, "-k", "linf-0.25", "-o", "clip_unjudged=allow"
    counting = HIDES.replace("(pixels * 64).round() / 64", "pixels").replace(
        '"a77ac4ed00000001"', f'"{abs(hash(str(tmp_path))):016x}"[:16]'
    )
    status, first, output = measure(*options, conftest=counting)
    assert status == 0, output
    refusing = counting.replace("return self._model.from_pixels(pixels)", "raise AssertionError('attacked again')")
    assert refusing != counting
    status, second, output = measure(*options, conftest=refusing)
    assert status == 0, output
    gate = "adversarial/robust_accuracy[linf-0.25]"
    assert first[gate]["value"] == second[gate]["value"]
    assert first[gate]["conventions"]["eps"] == "0.25/255"
    assert first[gate]["conventions"]["steps"] == 5
    assert first[gate]["conventions"]["targets"] == 9
    assert Path(tmp_path, "report.json").is_file()
