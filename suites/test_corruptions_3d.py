"""3D corruptions: what is left of zero-shot accuracy when the picture changes as its scene would, at five severities.

Six kinds of ImageNet-3DCC (Kar et al. 2022, "3D Common Corruptions and Data Augmentation") that follow from the depth of every pixel: focus
on the nearest or on the farthest, fog that thickens with distance, a flash that lights what faces the camera, and blur of a camera moving
sideways or forwards, in which near things move more. The ini key `clip_corruptions_3d` chooses others of the twelve: three of the sensor,
which need no depth, and three of a video codec (which need PyAV, and depth for the clip). Made in memory at the model's input size, after
its resize and before its normalisation; the camera goes one way for all severities of an image, as published.

Scenes know their depth. Other images bring a folder `depth` with a map for each, or have it estimated (`--clip-depth-model`); without
either only the kinds that need none are measured. The record says where depth came from. The numbers are those of the corruptions suite.
"""

import pytest

from pytest_clip.extract.corrupted import Corrupted
from pytest_clip.extract.examples import eyes
from pytest_clip.metrics import corruption_numbers as numbers
from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_3DCC as ALEXNET

pytestmark = pytest.mark.clip_suite("corruptions_3d")


@pytest.fixture(scope="session")
def corrupted(zero_shot, clip_model, clip_data, clip_extraction, clip_settings):
    """Answers to the first clean images, as they are and under every kind at every severity."""
    see = eyes(clip_extraction, clip_model, clip_data)
    return Corrupted(zero_shot, clip_data, clip_settings.corruptions_3d, clip_settings.corruption_images, see)


@pytest.fixture
def judge(gate, clip_case, corrupted):
    """`judge(NUMBER)`: hand it to the gate of this case, with the interval of a mean over images."""

    def measured(number, *, reason=None):
        corrupted.judge(gate, clip_case.gate, number, reason=reason)

    return measured


@pytest.mark.clip_gate("corruptions_3d/accuracy")
def test_accuracy(judge, clip_case, corrupted):
    """Top-1 under one kind at one severity (`fog_3d-3`), or the mean of its five severities (`fog_3d`)."""
    judge(numbers.accuracy(corrupted.right(clip_case.slice)))


@pytest.mark.clip_gate("corruptions_3d/mce_unnormalised")
def test_mce_unnormalised(judge, corrupted):
    """Mean error over all kinds and severities."""
    judge(numbers.mce_unnormalised(corrupted.table))


@pytest.mark.clip_gate("corruptions_3d/relative_mce_unnormalised")
def test_relative_mce_unnormalised(judge, corrupted):
    """What corruption adds to the clean error of the same images, mean over all kinds and severities."""
    judge(numbers.relative_mce_unnormalised(corrupted.table, corrupted.clean.right), reason=corrupted.clean.at_chance)


@pytest.mark.clip_gate("corruptions_3d/mce")
def test_mce(judge, corrupted):
    """Error of each kind over AlexNet's, mean over the 12 kinds: 1 = as bad as AlexNet (papers print 100). Published files only."""
    judge(numbers.mce(corrupted.table, kinds=corrupted.kinds, reference=ALEXNET))


@pytest.mark.clip_gate("corruptions_3d/relative_mce")
def test_relative_mce(judge, corrupted):
    """What each kind adds to the clean error over what it adds to AlexNet's, mean over the 12 kinds. Published files only."""
    clean = corrupted.clean
    judge(numbers.relative_mce(corrupted.table, clean.right, kinds=corrupted.kinds, reference=ALEXNET), reason=clean.at_chance)


@pytest.mark.clip_gate("corruptions_3d/largest_rise")
def test_largest_rise(judge, clip_case, corrupted):
    """By how much accuracy rises from a severity to any later one: 0 where worse pictures are never answered better."""
    rise, between = numbers.largest_rise(corrupted.right(clip_case.slice))
    if between:
        print(f"{clip_case.slice}: accuracy rises by {rise.value:.3f} from severity {between[0]} to {between[1]}")
    judge(rise, reason=corrupted.at_chance)
