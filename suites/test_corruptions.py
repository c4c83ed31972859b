"""Corruptions: what is left of zero-shot accuracy under noise, blur, weather and digital damage, at five severities.

The 15 kinds of ImageNet-C (Hendrycks & Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"),
made in memory at the model's input size, after its resize and before its normalisation, each image from a seed of its own: numbers from the
JPEG files of ImageNet-C differ by points. The ini key `clip_corruptions` chooses other kinds (four more are held out by the paper for
validation), `clip_corruption_images` the number of images.

`mce_unnormalised` is the mean error. The mCE of the papers divides by errors of AlexNet on the files of ImageNet-C, which say nothing about
other pictures: `mce` and `relative_mce` are measured on these files alone, never on corruptions made in memory.
"""

import pytest

from pytest_clip.extract.corrupted import Corrupted
from pytest_clip.extract.examples import eyes
from pytest_clip.metrics import corruption_numbers as numbers
from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_C as ALEXNET

pytestmark = pytest.mark.clip_suite("corruptions")


@pytest.fixture(scope="session")
def corrupted(zero_shot, clip_model, clip_data, clip_extraction, clip_settings):
    """Answers to the first clean images, as they are and under every kind at every severity."""
    see = eyes(clip_extraction, clip_model, clip_data)
    return Corrupted(zero_shot, clip_data, clip_settings.corruptions, clip_settings.corruption_images, see)


@pytest.fixture
def judge(gate, clip_case, corrupted):
    """`judge(NUMBER)`: hand it to the gate of this case, with the interval of a mean over images."""

    def measured(number, *, reason=None):
        corrupted.judge(gate, clip_case.gate, number, reason=reason)

    return measured


@pytest.mark.clip_gate("corruptions/accuracy")
def test_accuracy(judge, clip_case, corrupted):
    """Top-1 under one kind at one severity (`fog-3`), or the mean of its five severities (`fog`)."""
    judge(numbers.accuracy(corrupted.right(clip_case.slice)))


@pytest.mark.clip_gate("corruptions/mce_unnormalised")
def test_mce_unnormalised(judge, corrupted):
    """Mean error over all kinds and severities."""
    judge(numbers.mce_unnormalised(corrupted.table))


@pytest.mark.clip_gate("corruptions/relative_mce_unnormalised")
def test_relative_mce_unnormalised(judge, corrupted):
    """What corruption adds to the clean error of the same images, mean over all kinds and severities."""
    judge(numbers.relative_mce_unnormalised(corrupted.table, corrupted.clean.right), reason=corrupted.clean.at_chance)


@pytest.mark.clip_gate("corruptions/mce")
def test_mce(judge, corrupted):
    """Error of each kind over AlexNet's, mean over the 15 kinds: 1 = as bad as AlexNet (papers print 100). Published files only."""
    judge(numbers.mce(corrupted.table, kinds=corrupted.kinds, reference=ALEXNET))


@pytest.mark.clip_gate("corruptions/relative_mce")
def test_relative_mce(judge, corrupted):
    """What each kind adds to the clean error over what it adds to AlexNet's, mean over the 15 kinds. Published files only."""
    clean = corrupted.clean
    judge(numbers.relative_mce(corrupted.table, clean.right, kinds=corrupted.kinds, reference=ALEXNET), reason=clean.at_chance)


@pytest.mark.clip_gate("corruptions/largest_rise")
def test_largest_rise(judge, clip_case, corrupted):
    """By how much accuracy rises from a severity to any later one: 0 where worse pictures are never answered better."""
    rise, between = numbers.largest_rise(corrupted.right(clip_case.slice))
    if between:
        print(f"{clip_case.slice}: accuracy rises by {rise.value:.3f} from severity {between[0]} to {between[1]}")
    judge(rise, reason=corrupted.at_chance)
