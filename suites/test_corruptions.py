"""Corruptions: what is left of zero-shot accuracy under noise, blur, weather and digital damage, at five severities.

The 15 kinds of ImageNet-C (Hendrycks & Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"),
made in memory at the model's input size, after its resize and before its normalisation, each image from a seed of its own: numbers from the
JPEG files of ImageNet-C differ by points. The ini key `clip_corruptions` chooses other kinds (four more are held out by the paper for
validation), `clip_corruption_images` the number of images.

`mce_unnormalised` is the mean error. The mCE of the papers divides by errors of AlexNet on the files of ImageNet-C, which say nothing about
other pictures: `mce` and `relative_mce` are measured on these files alone, never on corruptions made in memory.

On the embedded benchmark five kinds are put on the portraits of `studio` as well, at severity 3, all of them and paired image by image
with the answers to the same portraits without it: its other pictures say little about a model that was trained on photographs.
"""

import pytest

from pytest_clip.extract.corrupted import Corrupted
from pytest_clip.extract.examples import eyes
from pytest_clip.metrics import corruption_numbers as numbers
from pytest_clip.metrics.accuracy import relative
from pytest_clip.metrics.corruption import ALEXNET_IMAGENET_C as ALEXNET
from pytest_clip.metrics.intervals import ratio_interval
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.views import VERSION, corruption_view

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


@pytest.fixture
def portraits(clip_case, zero_shot):
    """Answers to the portraits as they are and under the corruption of this case, and what a number made of both depends on."""
    kind, _, severity = clip_case.slice.partition("-")
    before, after = zero_shot("studio"), zero_shot("studio", view=corruption_view(kind, int(severity)))
    assert before.ids == after.ids, "both must be of the same portraits"
    return before, after, after.conventions | {"views": VERSION, "images": len(after.ids)}


@pytest.mark.clip_gate("corruptions/studio_accuracy")
def test_studio_accuracy(gate, clip_case, portraits):
    """Top-1 on the portraits under one kind at one severity."""
    _, after, conventions = portraits
    gate.share(clip_case.gate, after.right, after, conventions=conventions)


@pytest.mark.clip_gate("corruptions/studio_relative_robustness")
def test_studio_relative_robustness(gate, clip_case, portraits):
    """The same divided by top-1 on the portraits as they are: 1 = nothing lost."""
    before, after, conventions = portraits
    one, other = float(after.right.mean()), float(before.right.mean())
    gate(
        clip_case.gate, None if before.at_chance else relative(one, other), n=len(after.ids), reason=before.at_chance,
        ci=None if before.at_chance else ratio_interval(after.right, before.right, paired=True),
        per_image=Outcomes("kept", {"before": before.right, "correct": after.right}, after.ids),
        conventions=conventions | {"measured": {"corrupted": round(one, 6), "uncorrupted": round(other, 6)}},
    )  # fmt: skip
