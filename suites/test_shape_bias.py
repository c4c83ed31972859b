"""Shape bias: given the shape of one class in the texture and colours of another, which of the two does the model name?

The protocol of Geirhos et al. 2019 ("ImageNet-trained CNNs are biased towards texture"): among the conflict images decided for one of their
two cues, the share decided for the shape. A decision is the class with the highest softmax probability at the model's own scale, averaged
over the members of each class (the mean, so that many breeds of dog do not outweigh one oven; here every class has one member); a tie is no
decision. The same scenes in the look of their own class say what the model makes of them without a conflict: one that does not recognise
those has no shape bias. For comparison: people 0.92 to 0.99, zero-shot CLIP 0.42 to 0.46, ResNet-50 0.21 (on Geirhos' own stimuli).
"""

import numpy as np
import pytest

from pytest_clip.metrics import calibration
from pytest_clip.metrics import shape_bias as metric
from pytest_clip.metrics.crossed import crossed_interval
from pytest_clip.metrics.factors import paired_drop
from pytest_clip.metrics.intervals import paired_difference, wilson
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("shape_bias")

CONFLICT, MATCHED = "cue_conflict", "cue_matched"


@pytest.fixture(scope="session")
def conflict(zero_shot):
    """Answers to the conflict images."""
    return zero_shot(CONFLICT)


@pytest.fixture(scope="session")
def matched(zero_shot):
    """Answers to the same scenes, each in the look of its own class."""
    return zero_shot(MATCHED)


@pytest.fixture(scope="session")
def unfounded(matched):
    """Why the model has no shape bias: it does not recognise even the scenes without a conflict. None if it does."""
    n, chance = len(matched.ids), 1 / len(matched.classes)
    low, _ = wilson(int(matched.right.sum()), n)
    return None if low > chance else f"{MATCHED}: top-1 {matched.right.mean():.3f} is not above chance ({chance:.3f})"


@pytest.fixture(scope="session")
def cues(clip_data):
    """The class of the shape and that of the look of each conflict image, two int arrays [n]."""
    images = clip_data.images(CONFLICT)
    number = {name: k for k, name in enumerate(images.classes)}
    return {
        "shape": np.array([number[c] for c in images.attributes["shape"]]),
        "texture": np.array([number[c] for c in images.attributes["look"]]),
    }


@pytest.fixture(scope="session")
def decided(conflict):
    """The class that each conflict image is decided for, -1 = none."""
    members = [[k] for k in range(len(conflict.classes))]
    if conflict.shares is not None:  # already means over members: of 1000 classes in 16 groups they do not sum to 1
        return metric.highest(conflict.shares)
    return metric.decisions(calibration.softmax(conflict.logits), groups=members)


@pytest.fixture(scope="session")
def sides(conflict, cues, decided):
    """Which images with a conflict were decided for their shape, which for their look, and the ids of these images."""
    rows = np.flatnonzero(cues["shape"] != cues["texture"])
    shape, texture = ((decided == cues[name])[rows] for name in ("shape", "texture"))
    return shape, texture, tuple(conflict.ids[row] for row in rows)


@pytest.fixture(scope="session")
def exemplars(clip_data):
    """By image set, the number of the shape and of the look of each image, two int arrays [n]; None where no file name tells them."""

    def of(name):
        kinds = [clip_data.images(name).attributes.get(kind) for kind in ("shape_exemplar", "look_exemplar")]
        return None if None in kinds else [np.unique(kind, return_inverse=True)[1] for kind in kinds]

    return of


def crossed(part, whole, exemplars, rows=slice(None)):
    """95 % interval of a share of images, how it came about, and what a paired comparison draws as one.

    Images of one shape or of one texture are no independent ones; a comparison can draw only one kind of the two together, the rarer.
    """
    if exemplars is None:
        told = {"exemplars": "not known: images count as independent"}
        return {"ci": wilson(int(part.sum()), int(whole.sum())) if whole.any() else None}, told, None
    shape, look = (kind[rows] for kind in exemplars)
    kinds = [np.unique(kind[whole]).size for kind in (shape, look)]
    told = {"exemplars": {"shape": kinds[0], "texture": kinds[1]}, "interval": "clustered by both"}
    ci = crossed_interval(part, whole, first=shape, second=look) if whole.any() else None
    return {"ci": ci}, told, min(shape, look, key=lambda kind: np.unique(kind).size)


@pytest.mark.clip_gate("shape_bias/shape_bias")
def test_shape_bias(gate, clip_case, conflict, cues, decided, sides, unfounded, exemplars):
    """Share of shape among the conflict images decided for their shape or their texture; its table counts both for each shape."""
    counts, classes = metric.cues(decided, **cues), conflict.classes
    table = metric.per_class(decided, **cues, classes=len(classes))
    hits, (shape, texture, ids) = counts.shape + counts.texture, sides
    undefined = unfounded or (None if hits else f"none of {counts.n} conflict images is decided for its shape or its texture")
    how, told, clusters = crossed(shape, shape | texture, exemplars(CONFLICT), np.flatnonzero(cues["shape"] != cues["texture"]))
    per_class = {c: {"shape": k.shape, "texture": k.texture, "n": k.n} for c, k in zip(classes, table, strict=True)}
    gate(
        clip_case.gate, None if undefined else counts.bias, n=hits or counts.n, reason=undefined,
        per_image=Outcomes("share", {"part": shape, "whole": shape | texture}, ids, clusters),
        conventions=conflict.conventions | told | {"per_class": per_class}, **how,
    )  # fmt: skip


@pytest.mark.clip_gate("shape_bias/decided_fraction")
def test_decided_fraction(gate, clip_case, conflict, cues, decided, sides, exemplars):
    """Share of conflict images decided for one of their two cues: a shape bias over a few images says little."""
    counts, (shape, texture, ids) = metric.cues(decided, **cues), sides
    either = shape | texture
    how, told, clusters = crossed(either, np.ones_like(either), exemplars(CONFLICT), np.flatnonzero(cues["shape"] != cues["texture"]))
    gate(
        clip_case.gate, counts.decided, n=counts.n, per_image=Outcomes("mean", {"decided": either}, ids, clusters),
        conventions=conflict.conventions | told, **how,
    )  # fmt: skip


@pytest.mark.clip_gate("shape_bias/accuracy")
def test_accuracy(gate, clip_case, zero_shot, exemplars):
    """Zero-shot top-1 where shape and look belong to the same class."""
    answers = zero_shot(clip_case.slice)
    right = answers.right
    how, told, clusters = crossed(right, np.ones_like(right), exemplars(clip_case.slice))
    gate(
        clip_case.gate, right.mean(), n=len(right), per_image=Outcomes("mean", {"correct": right}, answers.ids, clusters),
        conventions=answers.conventions | told, **how,
    )  # fmt: skip


@pytest.mark.clip_gate("shape_bias/drop")
def test_drop(gate, clip_case, conflict, matched, unfounded):
    """Accuracy (by shape) lost on the same scenes when the look of another class replaces their own."""
    assert np.array_equal(conflict.pairs, matched.pairs), "both sets must show the same scenes"
    before, after = matched.right, conflict.right
    gate(
        clip_case.gate, None if unfounded else paired_drop(before, after), n=len(before), reason=unfounded,
        ci=None if unfounded else paired_difference(before, after),
        per_image=Outcomes("drop", {"before": before, "correct": after}, conflict.ids),
        conventions=conflict.conventions | {"before": MATCHED},
    )  # fmt: skip
