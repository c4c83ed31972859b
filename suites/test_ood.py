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
def outcomes(known_and_unknown):
    """The scores of both kinds of images as the outcomes of a statistic."""
    known, unknown = known_and_unknown

    def of(statistic, of_known, of_unknown):
        return Outcomes(statistic, {"score": of_known}, known.ids, others={"score": of_unknown}, other_ids=unknown.ids)

    return of


@pytest.mark.clip_gate("ood/auroc")
def test_auroc(gate, clip_case, scores, outcomes):
    """P(a known image scores higher than an unknown one) by MCM."""
    known, unknown, conventions = scores
    gate(
        clip_case.gate, ood.auroc(known, unknown), n=len(unknown), ci=auroc_interval(known, unknown),
        per_image=outcomes("auroc", known, unknown), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("ood/aupr_in")
def test_aupr_in(gate, clip_case, scores, outcomes):
    """Average precision with known images positive."""
    known, unknown, conventions = scores
    ci = aupr_interval(known, unknown, seed=seed_from(str(clip_case.gate)))
    gate(
        clip_case.gate, ood.aupr_in(known, unknown), n=len(unknown), ci=ci,
        per_image=outcomes("aupr_in", known, unknown), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("ood/aupr_out")
def test_aupr_out(gate, clip_case, scores, outcomes):
    """Average precision with unknown images positive."""
    known, unknown, conventions = scores
    ci = aupr_interval(-unknown, -known, seed=seed_from(str(clip_case.gate)))
    gate(
        clip_case.gate, ood.aupr_out(known, unknown), n=len(unknown), ci=ci,
        per_image=outcomes("aupr_out", known, unknown), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("ood/fpr95_id_positive")
def test_fpr95_id_positive(gate, clip_case, scores, outcomes):
    """Share of unknown images accepted at the threshold that accepts 95 % of the known ones (MCM, ODIN)."""
    known, unknown, conventions = scores
    ci = fpr95_interval(known, unknown)
    gate(
        clip_case.gate, ood.fpr95_id_positive(known, unknown), n=len(unknown), ci=ci,
        per_image=outcomes("fpr95_id_positive", known, unknown), conventions=conventions,
    )  # fmt: skip


@pytest.mark.clip_gate("ood/fpr95_ood_positive")
def test_fpr95_ood_positive(gate, clip_case, scores, outcomes):
    """Share of known images rejected at the threshold that rejects 95 % of the unknown ones (OpenOOD, pytorch-ood)."""
    known, unknown, conventions = scores
    ci = fpr95_interval(-unknown, -known)
    gate(
        clip_case.gate, ood.fpr95_ood_positive(known, unknown), n=len(unknown), ci=ci,
        per_image=outcomes("fpr95_ood_positive", known, unknown), conventions=conventions,
    )  # fmt: skip


def by_other_score(gate, case, answers, outcomes, score, name):
    """AUROC of a score that uses the model's own logit scale."""
    known, unknown = (score(a.logits) for a in answers)
    gate(
        case.gate, ood.auroc(known, unknown), n=len(unknown), ci=auroc_interval(known, unknown),
        per_image=outcomes("auroc", known, unknown), conventions=answers[0].conventions | {"score": name, "known": len(known)},
    )  # fmt: skip


@pytest.mark.clip_gate("ood/auroc_msp")
def test_auroc_msp(gate, clip_case, known_and_unknown, outcomes):
    """AUROC of the largest softmax probability at the model's own scale (Hendrycks and Gimpel 2017)."""
    by_other_score(gate, clip_case, known_and_unknown, outcomes, ood.msp, "msp")


@pytest.mark.clip_gate("ood/auroc_max_logit")
def test_auroc_max_logit(gate, clip_case, known_and_unknown, outcomes):
    """AUROC of the largest logit (Hendrycks et al. 2022)."""
    by_other_score(gate, clip_case, known_and_unknown, outcomes, ood.max_logit, "max_logit")


@pytest.mark.clip_gate("ood/auroc_energy")
def test_auroc_energy(gate, clip_case, known_and_unknown, outcomes):
    """AUROC of the negative free energy, logsumexp of the logits (Liu et al. 2020)."""
    by_other_score(gate, clip_case, known_and_unknown, outcomes, ood.energy, "energy")
