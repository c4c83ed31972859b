"""FARE's loss: zero where nothing is attacked and nothing learned, larger under attack, within its box, and no word touched."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_clip.models import bundled, derived
from pytest_clip.train.hardened import Hardened
from pytest_clip.train.recipe import RECIPES

MEAN, STD = torch.full((3, 1, 1), 0.5), torch.full((3, 1, 1), 0.25)
NAME = "scenes-rn-robust"


class Tiny(nn.Module):
    """Two towers, of which one sees."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.visual = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 36, 6))
        self.words, self.logit_scale = nn.Linear(4, 6), nn.Parameter(torch.tensor(2.0))
        self.seen = []
        self.visual.register_forward_pre_hook(lambda _, args: self.seen.append(args[0].detach().clone()))


def hardened(**how):
    model = Tiny().train()
    return model, Hardened(model, replace(RECIPES[NAME], **how), mean=MEAN, std=STD)


def asked(objective, images):
    return objective(image=images, text=torch.zeros(0), facts=torch.zeros(0))


@pytest.fixture
def images():
    return (torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1)) - MEAN) / STD


def test_before_a_step_only_the_attack_costs_anything(images):
    torch.manual_seed(0)
    _, objective = hardened(attack=8.0, attack_steps=4)
    loss, terms = asked(objective, images)
    assert float(terms["clean"]) == 0
    assert float(loss.detach()) > 1e-5
    _, weak = hardened(attack=1.0, attack_steps=4)
    torch.manual_seed(0)
    assert float(asked(weak, images)[0].detach()) < float(loss.detach())


def test_the_attack_beats_noise_of_its_size(images):
    torch.manual_seed(0)
    model, objective = hardened(attack=8.0, attack_steps=4)
    loss, _ = asked(objective, images)
    noise = images + 8 / 255 / STD * (torch.randint(0, 2, images.shape) * 2 - 1)
    with torch.no_grad():
        aim, there = model.visual(images), model.visual(noise)
    assert float(loss.detach()) > 2 * float((aim - there).square().sum(1).mean())


def test_attacked_pictures_stay_within_the_budget_and_in_the_box(images):
    model, objective = hardened(attack=6.0, attack_steps=3)
    asked(objective, images)
    attacked = [each for each in model.seen if not torch.equal(each, images)]
    assert len(attacked) == 4  # three steps, and what they led to
    for each in attacked:
        pixels = each * STD + MEAN
        assert -1e-5 <= float(pixels.min()) <= float(pixels.max()) <= 1 + 1e-5
        assert float((pixels - images * STD - MEAN).abs().max()) <= 6 / 255 + 1e-5


def test_only_the_tower_that_sees_learns_and_statistics_stay(images):
    model, objective = hardened(attack=4.0)
    statistics = model.visual[1].running_mean.clone()
    loss, _ = asked(objective, images)
    loss.backward()
    assert model.words.weight.grad is None
    assert model.logit_scale.grad is None
    assert float(model.visual[0].weight.grad.abs().sum()) > 0
    assert torch.equal(model.visual[1].running_mean, statistics)
    assert objective.scale == pytest.approx(7.389, abs=1e-3)


def test_steps_along_the_loss_make_it_smaller(images):
    torch.manual_seed(0)
    model, objective = hardened(attack=8.0)
    optimizer = torch.optim.Adam(model.visual.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss, _ = asked(objective, images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_the_factors_of_the_hardened_model():
    """It differs from its start in what it was fine-tuned on and by which loss, and the record says what that cost."""
    found, start = derived.of_bundled(NAME), derived.of_bundled("scenes-rn-base")
    assert (found.loss, start.loss) == ("softmax+classification+fare", "softmax+classification")
    assert (found.finetuned_on, start.finetuned_on) == ("scenes:sampled", "none")
    assert found.training_set_size == start.training_set_size
    assert found.samples_seen == start.samples_seen + 250 * 128
    record = bundled.record(NAME)
    assert record["metrics_before"] == bundled.record("scenes-rn-base")["metrics"]
    assert record["metrics"]["robust_accuracy_linf-2"] > 0.3
    assert 0 < record["metrics_before"]["top1_clean"] - record["metrics"]["top1_clean"] < 0.05
