"""OOD detection: scores that are higher in distribution (ID), and how well they separate ID from out-of-distribution (OOD) samples."""

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from . import _checks
from .calibration import softmax


def mcm(cosines: npt.ArrayLike, *, tau: float = 1.0) -> _checks.Floats:
    """Maximum concept matching: max_c softmax(cosine / tau)_c, higher = more in-distribution.

    cosines: float [n, C] in [-1, 1], *without* CLIP's logit scale (scaled logits are refused); tau: above 0. Returns float64 [n] in [1/C,
    1]. At tau = 1 all scores lie within about 1e-3, so keep float64. tau = 0.01 is MSP at logit scale 100. ValueError for values beyond
    +-1.01, NaN, wrong shapes. Source: Ming et al. 2022, "Delving into Out-of-Distribution Detection with Vision-Language
    Representations", section 3.
    """
    cos = _checks.finite(cosines, name="cosines", ndim=2)
    if np.abs(cos).max() > 1.01:
        raise ValueError(f"cosines must be in [-1, 1]; found {cos.min():.6g} to {cos.max():.6g}: leave out the logit scale")
    return _highest(softmax(cos, temperature=_checks.positive(tau, name="tau")))


def msp(logits: npt.ArrayLike) -> _checks.Floats:
    """Maximum softmax probability: max_c softmax(logits)_c, float64 [n] in [1/C, 1], higher = more in-distribution.

    logits: float [n, C], logit scale included. Source: Hendrycks & Gimpel 2017, "A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples".
    """
    return _highest(softmax(logits))


def max_logit(logits: npt.ArrayLike) -> _checks.Floats:
    """The highest logit, float64 [n], higher = more in-distribution.

    logits: float [n, C]. Source: Hendrycks et al. 2022, "Scaling Out-of-Distribution Detection for Real-World Settings", section 3.
    """
    return _highest(_checks.finite(logits, name="logits", ndim=2))


def energy(logits: npt.ArrayLike, *, temperature: float = 1.0) -> _checks.Floats:
    """Negative free energy: T log sum_c exp(z_c / T), float64 [n], higher = more in-distribution.

    logits: float [n, C]; temperature: above 0. Source: Liu et al. 2020, "Energy-based Out-of-distribution Detection", with the sign turned.
    """
    t = _checks.positive(temperature, name="temperature")
    free: _checks.Floats = t * logsumexp(_checks.finite(logits, name="logits", ndim=2) / t, axis=1)
    return free


def auroc(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> float:
    """P(ID score > OOD score) + P(tie) / 2 over all pairs.

    id_scores: float [n]; ood_scores: float [m]. Returns 0 to 1, higher is better, 0.5 = chance; exact, from counts, unchanged by any
    strictly increasing map of the scores. ValueError for NaN or infinite scores (with their number) and empty inputs. Source: Hanley &
    McNeil 1982; equals scikit-learn's `roc_auc_score`.
    """
    ins, outs = tally(id_scores, ood_scores)
    twice_below = 2 * np.cumsum(outs) - outs
    return float(int(ins @ twice_below) / (2 * int(ins.sum()) * int(outs.sum())))


def aupr_in(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> float:
    """Average precision with ID as the positive class: sum_k (R_k - R_k-1) P_k over falling thresholds, tied scores in one step.

    Inputs and errors as in `auroc`. Returns 0 to 1, higher is better; chance is the share of ID samples, so compare only at equal set
    sizes. Source: scikit-learn's `average_precision_score`; not the trapezoid area, which is too optimistic (Davis & Goadrich 2006).
    """
    ins, outs = tally(id_scores, ood_scores)
    return _average_precision(ins[::-1], outs[::-1])


def aupr_out(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> float:
    """Average precision with OOD as the positive class, which has the lower scores; everything else as in `aupr_in`."""
    ins, outs = tally(id_scores, ood_scores)
    return _average_precision(outs, ins)


def fpr95_id_positive(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> float:
    """Share of OOD accepted when at least 95 % of ID is kept.

    The threshold is the highest score t with #{ID >= t} >= 0.95 n (the first such point of the ROC curve, tied scores in one step); the
    result is the share of OOD with a score >= t. Inputs and errors as in `auroc`. Returns 0 to 1, lower is better. Source: ODIN (Liang et
    al. 2018) and MCM; their code takes the point nearest to 95 % instead of the first. Not the orientation of OpenOOD: see
    `fpr95_ood_positive`.
    """
    kept, accepted = _checks.finite(id_scores, name="id_scores", ndim=1), _checks.finite(ood_scores, name="ood_scores", ndim=1)
    return float(np.mean(accepted >= -_reach(-kept)))


def fpr95_ood_positive(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> float:
    """Share of ID flagged when at least 95 % of OOD is detected.

    The threshold is the lowest score t with #{OOD <= t} >= 0.95 m; the result is the share of ID with a score <= t. Inputs, range,
    direction and errors as in `fpr95_id_positive`. Source: OpenOOD v1.5 and Hendrycks & Gimpel 2017, who treat OOD as the positive class.
    """
    flagged, detected = _checks.finite(id_scores, name="id_scores", ndim=1), _checks.finite(ood_scores, name="ood_scores", ndim=1)
    return float(np.mean(flagged <= _reach(detected)))


def tally(id_scores: npt.ArrayLike, ood_scores: npt.ArrayLike) -> tuple[_checks.Ints, _checks.Ints]:
    """How many ID and how many OOD samples have each distinct score, in rising order of the score."""
    inside, outside = _checks.finite(id_scores, name="id_scores", ndim=1), _checks.finite(ood_scores, name="ood_scores", ndim=1)
    values, which = np.unique(np.concatenate([inside, outside]), return_inverse=True)
    of_id, of_ood = which[: inside.size], which[inside.size :]
    return np.bincount(of_id, minlength=values.size).astype(np.int64), np.bincount(of_ood, minlength=values.size).astype(np.int64)


def _highest(scores: _checks.Floats) -> _checks.Floats:
    best: _checks.Floats = scores.max(axis=1)
    return best


def _average_precision(positive: _checks.Ints, negative: _checks.Ints) -> float:
    """From counts per distinct score, best score first."""
    hits = np.cumsum(positive)
    return float(positive @ (hits / (hits + np.cumsum(negative))) / hits[-1])


def _reach(values: _checks.Floats) -> float:
    """The smallest t such that at least 95 % of the values are <= t; whole numbers, because 0.95 * n rounds up or down."""
    needed = -(-95 * values.size // 100)
    return float(np.partition(values, needed - 1)[needed - 1])
