"""Calibration: does a confidence of 80 % mean right four times in five, clean and under shift?

Confidence is the largest softmax probability at the model's own logit scale. ECE has 15 bins, equally wide on (lo, hi] (Naeini et al. 2015)
or equally full (adaptive). Temperature scaling (Guo et al. 2017) is fitted on one half of `clean` by minimising NLL and judged on the other
half and on every shift with the same temperature. A model at chance on clean images can look calibrated by knowing nothing: then there is
no number.
"""

import warnings

import numpy as np
import pytest

from pytest_clip import ClipWarning
from pytest_clip.metrics import calibration
from pytest_clip.metrics.intervals import ece_interval, mean_interval, seed_from
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.temperature import fit_temperature, temperature_interval

pytestmark = pytest.mark.clip_suite("calibration")

BINS = 15
SPLIT_SEED = 2017
RESAMPLES = 100
"""Refits behind the interval of the temperature: each one is a search."""


def confidence(logits):
    """Largest softmax probability [n]."""
    return calibration.softmax(logits).max(1)


@pytest.fixture
def judge(gate, clip_case, zero_shot):
    """Hand a number to the gate of this case, unless the model knows nothing on clean images."""

    def measured(value, *, ci, **facts):
        nothing = zero_shot("clean").at_chance
        gate(clip_case.gate, None if nothing else value, ci=None if nothing else ci, reason=nothing, **facts)

    return measured


@pytest.mark.clip_gate("calibration/ece")
def test_ece(judge, clip_case, zero_shot):
    """Expected calibration error with 15 equally wide bins."""
    answers = zero_shot(clip_case.slice)
    sure, right = confidence(answers.logits), answers.right
    judge(
        calibration.ece(sure, right, bins=BINS), n=len(right),
        ci=lambda: ece_interval(sure, right, seed=seed_from(str(clip_case.gate)), bins=BINS),
        per_image=Outcomes("ece", {"confidence": sure, "correct": right}, answers.ids, params={"bins": BINS}),
        conventions=answers.conventions | {"bins": BINS, "binning": "equal width (lo, hi]"},
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/adaptive_ece")
def test_adaptive_ece(judge, clip_case, zero_shot):
    """Expected calibration error with 15 equally full bins."""
    answers = zero_shot(clip_case.slice)
    sure, right = confidence(answers.logits), answers.right
    judge(
        calibration.adaptive_ece(sure, right, bins=BINS), n=len(right),
        ci=lambda: ece_interval(sure, right, seed=seed_from(str(clip_case.gate)), bins=BINS, adaptive=True),
        per_image=Outcomes("adaptive_ece", {"confidence": sure, "correct": right}, answers.ids, params={"bins": BINS}),
        conventions=answers.conventions | {"bins": BINS, "binning": "equal mass"},
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/nll")
def test_nll(judge, clip_case, zero_shot):
    """Mean negative log-likelihood of the right class, in nats."""
    answers = zero_shot(clip_case.slice)
    each = calibration.nll_per_sample(answers.logits, answers.labels)
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, np.inf)),
        per_image=Outcomes("mean", {"nll": each}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/brier")
def test_brier(judge, clip_case, zero_shot):
    """Brier score summed over classes, 0 (sure and right) to 2 (sure and wrong)."""
    answers = zero_shot(clip_case.slice)
    each = calibration.brier_per_sample(calibration.softmax(answers.logits), answers.labels)
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, 2)),
        per_image=Outcomes("mean", {"brier": each}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.fixture(scope="session")
def scaling(zero_shot):
    """Temperature fitted on one half of `clean`, and the rows of the other half."""
    clean = zero_shot("clean")
    fit, rest = calibration.halves(clean.labels, seed=SPLIT_SEED)
    temperature = fit_temperature(clean.logits[fit], clean.labels[fit])
    if temperature.at_bound:
        warnings.warn(
            ClipWarning(f"the fitted temperature {temperature.value:g} lies on the {temperature.at_bound} bound of its search: not a fit"),
            stacklevel=2,
        )
    return temperature, rest


@pytest.fixture
def scaled(clip_case, zero_shot, scaling):
    """Logits after temperature scaling, labels and ids of the slice; of `clean` only the half that the temperature was not fitted on."""
    temperature, rest = scaling
    answers = zero_shot(clip_case.slice)
    rows = rest if clip_case.slice == "clean" else np.arange(len(answers.ids))
    logits = answers.logits[rows] / temperature.value
    assert np.array_equal(logits.argmax(1), answers.logits[rows].argmax(1)), "temperature scaling must not change a prediction"
    return (
        logits,
        answers.labels[rows],
        answers.right[rows],
        tuple(answers.ids[row] for row in rows),
        answers.conventions | {"temperature": temperature.value, "split_seed": SPLIT_SEED},
    )


@pytest.mark.clip_gate("calibration/ece_scaled")
def test_ece_scaled(judge, clip_case, scaled):
    """ECE after temperature scaling; on `clean` over the half not used for fitting."""
    logits, _, right, ids, conventions = scaled
    sure = confidence(logits)
    judge(
        calibration.ece(sure, right, bins=BINS), n=len(right),
        ci=lambda: ece_interval(sure, right, seed=seed_from(str(clip_case.gate)), bins=BINS),
        per_image=Outcomes("ece", {"confidence": sure, "correct": right}, ids, params={"bins": BINS}),
        conventions=conventions | {"bins": BINS, "binning": "equal width (lo, hi]"},
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/nll_scaled")
def test_nll_scaled(judge, clip_case, scaled):
    """NLL after temperature scaling; on `clean` over the half not used for fitting."""
    logits, labels, _, ids, conventions = scaled
    each = calibration.nll_per_sample(logits, labels)
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, np.inf)),
        per_image=Outcomes("mean", {"nll": each}, ids), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/temperature")
def test_temperature(judge, clip_case, zero_shot, scaling):
    """The temperature that fits clean images best: above 1 the model is overconfident, below 1 underconfident."""
    temperature, _ = scaling
    clean = zero_shot("clean")
    fit, _ = calibration.halves(clean.labels, seed=SPLIT_SEED)
    judge(
        temperature.value, n=len(fit),
        ci=lambda: temperature_interval(clean.logits[fit], clean.labels[fit], seed=seed_from(str(clip_case.gate)), resamples=RESAMPLES),
        conventions=clean.conventions | {"at_bound": temperature.at_bound, "split_seed": SPLIT_SEED, "resamples": RESAMPLES},
    )  # fmt: skip
