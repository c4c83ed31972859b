"""Out-of-distribution detection: do images of no known class score lower than images of known ones?

Known images are `clean`; for ImageNet-O those of the 200 classes that its images are mistaken for.

MCM (Ming et al. 2022) is the largest softmax probability of the cosines at temperature tau, without the model's
logit scale (ini `clip_mcm_tau`, default 1), in float64: at tau = 1 all scores lie within a few thousandths. AUROC counts ties as one half.
FPR95 is given in both orientations found in the literature, under names that say which: they are different numbers.
"""

import pytest

from pytest_clip.metrics import ood
from pytest_clip.metrics.intervals import auroc_interval, seed_from
from pytest_clip.metrics.ood_intervals import aupr_interval, fpr95_interval
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("ood")


@pytest.fixture
def known_and_unknown(clip_case, clip_data, zero_shot):
    """Answers on the known images and on the OOD set of this case."""
    return zero_shot(clip_data.images(clip_case.slice).known), zero_shot(clip_case.slice)


@pytest.fixture
def scores(known_and_unknown, clip_settings):
    """MCM scores of known and unknown images, and the conventions behind them."""
    known, unknown = known_and_unknown
    tau = clip_settings.mcm_tau
    return (
        known.mcm(tau),
        unknown.mcm(tau),
        known.conventions | {"score": "mcm", "tau": tau, "known": len(known.ids)},
    )


@pytest.fixture
def judge(gate, clip_case, known_and_unknown):
    """`judge(STATISTIC, known, unknown, ci, conventions)`: a number of `metrics.ood` by the scores of known and unknown images."""
    answers = known_and_unknown

    def measured(statistic, known, unknown, ci, conventions):
        ids = {"ids": answers[0].ids, "other_ids": answers[1].ids}
        outcomes = Outcomes(statistic, {"score": known}, others={"score": unknown}, **ids)
        value = getattr(ood, statistic)(known, unknown)
        gate(clip_case.gate, value, n=len(unknown), ci=ci, per_image=outcomes, conventions=conventions)

    return measured


@pytest.mark.clip_gate("ood/auroc")
def test_auroc(judge, scores):
    """P(a known image scores higher than an unknown one) by MCM."""
    known, unknown, conventions = scores
    judge("auroc", known, unknown, lambda: auroc_interval(known, unknown), conventions)


@pytest.mark.clip_gate("ood/aupr_in")
def test_aupr_in(judge, clip_case, scores):
    """Average precision with known images positive."""
    known, unknown, conventions = scores
    judge("aupr_in", known, unknown, lambda: aupr_interval(known, unknown, seed=seed_from(str(clip_case.gate))), conventions)


@pytest.mark.clip_gate("ood/aupr_out")
def test_aupr_out(judge, clip_case, scores):
    """Average precision with unknown images positive."""
    known, unknown, conventions = scores
    judge("aupr_out", known, unknown, lambda: aupr_interval(-unknown, -known, seed=seed_from(str(clip_case.gate))), conventions)


@pytest.mark.clip_gate("ood/fpr95_id_positive")
def test_fpr95_id_positive(judge, scores):
    """Share of unknown images accepted at the threshold that accepts 95 % of the known ones (MCM, ODIN)."""
    known, unknown, conventions = scores
    judge("fpr95_id_positive", known, unknown, fpr95_interval(known, unknown), conventions)


@pytest.mark.clip_gate("ood/fpr95_ood_positive")
def test_fpr95_ood_positive(judge, scores):
    """Share of known images rejected at the threshold that rejects 95 % of the unknown ones (OpenOOD, pytorch-ood)."""
    known, unknown, conventions = scores
    judge("fpr95_ood_positive", known, unknown, fpr95_interval(-unknown, -known), conventions)


def by_other_score(judge, answers, score, name):
    """AUROC of a score that uses the model's own logit scale."""
    known, unknown = (score(a.logits) for a in answers)
    told = answers[0].conventions | {"score": name, "known": len(known)}
    judge("auroc", known, unknown, lambda: auroc_interval(known, unknown), told)


@pytest.mark.clip_gate("ood/auroc_msp")
def test_auroc_msp(judge, known_and_unknown):
    """AUROC of the largest softmax probability at the model's own scale (Hendrycks and Gimpel 2017)."""
    by_other_score(judge, known_and_unknown, ood.msp, "msp")


@pytest.mark.clip_gate("ood/auroc_max_logit")
def test_auroc_max_logit(judge, known_and_unknown):
    """AUROC of the largest logit (Hendrycks et al. 2022)."""
    by_other_score(judge, known_and_unknown, ood.max_logit, "max_logit")


@pytest.mark.clip_gate("ood/auroc_energy")
def test_auroc_energy(judge, known_and_unknown):
    """AUROC of the negative free energy, logsumexp of the logits (Liu et al. 2020)."""
    by_other_score(judge, known_and_unknown, ood.energy, "energy")
