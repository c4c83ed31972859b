"""LAION-C: what is left of zero-shot accuracy under distortions that are no weather, no camera and no file format, at five severities.

Four of the six kinds of Li et al. 2025 ("LAION-C: An Out-of-Distribution Benchmark for Web-Scale Vision Models"), made to be in nobody's
training data: geometric shapes and stickers over the picture, a checkerboard of light, and the picture drawn in vertical lines. Made in
memory at the model's input size, after its resize and before its normalisation, with the published constants (stickers are drawn ones, the
published are photographs). Severity 1 alone unless the ini key `clip_corruptions_laion_c` names kinds: then all five, and their means.

On the published files (`KIND/intensity_level_1..5/SUPERCLASS/`) all six kinds are measured, as published: softmax over ImageNet's 1,000
classes, its mean over the members of each of 16 superclasses, the highest of these.
"""

import pytest

from pytest_clip.extract.corrupted import Corrupted
from pytest_clip.extract.examples import eyes
from pytest_clip.metrics import corruption_numbers as numbers
from pytest_clip.views import SEVERITIES
from pytest_clip.views.catalog import KINDS_LAION, STORED_LAION

pytestmark = pytest.mark.clip_suite("corruptions_laion_c")


@pytest.fixture(scope="session")
def corrupted(zero_shot, clip_model, clip_data, clip_extraction, clip_settings):
    """Answers to the first clean images, as they are and under every kind; or to the published files."""
    stored = {each.name.partition("-")[0] for each in clip_data.sets if each.role == "corruption"}
    kinds = clip_settings.corruptions_laion_c or tuple(kind for kind in STORED_LAION if kind in (stored or KINDS_LAION))
    severities = SEVERITIES if stored or clip_settings.corruptions_laion_c else SEVERITIES[:1]
    see = eyes(clip_extraction, clip_model, clip_data)
    return Corrupted(zero_shot, clip_data, kinds, clip_settings.corruption_images, see, severities)


@pytest.fixture
def judge(gate, clip_case, corrupted):
    """`judge(NUMBER)`: hand it to the gate of this case, with the interval of a mean over images."""

    def measured(number, *, reason=None):
        corrupted.judge(gate, clip_case.gate, number, reason=reason)

    return measured


@pytest.mark.clip_gate("corruptions_laion_c/accuracy")
def test_accuracy(judge, clip_case, corrupted):
    """Top-1 under one kind at one severity (`stickers-3`), or the mean of its five severities (`stickers`)."""
    judge(numbers.accuracy(corrupted.right(clip_case.slice)))


@pytest.mark.clip_gate("corruptions_laion_c/mce_unnormalised")
def test_mce_unnormalised(judge, corrupted):
    """Mean error over all kinds and severities."""
    judge(numbers.mce_unnormalised(corrupted.table))


@pytest.mark.clip_gate("corruptions_laion_c/relative_mce_unnormalised")
def test_relative_mce_unnormalised(judge, corrupted):
    """What the kinds add to the clean error of the same images, mean over all kinds and severities."""
    judge(numbers.relative_mce_unnormalised(corrupted.table, corrupted.clean.right), reason=corrupted.clean.at_chance)


@pytest.mark.clip_gate("corruptions_laion_c/largest_rise")
def test_largest_rise(judge, clip_case, corrupted):
    """By how much accuracy rises from a severity to any later one: 0 where worse pictures are never answered better."""
    rise, between = numbers.largest_rise(corrupted.right(clip_case.slice))
    if between:
        print(f"{clip_case.slice}: accuracy rises by {rise.value:.3f} from severity {between[0]} to {between[1]}")
    judge(rise, reason=corrupted.at_chance)
