"""From pixels to answers with gradients, of every kind of model: the same answers, and the slope that finite differences have."""

from pathlib import Path

import pytest
import tiny_hf
import tiny_models
import tiny_photo
import torch

from pytest_clip.models import reader, spec
from pytest_clip.models.conse import ConSE
from pytest_clip.models.gradients import NoGradientsError, way
from pytest_clip.models.protocol import is_classifier
from pytest_clip.models.sentences import load as sentences
from pytest_clip.mutants.damaged import Damage, Damaged


def open_clip(config):
    return lambda where: f"local-dir:{tiny_models.folder(where / 'oc', config)}"


KINDS = {
    "vit": open_clip(tiny_models.VIT), "resnet": open_clip(tiny_models.RESNET),
    "timm": lambda where: "timm:test_vit,random", "bundled": lambda where: "scenes-rn-head",
    **{kind: lambda where, kind=kind: f"hf:{tiny_hf.folder(where / kind, kind)}" for kind in tiny_hf.KINDS},
}  # fmt: skip


def load(text, **how):
    return reader.load(spec.parse(text), device="cpu", cache_dir=Path(), **how)


@pytest.fixture(scope="module", params=[*KINDS, "conse"])
def model(request, tmp_path_factory):
    where = tmp_path_factory.mktemp(request.param)
    if request.param == "conse":
        texts = sentences(tiny_photo.sentence_folder(where), device="cpu", precision="fp32")
        return ConSE(tiny_photo.classifier(), texts, label="conse", logit_scale=10.0)
    return load(KINDS[request.param](where))


@pytest.fixture
def pixels(model):
    levels = torch.randint(0, 256, (3, 3, *model.image_size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return levels, levels.float() / 255


def test_the_answers_are_those_without_gradients(model, pixels):
    levels, floats = pixels
    asked = model.class_scores if is_classifier(model) else model.encode_image
    torch.testing.assert_close(way(model)(floats).detach(), asked(model.normalize(levels)), rtol=1e-4, atol=1e-5)


def test_the_slope_is_the_slope(model, pixels):
    """Against a difference of both sides, along the gradient itself: where the answer changes most."""
    _, floats = pixels
    floats = floats * 0.8 + 0.1
    weights = torch.randn(3, way(model)(floats).shape[1], generator=torch.Generator().manual_seed(1))

    def told(x):
        return (way(model)(x) * weights).sum((1,))

    asked = floats.clone().requires_grad_()
    (slope,) = torch.autograd.grad(told(asked).sum(), asked)
    assert bool((slope.flatten(1).norm(dim=1) > 0).all())
    along = slope / slope.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    with torch.no_grad():
        step = 3e-2
        found = (told(floats + step * along) - told(floats - step * along)) / (2 * step)
    torch.testing.assert_close(found, slope.flatten(1).norm(dim=1), rtol=0.1, atol=1e-3)


def test_weights_get_no_gradient_and_stay(model, pixels):
    _, floats = pixels
    before = model.fingerprint
    asked = floats.clone().requires_grad_()
    way(model)(asked).sum().backward()
    assert asked.grad is not None
    assert all(weight.grad is None for weight in model.module.parameters())
    assert model.fingerprint == before


def test_half_precision_has_gradients(tmp_path):
    model = load(f"local-dir:{tiny_models.folder(tmp_path)}", precision="bf16")
    asked = torch.rand(2, 3, 32, 32).requires_grad_()
    way(model)(asked)[:, 0].sum().backward()
    assert bool((asked.grad.flatten(1).abs().amax(1) > 0).all())


def test_a_damage_behind_the_towers_has_no_gradient(tmp_path):
    model = load(f"local-dir:{tiny_models.folder(tmp_path)}")
    damaged = Damaged(model, Damage("unnormalised", embed=lambda sound, batch: batch), label="m~unnormalised")
    with pytest.raises(NoGradientsError, match="m~unnormalised: the damage is behind the towers, and has no gradient"):
        way(damaged)
    assert way(Damaged(model, Damage("scaled", scale=2.0), label="m~scaled")) is not None
