"""Intervals of OOD numbers that have no plain variance: FPR95 by empirical likelihood, AUPR by a bootstrap on the logit scale."""

import math

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, stdtrit, xlogy

from . import _checks, _coarse, _weighted
from ._scores import score_interval, z_of
from .few import TooFewError
from .ood import aupr_in
from .resampling import Interval, weights_of

KEPT = 0.95
FINE = 40_000
"""Samples up to which every one is drawn by itself; beyond, neighbours are drawn together: 1,000 resamples of 200,000 + 200,000 scores take
0.4 s for 8.8 s (at 20,000 + 20,000 0.4 for 0.9), and their deviation differs by less than that of 1,000 others does by chance (3 %)."""


def fpr95_interval(kept: npt.ArrayLike, passing: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Interval for the share of `passing` at or above the score that keeps 95 % of `kept`, for the threshold is not known either.

    The union, over all thresholds t, of Wilson's interval for the share of `passing` at t, each at what is left of z^2 after the likelihood
    ratio of "t keeps 95 %": 2 n KL(share of kept at t, 0.95). That is the profile likelihood of a point of the ROC curve. A bootstrap
    cannot see beyond the lowest score: its 95 % interval covers 86 to 90 % at n = 20. With fewer than 38 kept samples all of them may
    lie above the threshold, and the upper end is 1: n is too small to say more.

    For `ood.fpr95_id_positive` pass the ID and the OOD scores; for `fpr95_ood_positive` the OOD and the ID scores, both with their sign
    turned. kept: float [n]; passing: float [m]. Inside [0, 1], never a point. ValueError for NaN, empty inputs. Source: Claeskens, Jing,
    Peng & Zhou 2003, "Empirical likelihood confidence regions for comparison distributions and ROC curves".
    """
    own, theirs = (np.sort(_checks.finite(each, name=name, ndim=1)) for each, name in ((kept, "kept"), (passing, "passing")))
    n, m = own.size, theirs.size
    at = np.append(np.unique(np.concatenate([own, theirs])), np.inf)
    most, least = (1.0 - np.searchsorted(own, at, side=side) / n for side in ("left", "right"))
    share = np.clip(KEPT, least, most)  # samples at t itself may be on either side of a threshold there
    left = z_of(level) ** 2 - 2 * n * (xlogy(share, share / KEPT) + xlogy(1 - share, (1 - share) / (1 - KEPT)))
    passed = 1.0 - np.searchsorted(theirs, at, side="left") / m
    ends = [score_interval(float(p), m, math.sqrt(c)) for p, c in zip(passed[left > 0], left[left > 0], strict=True)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def aupr_interval(positive: npt.ArrayLike, negative: npt.ArrayLike, *, seed: int, resamples: int = 1000, level: float = 0.95) -> Interval:
    """Interval for `ood.aupr_in` (positive = ID, negative = OOD) or `aupr_out` (OOD and ID, with their sign turned); inside [0, 1].

    On the logit scale, Student's t with min(n, m) - 1 degrees of freedom times the bootstrap's standard deviation, round the number and
    round the number less its bootstrap bias, whichever is farther: an average precision of few samples is too high. Where the two sets are
    perfectly apart, or all scores equal, Wilson's interval over min(n, m) pairs. positive: float [n], negative: float [m], higher = more
    positive, at least 2 of each. Source: the logit scale of Boyd, Eng & Page 2013, "Area under the precision-recall curve: point estimates
    and confidence intervals".
    """
    own, theirs = (_checks.finite(each, name=name, ndim=1) for each, name in ((positive, "positive"), (negative, "negative")))
    few = min(own.size, theirs.size)
    if few < 2:
        raise TooFewError(f"an AUPR interval needs at least 2 samples of each kind; got {own.size} and {theirs.size}")
    found = aupr_in(own, theirs)
    nearly, about = 1.0 - 0.5 / (own.size * (own.size + 1)), found
    if own.size + theirs.size > FINE:
        about, drawn = _coarse.average_precisions(own, theirs, seed=seed, resamples=resamples)
    else:
        weighing = _weighted.average_precision(own, theirs)
        drawn = np.concatenate([weighing(w, v) for w, v in weights_of(own.size, theirs.size, seed=seed, resamples=resamples)])
    scaled, centre = logit(np.minimum(drawn, nearly)), float(logit(min(found, nearly)))
    if found == 1.0 or scaled.std() < 1e-12:  # perfectly apart, or all scores equal
        return score_interval(found, few, z_of(level))
    reach = -float(stdtrit(few - 1, (1.0 - level) / 2.0)) * float(scaled.std(ddof=1))
    moved = centre + float(logit(min(about, nearly))) - float(scaled.mean())
    return float(expit(min(centre, moved) - reach)), max(float(expit(max(centre, moved) + reach)), found)
