"""Zero-shot accuracy, clean and under natural shifts.

Every class is described by the data set's prompt templates; an image belongs to the class whose text embedding is nearest to its own. A tie
with another class counts as wrong, so a collapsed model scores 0. Relative robustness is what is left of clean accuracy under a shift,
both among the classes of the shift; a model at chance on clean images has none.

Shifts of ImageNet with fewer classes are asked for those alone: 200 of ImageNet-A and -R, 113 of ObjectNet (the best of the ImageNet
classes that count as each). Their effective robustness (Taori et al. 2020) is the accuracy beyond that of ImageNet models with the same
accuracy on the whole validation set; ImageNet-A has no such line. `pm10` sets count a frame of a film only if the frames around it are
answered rightly, too.
"""

import pytest

from pytest_clip.data.published import comparable
from pytest_clip.extract.matched import matched
from pytest_clip.metrics import effective_robustness as er
from pytest_clip.metrics.accuracy import mean_per_class, mean_per_class_interval, relative
from pytest_clip.metrics.intervals import ratio_interval, wilson
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("accuracy")


@pytest.mark.clip_gate("accuracy/top1")
def test_top1(gate, clip_case, zero_shot):
    """Share of images whose highest-scoring class is the right one."""
    answers = zero_shot(clip_case.slice)
    gate.share(clip_case.gate, answers.right, answers)


@pytest.mark.clip_gate("accuracy/top5")
def test_top5(gate, clip_case, zero_shot):
    """Share of images whose right class is among the five highest-scoring ones."""
    answers = zero_shot(clip_case.slice)
    if len(answers.classes) < 5:
        pytest.skip(f"top-5 needs five classes, the data set has {len(answers.classes)}")
    gate.share(clip_case.gate, answers.among(5), answers)


@pytest.mark.clip_gate("accuracy/mean_per_class")
def test_mean_per_class(gate, clip_case, zero_shot):
    """Mean over classes of the share of right answers: rare classes count as much as frequent ones."""
    answers = zero_shot(clip_case.slice)
    right, labels, classes = answers.right, answers.labels, len(answers.classes)
    gate(
        clip_case.gate, mean_per_class(right, labels, classes=classes), n=len(right),
        ci=mean_per_class_interval(right, labels, classes=classes),
        per_image=Outcomes("mean_per_class", {"correct": right, "label": labels}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("accuracy/relative_robustness")
def test_relative_robustness(gate, clip_case, clip_model, clip_data, clip_extraction, zero_shot):
    """Accuracy under the shift divided by that on clean images of its classes, asked among its answers."""
    shift, clean = zero_shot(clip_case.slice), matched(clip_extraction, clip_model, clip_data, clip_case.slice)
    if clean is None:
        told = shift.conventions | {"clean": "none"}
        gate(clip_case.gate, None, n=len(shift.ids), reason=f"no clean image is of a class of {clip_case.slice}", conventions=told)
        return
    one, other = float(shift.right.mean()), float(clean.right.mean())
    gate(
        clip_case.gate, None if clean.at_chance else relative(one, other), n=len(shift.ids), reason=clean.at_chance,
        ci=None if clean.at_chance else ratio_interval(shift.right, clean.right, paired=False),
        per_image=Outcomes("relative", {"correct": shift.right}, shift.ids, others={"correct": clean.right}, other_ids=clean.ids),
        conventions=shift.conventions | {
            "clean": f"{len(clean.ids)} images of the classes of {clip_case.slice}, asked as these",
            "measured": {"shift": round(one, 6), "clean": round(other, 6)},
        },
    )  # fmt: skip


@pytest.mark.clip_gate("accuracy/effective_robustness")
def test_effective_robustness(gate, clip_case, clip_data, zero_shot):
    """Accuracy under the shift minus what a published line of ImageNet models expects from the accuracy on clean images."""
    clean, shift = zero_shot("clean"), zero_shot(clip_case.slice)
    name = next(each.line for each in clip_data.sets if each.name == clip_case.slice)
    if name in er.WITHDRAWN:
        gate(clip_case.gate, None, n=len(shift.ids), reason=er.WITHDRAWN[name], conventions=shift.conventions)
        return
    line, n, overall = er.published(name), len(clean.ids), float(clean.right.mean())
    value = er.effective_robustness(float(shift.right.mean()), overall, line=line, n_overall=n)
    both = int(shift.right.sum()), len(shift.ids), int(clean.right.sum()), n
    gate(
        clip_case.gate, None if clean.at_chance else value, n=len(shift.ids), reason=clean.at_chance,
        ci=None if clean.at_chance else er.interval(*both, line=line),
        per_image=Outcomes(
            "effective", {"correct": shift.right}, shift.ids, params=er.params(line, part=False),
            others={"correct": clean.right}, other_ids=clean.ids,
        ),
        conventions=shift.conventions | {
            "line": [line.slope, line.intercept], "models": line.n_models, "source": line.source,
            "measured": er.told(float(shift.right.mean()), overall, line=line, n_overall=n),
        },
    )  # fmt: skip


@pytest.mark.clip_gate("accuracy/published_gap")
def test_published_gap(gate, clip_case, clip_model, clip_data, zero_shot):
    """Accuracy minus what is published for this checkpoint: a known answer for data, prompts and pipeline."""
    known, reason = comparable("top1", clip_model, clip_data, clip_case.slice)
    if known is None:
        pytest.skip(reason)
    answers = zero_shot(clip_case.slice)
    right, n = answers.right, len(answers.ids)
    low, high = wilson(int(right.sum()), n)
    value = known.values["top1"]
    gate(
        clip_case.gate, right.mean() - value, n=n, ci=(low - value, high - value),
        per_image=Outcomes("mean", {"beyond": right - value}, answers.ids),
        conventions=answers.conventions | {
            "source": known.source, "measured": {"accuracy": round(float(right.mean()), 6), "published": value},
        },
    )  # fmt: skip
