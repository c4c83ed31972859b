"""Prompts: how much do accuracy, calibration and OOD detection depend on the words that the classes are described with?

The same images, the same classes, other prompt sets; only texts are encoded again, every distinct one once. A family holds choices that
should not matter:

- `templates`: those of this run; "a photo of a {c}."; the first 1, 5 and 30 and all 80 of OpenAI's for ImageNet; their simple 7;
- `paraphrases`: eight sentences that say the same, one at a time, and the bare class name;
- `formats`: one sentence in other punctuation, casing and articles.

Spread is the largest minus the smallest value over the sets of a family. The intervals of spreads, deviations and of the worst set are
those of the number itself, whichever sets make it, from images drawn for all sets at once: they reach 0 where sets differ by chance alone.
Every record holds the value under each set and names the best and the worst. A model at chance under the prompts of this run has nothing to
lose by other words: then there is no number.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from pytest_clip.metrics import calibration, ood
from pytest_clip.metrics.extremes import deviation_interval, lowest_share, resampled_columns, share_spread, spread_interval
from pytest_clip.metrics.intervals import seed_from
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.spread import deviation, spread, worst_index

pytestmark = pytest.mark.clip_suite("prompts")

BINS = 15
UNKNOWN = "near"


@dataclass(frozen=True)
class Asked:
    """Answers to n images under each of k prompt sets, every array [n, k]."""

    names: tuple[str, ...]
    ids: tuple[str, ...]
    confidence: np.ndarray
    right: np.ndarray | None
    """None for images of no class"""
    conventions: dict
    scored: Callable[[], np.ndarray]

    @cached_property
    def score(self):
        """MCM: the higher, the better the image is known. Asked for where there are images of unknown classes."""
        return self.scored()


@pytest.fixture(scope="session")
def ask(clip_data, clip_settings, zero_shot):
    """`ask("clean", "formats")`: the answers to an image set under every prompt set of a family."""
    kept = {}

    def asked(image_set, family):
        if (image_set, family) in kept:
            return kept[image_set, family]
        sets = clip_data.prompt_sets(family)
        right, confidence, hashes = [], [], []
        for templates in sets.values():
            answers = zero_shot(image_set, templates=templates)
            if (answers.labels >= 0).all():
                right.append(answers.right)
            confidence.append(answers.confidence)
            hashes.append(answers.prompts)
        conventions = {k: answers.conventions[k] for k in ("logit_scale", "classes")} | {
            "prompt_sets": len(sets), "prompts": hashlib.sha256(" ".join(hashes).encode()).hexdigest()[:12],
        }  # fmt: skip

        def scored():
            return np.stack([zero_shot(image_set, templates=each).mcm(clip_settings.mcm_tau) for each in sets.values()], axis=1)

        kept[image_set, family] = Asked(
            tuple(sets), answers.ids, np.stack(confidence, axis=1), np.stack(right, axis=1) if right else None, conventions, scored,
        )  # fmt: skip
        return kept[image_set, family]

    return asked


@pytest.fixture
def clean(clip_case, ask):
    """Answers to `clean` under the family of this case."""
    return ask("clean", clip_case.slice)


@pytest.fixture
def unknown(clip_case, ask):
    """Answers to images of unknown classes under the family of this case."""
    return ask(UNKNOWN, clip_case.slice)


@pytest.fixture
def judge(gate, clip_case, clean, zero_shot):
    """Hand a number to the gate of this case, with the value under each prompt set; none when the model knows nothing to begin with."""

    def measured(value, values, *, better, ci, n, per_image=None, **conventions):
        worst, best = worst_index(values, better=better), worst_index(values, better="lower" if better == "higher" else "higher")
        told = {"worst": clean.names[worst], "best": clean.names[best], "values": dict(zip(clean.names, np.round(values, 6), strict=True))}
        nothing = zero_shot("clean").at_chance
        gate(
            clip_case.gate, None if nothing else value, n=n, ci=None if nothing else ci, reason=nothing, per_image=per_image,
            conventions=clean.conventions | conventions | told,
        )  # fmt: skip

    return measured


@pytest.mark.clip_gate("prompts/accuracy_spread")
def test_accuracy_spread(judge, clip_case, clean):
    """Accuracy under the best prompt set minus accuracy under the worst."""
    right, values = clean.right, clean.right.mean(0)
    judge(
        spread(values), values, better="higher", n=len(right), ci=lambda: share_spread(right, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes("mean_spread", {"correct": right}, clean.ids),
    )  # fmt: skip


@pytest.mark.clip_gate("prompts/accuracy_std")
def test_accuracy_std(judge, clip_case, clean):
    """Standard deviation of accuracy over the prompt sets."""
    values = clean.right.mean(0)
    outcomes = Outcomes("mean_std", {"correct": clean.right}, clean.ids)
    judge(
        deviation(values),
        values,
        better="higher",
        n=len(clean.right),
        ci=lambda: deviation_interval(*resampled_columns("mean", outcomes, seed=seed_from(str(clip_case.gate)))),
        per_image=outcomes,
    )


@pytest.mark.clip_gate("prompts/worst_accuracy")
def test_worst_accuracy(judge, clip_case, clean):
    """Accuracy under the worst prompt set."""
    values = clean.right.mean(0)
    n, sets = clean.right.shape
    judge(
        values.min(), values, better="higher", n=n,
        ci=lambda: lowest_share(clean.right.T, units=[np.arange(n)] * sets, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes("lowest_mean", {"correct": clean.right}, clean.ids),
    )  # fmt: skip


def eces(confidence, right):
    """Expected calibration error under each prompt set."""
    return [calibration.ece(c, r, bins=BINS) for c, r in zip(confidence.T, right.T, strict=True)]


def over_eces(judge, case, clean, statistic, name, interval):
    """Judge a statistic (outcomes call it `name`) over the calibration errors of the prompt sets."""
    values = eces(clean.confidence, clean.right)
    outcomes = Outcomes(name, {"confidence": clean.confidence, "correct": clean.right}, clean.ids, params={"bins": BINS})
    judge(
        statistic(values),
        values,
        better="lower",
        n=len(clean.right),
        ci=lambda: interval(*resampled_columns("ece", outcomes, seed=seed_from(str(case.gate)))),
        bins=BINS,
        per_image=outcomes,
    )


@pytest.mark.clip_gate("prompts/ece_spread")
def test_ece_spread(judge, clip_case, clean):
    """Largest minus smallest calibration error (15 equally wide bins) over the prompt sets."""
    over_eces(judge, clip_case, clean, spread, "ece_spread", spread_interval)


@pytest.mark.clip_gate("prompts/ece_std")
def test_ece_std(judge, clip_case, clean):
    """Standard deviation of the calibration error over the prompt sets."""
    over_eces(judge, clip_case, clean, deviation, "ece_std", deviation_interval)


def aurocs(known, unknown):
    """AUROC of known against unknown images under each prompt set."""
    return [ood.auroc(a, b) for a, b in zip(known.T, unknown.T, strict=True)]


@pytest.fixture
def over_aurocs(judge, clip_case, clip_settings, clean, unknown):
    """Judge a statistic (in outcomes called `name`) over the AUROCs of the prompt sets."""

    def judged(statistic, name, interval):
        values = aurocs(clean.score, unknown.score)
        outcomes = Outcomes(name, {"score": clean.score}, clean.ids, others={"score": unknown.score}, other_ids=unknown.ids)
        judge(
            statistic(values), values, better="higher", n=len(unknown.score),
            ci=lambda: interval(*resampled_columns("auroc", outcomes, seed=seed_from(str(clip_case.gate)))), per_image=outcomes,
            score="mcm", tau=clip_settings.mcm_tau, known=len(clean.score), unknown=UNKNOWN,
        )  # fmt: skip

    return judged


@pytest.mark.clip_gate("prompts/auroc_spread")
def test_auroc_spread(over_aurocs):
    """Largest minus smallest AUROC of near unknown classes (MCM) over the prompt sets."""
    over_aurocs(spread, "auroc_spread", spread_interval)


@pytest.mark.clip_gate("prompts/auroc_std")
def test_auroc_std(over_aurocs):
    """Standard deviation of that AUROC over the prompt sets."""
    over_aurocs(deviation, "auroc_std", deviation_interval)
