"""Lines of baseline models: what accuracy under a shift ordinary models have, by their overall accuracy, and how sure that is."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, stdtrit

from . import _checks
from .resampling import Interval


@dataclass(frozen=True)
class Line:
    """logit(accuracy) = slope * logit(overall accuracy) + intercept; `r` and `n_models`: how well and from how many models it is known.

    The rest, NaN where it is not known, says how far to trust it; in logits, except `lowest` and `highest`.
    """

    slope: float
    intercept: float
    r: float
    n_models: int
    source: str = ""
    """where the accuracies of these models come from"""
    scatter: float = math.nan
    """standard deviation of the models about the line"""
    centre: float = math.nan
    """mean of the models' logit(overall accuracy)"""
    level_error: float = math.nan
    """standard error of the line's height at `centre`, over models"""
    slope_error: float = math.nan
    lowest: float = math.nan
    """overall accuracy of the weakest model; below it the line is only continued"""
    highest: float = math.nan


@dataclass(frozen=True)
class Around:
    """What a line says of models with one overall accuracy, as accuracies in [0, 1]."""

    expected: float
    line: Interval
    """of the expected accuracy: where the line of other baseline models of this kind would lie"""
    models: Interval
    """where a new baseline model would lie, if it were measured on the same images as those of the line"""
    continued: bool
    """whether no baseline model was that weak or that strong"""


def expected(overall: float, *, line: Line, n: int) -> float:
    """The accuracy that the line expects: sigmoid(slope * logit(overall) + intercept), overall clipped to [1/(2n), 1 - 1/(2n)].

    overall: accuracy in [0, 1] over `n` images; the clip keeps the logit of 0 and 1 finite. Returns 0 to 1.
    """
    return float(expit(line.slope * _at(overall, n) + line.intercept))


def around(overall: float, *, line: Line, n: int, level: float = 0.95) -> Around:
    """The expected accuracy with the interval of the line and the band of a new baseline model.

    With x = logit(overall), t of n_models - 2 degrees of freedom and se^2 = level_error^2 + slope_error^2 (x - centre)^2, the interval is
    expected -+ t se and the band expected -+ t sqrt(scatter^2 + se^2), both on the logit axis. Measured on the ten lines of ImageNet-X by
    leaving one model out at a time, the 95 % band holds 93 to 98 % of the models. It says nothing about sampled images: that is
    `effective_robustness.interval`. Overall accuracy and errors as in `expected`; NaN ends for a line without `scatter` and errors.
    """
    x = _at(overall, n)
    t = float(stdtrit(line.n_models - 2, 0.5 + _checks.level_of(level) / 2)) if line.n_models > 2 else math.nan
    middle, error = line.slope * x + line.intercept, math.hypot(line.level_error, line.slope_error * (x - line.centre))

    def ends(reach: float) -> Interval:
        return float(expit(middle - reach)), float(expit(middle + reach))

    return Around(
        float(expit(middle)), ends(t * error), ends(t * math.hypot(line.scatter, error)), not line.lowest <= float(overall) <= line.highest
    )


def fit_line(overall: npt.ArrayLike, accuracy: npt.ArrayLike, *, n_overall: int, n_accuracy: int, tuning: float = 1.345) -> Line:
    """The line of a group of baseline models: robust regression of logit(accuracy) on logit(overall).

    Huber's estimate by iterated re-weighting: weights min(1, c s / |residual|), c = `tuning`, s = median |residual| / 0.6745 (MAD about
    0), from least squares until nothing changes. Accuracies are clipped to [1/(2n), 1 - 1/(2n)] first.

    overall, accuracy: float [models] in [0, 1], at least 3 models with different overall accuracies, over n_overall and n_accuracy images.
    r is Pearson's, on the logit axes and without weights, NaN when all accuracies are equal; `scatter` is that of all models, outliers
    too, and the errors are those of least squares with it (`over_models` measures them instead). ValueError for fewer models, values
    outside [0, 1], NaN, and a fit that does not settle. Source: Huber 1981; c for 95 % efficiency; equals statsmodels' RLM with HuberT.
    """
    x, y = _logits(overall, accuracy, n_overall, n_accuracy)
    if x.size < 3 or float(np.ptp(x)) < 1e-9:
        raise ValueError(f"a line needs at least 3 models with different overall accuracies; got {x.size}, {np.unique(x).size} different")
    slope, intercept = _huber(x, y, _checks.positive(tuning, name="tuning"))
    r = float(np.corrcoef(x, y)[0, 1]) if float(np.ptp(y)) > 0 else math.nan
    scatter = float(np.sqrt(np.sum((y - slope * x - intercept) ** 2) / (x.size - 2)))
    root, models = math.sqrt(x.size), np.asarray(overall, dtype=np.float64)
    return Line(
        slope, intercept, r, int(x.size), "", scatter, float(x.mean()), scatter / root, scatter / root / float(x.std()),
        float(models.min()), float(models.max()),
    )  # fmt: skip


def over_models(
    overall: npt.ArrayLike, accuracy: npt.ArrayLike, *, n_overall: int, n_accuracy: int, seed: int, resamples: int = 1000
) -> Line:
    """`fit_line` with `level_error` and `slope_error` from a bootstrap over models: standard deviations over refitted resamples.

    Least squares takes residuals for equally wide everywhere; on ImageNet-X the bootstrap's error of the slope is 0.7 to 1.4 times its
    own. Resamples with fewer than 3 different models, or on which the fit does not settle, are drawn again. Input and errors as there.
    """
    line = fit_line(overall, accuracy, n_overall=n_overall, n_accuracy=n_accuracy)
    x, y = _logits(overall, accuracy, n_overall, n_accuracy)
    rng, found = np.random.default_rng(seed), []
    for _ in range(20 * _checks.count(resamples, name="resamples", at_least=2)):
        drawn = rng.integers(x.size, size=x.size)
        if np.unique(x[drawn]).size >= 3:
            try:
                found.append(_huber(x[drawn], y[drawn], 1.345))
            except ValueError:
                continue
        if len(found) == resamples:
            slopes, intercepts = np.array(found).T
            return replace(line, level_error=float((slopes * line.centre + intercepts).std(ddof=1)), slope_error=float(slopes.std(ddof=1)))
    raise ValueError("a bootstrap over these models hardly ever finds a line: use more models")


def _huber(x: _checks.Floats, y: _checks.Floats, tuning: float) -> tuple[float, float]:
    weights, before = np.ones(x.size), (math.inf, math.inf)
    for _ in range(20_000):  # tens for a crowd on a line; thousands for a few models that contradict each other
        middle, level = np.average(x, weights=weights), np.average(y, weights=weights)
        off = x - middle
        slope = float(np.sum(weights * off * (y - level)) / np.sum(weights * off * off))
        line = slope, float(level - slope * middle)
        distance = np.abs(y - line[0] * x - line[1])
        scale = float(np.median(distance)) / 0.6744897501960817  # the normal distribution's quartile
        if scale < 1e-12 or max(abs(line[0] - before[0]), abs(line[1] - before[1])) < 1e-11:
            return line
        weights, before = np.minimum(1.0, tuning * scale / np.maximum(distance, 1e-300)), line
    raise ValueError("the robust line did not settle within 20,000 steps: use more models, or models that lie nearer to a line")


def _logits(overall: npt.ArrayLike, accuracy: npt.ArrayLike, n_overall: int, n_accuracy: int) -> tuple[_checks.Floats, _checks.Floats]:
    given = [_checks.finite(array, name=name, ndim=1) for array, name in ((overall, "overall"), (accuracy, "accuracy"))]
    if given[0].size != given[1].size:
        raise ValueError(f"accuracy has {given[1].size} values where {given[0].size} are needed, one per model")
    for array, name in zip(given, ("overall", "accuracy"), strict=True):
        if array.min() < 0 or array.max() > 1:
            raise ValueError(f"{name} must be in [0, 1]; found {array.min():.6g} to {array.max():.6g}")
    return logit(clipped(given[0], n_overall, name="n_overall")), logit(clipped(given[1], n_accuracy, name="n_accuracy"))


def _at(overall: float, n: int) -> float:
    return float(logit(clipped(np.array([_checks.share(overall, name="overall")]), n, name="n"))[0])


def clipped(accuracy: _checks.Floats, n: int, *, name: str) -> _checks.Floats:
    """`accuracy` held half an image away from 0 and 1, where its logit would be infinite."""
    edge = 1 / (2 * _checks.count(n, name=name))
    return np.clip(accuracy, edge, 1 - edge)
