"""Calibration: does a confidence of 80 % mean right four times in five, clean and under shift?

Confidence is the largest softmax probability at the model's own logit scale. ECE has 15 bins, equally wide on (lo, hi] (Naeini et al. 2015)
or equally full (adaptive). Temperature scaling (Guo et al. 2017) is fitted on one half of `clean` by minimising NLL and judged on the other
half and on every shift with the same temperature. A model at chance on clean images can look calibrated by knowing nothing: then there is
no number.
"""

import warnings
from dataclasses import asdict

import numpy as np
import pytest

from pytest_clip import ClipWarning
from pytest_clip.extract.found import found
from pytest_clip.metrics import calibration
from pytest_clip.metrics.intervals import ece_interval, mean_interval, seed_from
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.temperature import Temperature, fit_temperature, temperature_interval

pytestmark = pytest.mark.clip_suite("calibration")

BINS = 15
SPLIT_SEED = 2017
RESAMPLES = 100
"""Refits behind the interval of the temperature: each one is a search."""


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
    sure, right = answers.confidence, answers.right
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
    sure, right = answers.confidence, answers.right
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
    each = answers.nll
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, np.inf)),
        per_image=Outcomes("mean", {"nll": each}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/brier")
def test_brier(judge, clip_case, zero_shot):
    """Brier score summed over classes, 0 (sure and right) to 2 (sure and wrong)."""
    answers = zero_shot(clip_case.slice)
    each = answers.brier
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, 2)),
        per_image=Outcomes("mean", {"brier": each}, answers.ids), conventions=answers.conventions,
    )  # fmt: skip


@pytest.fixture(scope="session")
def scaling(clip_model, clip_data, clip_extraction, zero_shot):
    """Temperature fitted on one half of `clean` (found out once for the same answers), and the rows of the other half."""
    clean = zero_shot("clean")
    fit, rest = calibration.halves(clean.labels, seed=SPLIT_SEED)

    def fitted():
        return asdict(fit_temperature(clean.logits[fit], clean.labels[fit]))

    temperature = Temperature(**found(clip_extraction.cache, clip_model, clip_data, "temperature", fitted))
    if temperature.at_bound:
        warnings.warn(
            ClipWarning(f"the fitted temperature {temperature.value:g} lies on the {temperature.at_bound} bound of its search: not a fit"),
            stacklevel=2,
        )
    return temperature, rest


@pytest.fixture
def scaled(clip_case, zero_shot, scaling):
    """Confidence and NLL after temperature scaling, right answers and ids of the slice; of `clean` only the half that the temperature was
    not fitted on."""
    temperature, rest = scaling
    answers = zero_shot(clip_case.slice)
    rows = rest if clip_case.slice == "clean" else np.arange(len(answers.ids))
    sure, nll = answers.scaled(temperature.value)
    return (
        sure[rows],
        nll[rows],
        answers.right[rows],
        tuple(answers.ids[row] for row in rows),
        answers.conventions | {"temperature": temperature.value, "split_seed": SPLIT_SEED},
    )


@pytest.mark.clip_gate("calibration/ece_scaled")
def test_ece_scaled(judge, clip_case, scaled):
    """ECE after temperature scaling; on `clean` over the half not used for fitting."""
    sure, _, right, ids, conventions = scaled
    judge(
        calibration.ece(sure, right, bins=BINS), n=len(right),
        ci=lambda: ece_interval(sure, right, seed=seed_from(str(clip_case.gate)), bins=BINS),
        per_image=Outcomes("ece", {"confidence": sure, "correct": right}, ids, params={"bins": BINS}),
        conventions=conventions | {"bins": BINS, "binning": "equal width (lo, hi]"},
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/nll_scaled")
def test_nll_scaled(judge, clip_case, scaled):
    """NLL after temperature scaling; on `clean` over the half not used for fitting."""
    _, each, _, ids, conventions = scaled
    judge(
        each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate)), within=(0, np.inf)),
        per_image=Outcomes("mean", {"nll": each}, ids), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("calibration/temperature")
def test_temperature(judge, clip_case, clip_model, clip_data, clip_extraction, zero_shot, scaling):
    """The temperature that fits clean images best: above 1 the model is overconfident, below 1 underconfident."""
    temperature, _ = scaling
    clean = zero_shot("clean")
    fit, _ = calibration.halves(clean.labels, seed=SPLIT_SEED)

    def interval():
        return temperature_interval(clean.logits[fit], clean.labels[fit], seed=seed_from(str(clip_case.gate)), resamples=RESAMPLES)

    judge(
        temperature.value, n=len(fit), ci=lambda: found(clip_extraction.cache, clip_model, clip_data, "temperature, interval", interval),
        conventions=clean.conventions | {"at_bound": temperature.at_bound, "split_seed": SPLIT_SEED, "resamples": RESAMPLES},
    )  # fmt: skip
