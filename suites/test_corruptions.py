"""Corruptions: what is left of zero-shot accuracy under noise, blur, weather and digital damage, at five severities.

The 15 kinds of ImageNet-C (Hendrycks & Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"),
made in memory at the model's input size, after its resize and before its normalisation, each image from a seed of its own: numbers from the
JPEG files of ImageNet-C differ by points. The ini key `clip_corruptions` chooses other kinds (four more are held out by the paper for
validation), `clip_corruption_images` the number of images.

`mce_unnormalised` is the mean error. The mCE of the papers divides by errors of AlexNet on ImageNet, which say nothing about other data.
"""

import numpy as np
import pytest

from pytest_clip.metrics.corruption import error_table, mean_corruption_error_rate, monotonicity
from pytest_clip.metrics.intervals import bootstrap, seed_from, wilson
from pytest_clip.views import SEVERITIES, VERSION, corruption_view

pytestmark = pytest.mark.clip_suite("corruptions")


@pytest.fixture
def answers(zero_shot, clip_settings):
    """Answers on the first clean images, as they are or seen through a corruption."""

    def of(kind=None, severity=0):
        view = corruption_view(kind, severity) if kind else None
        return zero_shot("clean", first=clip_settings.corruption_images, view=view)

    return of


@pytest.fixture
def right(answers):
    """bool [severities, n]: which images are answered rightly under a kind."""
    return lambda kind, severities=SEVERITIES: np.stack([answers(kind, severity).right for severity in severities])


@pytest.fixture
def conventions(answers):
    """What every number here depends on."""
    return answers().conventions | {"images": len(answers().ids), "views": VERSION}


@pytest.mark.clip_gate("corruptions/accuracy")
def test_accuracy(gate, clip_case, right, conventions):
    """Top-1 under one kind at one severity (`fog-3`), or the mean of its five severities (`fog`)."""
    kind, _, severity = clip_case.slice.partition("-")
    of_image = right(kind, [int(severity)] if severity else SEVERITIES).mean(0)
    n = len(of_image)
    ci = wilson(int(of_image.sum()), n) if severity else bootstrap(np.mean, of_image, seed=seed_from(str(clip_case.gate)))
    gate(clip_case.gate, of_image.mean(), n=n, ci=ci, per_image={"correct": of_image}, conventions=conventions)


@pytest.mark.clip_gate("corruptions/mce_unnormalised")
def test_mce_unnormalised(gate, clip_case, clip_settings, right, conventions):
    """Mean error over all kinds and severities."""
    table = np.stack([right(kind) for kind in clip_settings.corruptions])
    wrong = 1 - table.mean((0, 1))
    gate(
        clip_case.gate, mean_corruption_error_rate(error_table(table)), n=len(wrong),
        ci=bootstrap(np.mean, wrong, seed=seed_from(str(clip_case.gate))), per_image={"error": wrong},
        conventions=conventions | {"kinds": clip_settings.corruptions},
    )  # fmt: skip


@pytest.mark.clip_gate("corruptions/relative_mce_unnormalised")
def test_relative_mce_unnormalised(gate, clip_case, clip_settings, answers, right, conventions):
    """What corruption adds to the clean error of the same images, mean over all kinds and severities."""
    clean = answers()
    added = clean.right - np.stack([right(kind) for kind in clip_settings.corruptions]).mean((0, 1))
    gate(
        clip_case.gate, None if clean.at_chance else added.mean(), n=len(added), reason=clean.at_chance,
        ci=bootstrap(np.mean, added, seed=seed_from(str(clip_case.gate))), per_image={"added": added},
        conventions=conventions | {"kinds": clip_settings.corruptions},
    )  # fmt: skip


@pytest.mark.clip_gate("corruptions/largest_rise")
def test_largest_rise(gate, clip_case, answers, right, conventions):
    """By how much accuracy rises from a severity to any later one: 0 where worse pictures are never answered better."""
    clean, table = answers(), right(clip_case.slice)
    [trend] = monotonicity(error_table(table[None]))
    if trend.between:
        print(f"{clip_case.slice}: accuracy rises by {trend.largest_fall:.3f} from severity {trend.between[0]} to {trend.between[1]}")
    gate(
        clip_case.gate, None if clean.at_chance else trend.largest_fall, n=table.shape[1], reason=clean.at_chance,
        conventions=conventions,
    )  # fmt: skip
