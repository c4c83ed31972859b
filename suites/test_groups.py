"""Groups: is the model as good on every group of images as on the others?

A slice is a column of facts about the images of `clean` (`groups/gap[scanner]`), or two of them crossed (`groups/gap[age-x-race]`): the
columns of own tables, on `scenes` what each scene shows. The images of one value are a group. Groups of fewer than 100 images are left out
and named; images without a value are in none. The worst group is chosen by looking, and the intervals know that: they are of the worst
group, whichever it truly is.

A gap says that groups differ, not why: groups may hold other classes, or harder pictures. A model at chance on all images has no gap and
no calibration worth the name, so there is no number.
"""

import numpy as np
import pytest

from pytest_clip.data import groups as columns
from pytest_clip.metrics import calibration
from pytest_clip.metrics import groups as metric
from pytest_clip.metrics.extremes import lowest_share
from pytest_clip.metrics.intervals import seed_from
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("groups")

BINS = 15


class Groups:
    """The groups of one column: their names, the rows of each, and which ones are left out."""

    def __init__(self, facts, answers, column):
        named = columns.values(facts, column)
        self.answers, (self.rows, self.small) = answers, columns.split(named)
        self.told = {"at_least": columns.ENOUGH, "groups": {name: len(rows) for name, rows in self.rows.items()}}
        self.told |= {"left_out": dict(self.small)} if self.small else {}
        self.told |= {"without_value": named.count("")} if "" in named else {}

    def of(self, values):
        """`values` [n] of every image, group by group."""
        return [values[list(rows)] for rows in self.rows.values()]

    def outcomes(self, statistic, **arrays):
        """Of the images in groups, with the number of each one's group."""
        at = np.concatenate([list(rows) for rows in self.rows.values()])
        numbers = np.repeat(np.arange(len(self.rows)), [len(rows) for rows in self.rows.values()])
        params = {"bins": BINS} if "confidence" in arrays else {}
        held = {name: each[at] for name, each in arrays.items()} | {"group": numbers}
        return Outcomes(statistic, held, tuple(self.answers.ids[row] for row in at), params=params)


@pytest.fixture
def groups(clip_case, clip_data, clip_settings, zero_shot):
    """The groups of the column that this case measures."""
    found = Groups(clip_data.images("clean").attributes, zero_shot("clean"), clip_case.slice)
    if len(found.rows) < 2:
        if clip_settings.limit is not None:  # what is lacking because of the limit alone breaks no promise of a rule
            pytest.skip(f"--clip-limit={clip_settings.limit} leaves no two groups of {clip_case.slice} {columns.ENOUGH} images; raise it")
        pytest.skip(f"{clip_case.slice}: no two groups have {columns.ENOUGH} images that can be read")
    return found


@pytest.fixture
def judge(gate, clip_case, groups):
    """Hand the number of `values`, one for each group, to the gate of this case, unless the model knows nothing."""

    def measured(value, *, each, outcomes, ci, **conventions):
        nothing, names = groups.answers.at_chance, list(groups.rows)
        per_group = {name: round(float(number), 4) for name, number in zip(names, each, strict=True)}
        gate(
            clip_case.gate, None if nothing else value, n=outcomes.n, reason=nothing, ci=None if nothing else ci, per_image=outcomes,
            conventions=groups.answers.conventions | groups.told | conventions | {"measured": per_group},
        )  # fmt: skip

    return measured


def extreme(groups, each, choose):
    """The name of the group that is the highest or lowest, the first of equals."""
    return list(groups.rows)[int(choose(each))]


@pytest.mark.clip_gate("groups/worst_accuracy")
def test_worst_accuracy(judge, clip_case, groups):
    """Lowest top-1 over the groups; its interval is that of the lowest, whichever group it is."""
    right = groups.of(groups.answers.right)
    each = [one.mean() for one in right]
    judge(
        min(each), each=each, worst=extreme(groups, each, np.argmin),
        outcomes=groups.outcomes("lowest_group", correct=groups.answers.right),
        ci=lowest_share(right, units=metric.apart(right), seed=seed_from(str(clip_case.gate))),
    )  # fmt: skip


@pytest.mark.clip_gate("groups/gap")
def test_gap(judge, clip_case, groups):
    """Top-1 of the best group minus that of the worst; its interval is that of the largest difference, whichever two groups it is of."""
    right = groups.of(groups.answers.right)
    each = [one.mean() for one in right]
    judge(
        metric.gap(right), each=each, outcomes=groups.outcomes("group_gap", correct=groups.answers.right),
        ci=metric.gap_interval(right, seed=seed_from(str(clip_case.gate))),
        best=extreme(groups, each, np.argmax), worst=extreme(groups, each, np.argmin),
    )  # fmt: skip


@pytest.mark.clip_gate("groups/worst_ece")
def test_worst_ece(judge, clip_case, groups):
    """Largest calibration error with 15 equally wide bins over the groups; its interval is that of the largest, whichever group it is."""
    sure = groups.answers.confidence
    held, right = groups.of(sure), groups.of(groups.answers.right)
    each = [calibration.ece(one, two, bins=BINS) for one, two in zip(held, right, strict=True)]
    judge(
        metric.worst_ece(held, right, bins=BINS), each=each, worst=extreme(groups, each, np.argmax), bins=BINS,
        binning="equal width (lo, hi]",
        outcomes=groups.outcomes("largest_group_ece", confidence=sure, correct=groups.answers.right),
        ci=lambda: metric.worst_ece_interval(held, right, seed=seed_from(str(clip_case.gate)), bins=BINS),
    )  # fmt: skip
