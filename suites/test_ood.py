"""Out-of-distribution detection: do images of no known class score lower than images of known ones?

Known images are `clean`; for ImageNet-O those of the 200 classes that its images are mistaken for.

MCM (Ming et al. 2022) is the largest softmax probability of the cosines at temperature tau, without the model's
logit scale (ini `clip_mcm_tau`, default 1), in float64: at tau = 1 all scores lie within a few thousandths. AUROC counts ties as one half.
NegLabel (Jiang et al. 2024) sets the classes against words that are far from all of them; GL-MCM (Miyai et al. 2025) adds what the surest
place of the picture says. FPR95 is given in both orientations found in the literature, under names that say which: they are different
numbers.
"""

from functools import cache

import numpy as np
import pytest

from pytest_clip.data import wordlist
from pytest_clip.extract.found import found
from pytest_clip.extract.negatives import mined
from pytest_clip.extract.places import local_mcm, no_patches
from pytest_clip.metrics import neglabel, ood
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
    known, unknown = map(score, answers)
    told = answers[0].conventions | {"score": name, "known": len(known)}
    judge("auroc", known, unknown, lambda: auroc_interval(known, unknown), told)


@pytest.mark.clip_gate("ood/auroc_msp")
def test_auroc_msp(judge, known_and_unknown):
    """AUROC of the largest softmax probability at the model's own scale (Hendrycks and Gimpel 2017)."""
    by_other_score(judge, known_and_unknown, lambda answers: answers.confidence, "msp")


@pytest.mark.clip_gate("ood/auroc_max_logit")
def test_auroc_max_logit(judge, known_and_unknown):
    """AUROC of the largest logit (Hendrycks et al. 2022)."""
    by_other_score(judge, known_and_unknown, lambda answers: answers.max_logit, "max_logit")


@pytest.mark.clip_gate("ood/auroc_energy")
def test_auroc_energy(judge, known_and_unknown):
    """AUROC of the negative free energy, logsumexp of the logits (Liu et al. 2020)."""
    by_other_score(judge, known_and_unknown, lambda answers: answers.energy, "energy")


@pytest.fixture(scope="session")
def negatives(clip_model, clip_data, clip_extraction, clip_settings):
    """By known classes the words that compete with them, mined for this model."""

    @cache
    def of(classes):
        found = wordlist.find(clip_settings.neglabel_words, data=clip_data.name, classes=classes)
        if found is None:
            pytest.skip(f"no words are named to compete with the classes of {clip_data.name}: ini clip_neglabel_words = FILE, or wordnet")
        known = clip_extraction.classifier(clip_model, clip_data, classes=classes)
        return mined(lambda texts: clip_extraction.texts(clip_model, texts), known, found)

    return of


@pytest.mark.clip_gate("ood/auroc_neglabel")
def test_auroc_neglabel(judge, clip_case, clip_model, clip_data, clip_extraction, known_and_unknown, negatives):
    """AUROC of the softmax mass on the classes, against words that are far from all of them (Jiang et al. 2024)."""
    sets, scores = (clip_data.images(clip_case.slice).known, clip_case.slice), []
    found = negatives(known_and_unknown[0].classes)
    for name, answers in zip(sets, known_and_unknown, strict=True):
        rows = clip_extraction.embeddings(clip_model, clip_data, name).astype(np.float64)
        competing = (rows @ found.embeddings.T).clip(-1, 1).round(12)  # as the cosines of the classes are
        scores.append(neglabel.neglabel(answers.cosines, competing, found.groups))
    told = known_and_unknown[0].conventions | found.conventions
    told |= {"score": "neglabel", "known": len(scores[0]), "scale": neglabel.SCALE}
    judge("auroc", *scores, lambda: auroc_interval(*scores), told)


@pytest.mark.clip_gate("ood/auroc_gl_mcm")
def test_auroc_gl_mcm(judge, clip_case, clip_model, clip_data, clip_extraction, clip_settings, known_and_unknown):
    """AUROC of MCM plus the same of the surest place of the picture (Miyai et al. 2025)."""
    if (reason := found(clip_extraction.cache, clip_model, None, "no patches", lambda: no_patches(clip_model))) is not None:
        pytest.skip(reason)
    tau, sets = clip_settings.mcm_tau, (clip_data.images(clip_case.slice).known, clip_case.slice)
    weight = 0.5 if any(each.imagenet for each in clip_data.sets if each.name == sets[0]) else 1.0  # as published
    scores = [
        neglabel.with_places(answers.mcm(tau), local_mcm(clip_extraction, clip_model, clip_data, name, tau=tau), weight=weight)
        for name, answers in zip(sets, known_and_unknown, strict=True)
    ]
    told = known_and_unknown[0].conventions | {"score": "gl_mcm", "tau": tau, "lambda": weight, "known": len(scores[0])}
    judge("auroc", *scores, lambda: auroc_interval(*scores), told)
