"""Visual factors: what a single change of pose, background, texture, ... costs.

The factors are ImageNet-X's (Idrissi et al. 2022). On `scenes` every factor image shows the same scene as its partner in `clean` with one
factor changed, so effects are paired: the drop is measured on the same scenes, and the error ratio's reference is the unchanged scene.
A model at chance on clean images has nothing to lose, so its drops and ratios are no numbers.
"""

import numpy as np
import pytest

from pytest_clip.metrics.factors import error_ratio, paired_drop
from pytest_clip.metrics.intervals import paired_difference, ratio_interval, wilson
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("factors")

ENOUGH = 100
"""Images a factor needs to compete for the worst one: with 40 a factor's accuracy is a coin flip of +-15 points."""


def unchanged(answers, clean):
    """Whether the partners of these images in `clean` are classified correctly."""
    return clean.right[answers.pairs]


@pytest.mark.clip_gate("factors/accuracy")
def test_accuracy(gate, clip_case, zero_shot):
    """Zero-shot top-1 on the images where this factor changed."""
    answers = zero_shot(clip_case.slice)
    right, n = answers.right, len(answers.ids)
    gate(
        clip_case.gate, right.mean(), n=n, ci=wilson(int(right.sum()), n),
        per_image=Outcomes("mean", {"correct": right}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("factors/drop")
def test_drop(gate, clip_case, zero_shot):
    """Accuracy lost on the same scenes when only this factor changes."""
    answers, clean = zero_shot(clip_case.slice), zero_shot("clean")
    before = unchanged(answers, clean)
    gate(
        clip_case.gate, None if clean.at_chance else paired_drop(before, answers.right), n=len(before), reason=clean.at_chance,
        ci=None if clean.at_chance else paired_difference(before, answers.right),
        per_image=Outcomes("drop", {"before": before, "correct": answers.right}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("factors/error_ratio")
def test_error_ratio(gate, clip_case, zero_shot):
    """Error rate with the factor changed over the error rate of the same scenes unchanged; 1 = the factor does not matter."""
    answers, clean = zero_shot(clip_case.slice), zero_shot("clean")
    before = unchanged(answers, clean)
    undefined = clean.at_chance or ("no unchanged scene is misclassified" if before.all() else None)
    gate(
        clip_case.gate, None if undefined else error_ratio(float(answers.right.mean()), float(before.mean())), n=len(before),
        reason=undefined, ci=None if undefined else ratio_interval(~answers.right, ~before, paired=True),
        per_image=Outcomes("error_ratio", {"before": before, "correct": answers.right}, answers.ids),
        conventions=answers.conventions | {"reference": "same scenes unchanged"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def factor_answers(clip_data, zero_shot):
    """Answers of every factor with enough images."""
    return {s.name: zero_shot(s.name) for s in clip_data.sets if s.role == "factor" and len(clip_data.images(s.name)) >= ENOUGH}


def of_all(factor_answers, statistic, **arrays):
    """Outcomes of every factor together, because another model may have another worst one; changes of one scene are drawn together."""
    each = list(factor_answers.values())
    arrays |= {"correct": [a.right for a in each], "group": [np.full(len(a.ids), k) for k, a in enumerate(each)]}
    columns = {name: np.concatenate(parts) for name, parts in arrays.items()}
    return Outcomes(statistic, columns, sum((a.ids for a in each), ()), clusters=np.concatenate([a.pairs for a in each]))


@pytest.mark.clip_gate("factors/worst_accuracy")
def test_worst_accuracy(gate, clip_case, factor_answers):
    """Lowest accuracy over the factors with enough images."""
    if not factor_answers:
        pytest.skip(f"no factor has {ENOUGH} images")
    worst = min(factor_answers, key=lambda f: factor_answers[f].right.mean())
    right = factor_answers[worst].right
    gate(
        clip_case.gate, right.mean(), n=len(right), ci=wilson(int(right.sum()), len(right)),
        per_image=of_all(factor_answers, "lowest_group"),
        conventions=factor_answers[worst].conventions | {"factor": worst, "at_least": ENOUGH},
    )  # fmt: skip


@pytest.mark.clip_gate("factors/worst_drop")
def test_worst_drop(gate, clip_case, factor_answers, zero_shot):
    """Largest paired loss of accuracy over the factors with enough images."""
    if not factor_answers:
        pytest.skip(f"no factor has {ENOUGH} images")
    clean = zero_shot("clean")
    drops = {f: paired_drop(unchanged(a, clean), a.right) for f, a in factor_answers.items()}
    worst = max(drops, key=lambda f: drops[f])
    answers = factor_answers[worst]
    before = unchanged(answers, clean)
    gate(
        clip_case.gate, None if clean.at_chance else drops[worst], n=len(before), reason=clean.at_chance,
        ci=None if clean.at_chance else paired_difference(before, answers.right),
        per_image=of_all(factor_answers, "largest_group_drop", before=[unchanged(a, clean) for a in factor_answers.values()]),
        conventions=answers.conventions | {"factor": worst, "at_least": ENOUGH},
    )  # fmt: skip
