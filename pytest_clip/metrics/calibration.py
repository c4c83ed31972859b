"""Calibration: does a confidence of 0.8 mean right 8 times in 10."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from . import _checks


def softmax(logits: npt.ArrayLike, *, temperature: float = 1.0) -> _checks.Floats:
    """Class probabilities exp(z_c / T) / sum_d exp(z_d / T), in float64 and without overflow.

    logits: float [n, C], the model's logit scale already in them; temperature: above 0. Returns float64 [n, C], rows sum to 1.
    """
    z = _checks.finite(logits, name="logits", ndim=2) / _checks.positive(temperature, name="temperature")
    powers: _checks.Floats = np.exp(z - z.max(axis=1, keepdims=True))
    shares: _checks.Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True)
class Reliability:
    """The table behind a reliability diagram, one entry per bin (low_b, high_b]; an empty bin has None for both means."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    count: tuple[int, ...]
    confidence: tuple[float | None, ...]
    accuracy: tuple[float | None, ...]


def reliability(confidence: npt.ArrayLike, correct: npt.ArrayLike, *, bins: int = 15) -> Reliability:
    """Count, mean confidence and accuracy of each of `bins` equal-width bins; inputs and bin edges as in `ece`."""
    held, right, which = binned(confidence, correct, bins=bins)
    total = np.bincount(which, minlength=bins)
    sums = np.bincount(which, weights=held, minlength=bins), np.bincount(which, weights=right, minlength=bins)
    means = [tuple(float(s / n) if n else None for s, n in zip(column, total, strict=True)) for column in sums]
    edges = tuple(k / bins for k in range(bins + 1))
    return Reliability(edges[:-1], edges[1:], tuple(int(n) for n in total), means[0], means[1])


def ece(confidence: npt.ArrayLike, correct: npt.ArrayLike, *, bins: int = 15) -> float:
    """Expected calibration error: sum_b (n_b / n) |mean confidence_b - accuracy_b| over equal-width bins.

    Bins are (b/bins, (b+1)/bins], correctly rounded float64 edges; confidence 0 falls in the first bin and 1 in the last (other tools
    lose 1.0 or put it in a bin of its own: torchmetrics#3510).

    confidence: float [n] in [0, 1], the highest class probability; correct: bool or 0/1 [n]. Returns 0 to 1, lower is better; biased
    upwards at small n. ValueError for NaN, values outside [0, 1], wrong shapes. Source: Guo et al. 2017, "On Calibration of Modern Neural
    Networks", eq. 3; 15 bins as in their experiments.
    """
    held, right, which = binned(confidence, correct, bins=bins)
    return _mean_gap(held - right, which)


def adaptive_ece(confidence: npt.ArrayLike, correct: npt.ArrayLike, *, bins: int = 15) -> float:
    """Calibration error over bins of equal mass: as `ece`, but each bin holds about n / bins samples.

    Sample i goes to bin floor(bins * #{j : confidence_j < confidence_i} / n). So equal confidences share a bin, whatever the order of the
    samples; without ties the sizes differ by at most 1, and with fewer samples than bins each is a bin of its own.

    Inputs, range, direction and errors as in `ece`. Source: the top-label form of Nixon et al. 2019, "Measuring Calibration in Deep
    Learning"; equal-mass bins from Nguyen & O'Connor 2015. Not the RMS variant with bins of 100.
    """
    held, right, which = binned(confidence, correct, bins=bins, adaptive=True)
    return _mean_gap(held - right, which)


def nll(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Negative log-likelihood: mean of -log softmax(z_i)[y_i], natural logarithm (nats).

    logits: float [n, C], logit scale included; labels: int [n] in 0 .. C-1. Returns 0 or more, lower is better; log C = uniform guessing.
    Never infinite for finite logits. ValueError for NaN, wrong shapes, labels out of range. Source: Guo et al. 2017, section 2.
    """
    return float(np.mean(nll_per_sample(logits, labels)))


def nll_per_sample(logits: npt.ArrayLike, labels: npt.ArrayLike) -> _checks.Floats:
    """The terms [n] whose mean is `nll`, for `intervals.mean_interval`."""
    z, truth = _checks.logits_and_labels(logits, labels)
    losses: _checks.Floats = logsumexp(z, axis=1) - z[np.arange(truth.size), truth]
    return np.maximum(losses, 0.0)  # logsumexp may round to 1 ulp below the maximum


def brier(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Brier score, multi-class sum form: mean over samples of sum_c (p_ic - [y_i = c])^2.

    probabilities: float [n, C] in [0, 1], rows sum to 1 within 1e-4; labels: int [n] in 0 .. C-1. Returns 0 to 2, lower is better; for two
    classes it is twice the binary form. ValueError for logits passed by mistake, NaN, wrong shapes. Source: Brier 1950.
    """
    return float(np.mean(brier_per_sample(probabilities, labels)))


def brier_per_sample(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> _checks.Floats:
    """The terms [n] whose mean is `brier`, for `intervals.mean_interval`."""
    p, truth = _checks.logits_and_labels(probabilities, labels, name="probabilities")
    _checks.distributions(p)
    p[np.arange(truth.size), truth] -= 1.0
    squares: _checks.Floats = np.einsum("ij,ij->i", p, p)
    return squares


def halves(labels: npt.ArrayLike, *, seed: int) -> tuple[_checks.Ints, _checks.Ints]:
    """Two disjoint, class-stratified halves of the samples: indices to fit a temperature on, indices to evaluate on.

    labels: int [n], 0 or more, n >= 2. Each class is shuffled and dealt alternately, and the dealing runs on from class to class, so both
    the classes and the totals differ by at most 1. Returns two sorted int64 arrays that together hold every index once; the same seed
    gives the same split. ValueError for fewer than 2 samples.
    """
    truth = _checks.integers(labels, name="labels")
    if truth.size < 2:
        raise ValueError("two halves need at least 2 samples; labels have 1")
    shuffled = np.random.default_rng(seed).permutation(truth.size)
    dealt = shuffled[np.argsort(truth[shuffled], kind="stable")].astype(np.int64)
    return np.sort(dealt[::2]), np.sort(dealt[1::2])


def binned(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, *, bins: int, adaptive: bool = False
) -> tuple[_checks.Floats, _checks.Bools, _checks.Ints]:
    """Checked confidences and outcomes with the bin number of each sample, as in `ece` or `adaptive_ece`."""
    bins = _checks.count(bins, name="bins")
    held = _checks.finite(confidence, name="confidence", ndim=1)
    right = _checks.binary(correct, name="correct", n=held.size)
    if held.min() < 0 or held.max() > 1 + 1e-6:  # a float32 softmax may end 1e-7 above 1
        raise ValueError(f"confidence must be in [0, 1]; found {held.min():.6g} to {held.max():.6g}")
    held = np.minimum(held, 1.0)
    if adaptive:
        which = np.searchsorted(np.sort(held), held, side="left") * bins // held.size
    else:
        which = np.maximum(np.searchsorted(np.arange(bins + 1) / bins, held, side="left") - 1, 0)
    return held, right, which.astype(np.int64)


def _mean_gap(gap: _checks.Floats, which: _checks.Ints) -> float:
    return float(np.abs(np.bincount(which, weights=gap)).sum() / gap.size)
