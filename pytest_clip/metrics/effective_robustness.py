"""Effective robustness: is a model better under a shift than its clean accuracy lets expect."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from . import _checks
from .intervals import Interval, wilson


@dataclass(frozen=True)
class Line:
    """logit(accuracy) = slope * logit(overall accuracy) + intercept; `r` and `n_models`: how well and from how many models it is known."""

    slope: float
    intercept: float
    r: float
    n_models: int
    source: str = ""
    """where the accuracies of these models come from"""


def _lines(source: str, *rows: tuple[str, float, float, float, int]) -> Mapping[str, Line]:
    return MappingProxyType({name: Line(slope, intercept, r, n, source) for name, slope, intercept, r, n in rows})


IMAGENET_X_LINES = _lines(
    "facebookresearch/imagenetx @6403d41, top factor, prototypes left out",
    ("pose", 1.0715, 0.3323, 0.9993, 83),
    ("background", 0.9555, -0.0550, 0.9990, 83),
    ("pattern", 1.0806, 0.0588, 0.9957, 83),
    ("color", 1.0404, -0.2719, 0.9979, 83),
    ("smaller", 1.1947, -0.9017, 0.9877, 83),
    ("shape", 0.9959, -0.7334, 0.9862, 83),
    ("partial_view", 1.0512, -0.1241, 0.9771, 83),
    ("subcategory", 0.6723, -0.7068, 0.9757, 83),
    ("texture", 1.0551, -1.3719, 0.9733, 83),
    ("larger", 0.8467, -0.1029, 0.9001, 83),
)
"""Top factor of ImageNet-X against the mean accuracy over its 46,110 images. Huber lines (c = 1.345, MAD about 0) over 83 supervised
ImageNet-1k models, from the accuracies published in facebookresearch/imagenetx @6403d41."""

IMAGENET_SHIFT_LINES = _lines(
    "modestyachts/imagenet-testbed @0170eec",
    ("imagenetv2-matched-frequency", 0.9287, -0.5043, 0.9981, 83),
    ("imagenetv2-threshold-0.7", 1.0077, -0.1873, 0.9973, 83),
    ("imagenetv2-top-images", 0.9806, 0.1245, 0.9968, 83),
    ("imagenet-sketch", 1.0989, -2.4092, 0.9312, 83),
    ("imagenet-r", 0.9074, -1.5935, 0.9360, 78),
    ("imagenet-a", 3.3918, -6.7716, 0.8744, 82),
    ("objectnet", 1.2286, -2.0512, 0.9704, 83),
    ("imagenet-vid-robust-pm0", 0.9925, -0.3442, 0.9650, 83),
    ("ytbb-robust-pm0", 0.5045, -0.2350, 0.8962, 83),
)
"""Shifts against the accuracy on the whole ImageNet validation set. Fitted as above, from modestyachts/imagenet-testbed @0170eec."""


def published(name: str) -> Line:
    """The line of a shift, or of `imagenet-x/FACTOR`. KeyError for another name."""
    kind, _, factor = name.rpartition("/")
    return IMAGENET_X_LINES[factor] if kind == "imagenet-x" else IMAGENET_SHIFT_LINES[name]


def expected(overall: float, *, line: Line, n: int) -> float:
    """The accuracy that the line expects: sigmoid(slope * logit(overall) + intercept), overall clipped to [1/(2n), 1 - 1/(2n)].

    overall: accuracy in [0, 1] over `n` images; the clip keeps the logit of 0 and 1 finite. Returns 0 to 1.
    """
    x = _clipped(np.array([_checks.share(overall, name="overall")]), n, name="n")
    return float(expit(line.slope * logit(x[0]) + line.intercept))


def effective_robustness(accuracy: float, overall: float, *, line: Line, n_overall: int) -> float:
    """Accuracy beyond what the overall accuracy lets expect: acc - sigmoid(slope * logit(overall) + intercept).

    accuracy: on the shift or factor, overall: the x-axis of the line, over `n_overall` images; both in [0, 1]. Returns -1 to 1 in units
    of accuracy, higher is better, 0 = as the baseline models of the line. ValueError outside [0, 1]. Source: Taori et al. 2020, "Measuring
    Robustness to Natural Distribution Shifts in Image Classification", on logit axes as in their testbed.
    """
    return _checks.share(accuracy, name="accuracy") - expected(overall, line=line, n=n_overall)


def interval(k: int, n: int, overall: float, *, line: Line, n_overall: int, level: float = 0.95) -> Interval:
    """Interval for `effective_robustness` with `k` of `n` right on the shift: Wilson's interval for k/n minus the expected accuracy.

    The overall accuracy and the line count as known, so it is only the sampling error of the shift: at n = 150 it is +-8 points, and most
    differences between models are smaller. Returns (low, high). Errors as in `intervals.wilson` and `expected`.
    """
    low, high = wilson(k, n, level=level)
    base = expected(overall, line=line, n=n_overall)
    return low - base, high - base


def fit_line(overall: npt.ArrayLike, accuracy: npt.ArrayLike, *, n_overall: int, n_accuracy: int, tuning: float = 1.345) -> Line:
    """The line of a group of baseline models: robust regression of logit(accuracy) on logit(overall).

    Huber's estimate by iterated re-weighting: weights min(1, c s / |residual|), c = `tuning`, s = median |residual| / 0.6745 (MAD about
    0), from least squares until nothing changes. Accuracies are clipped to [1/(2n), 1 - 1/(2n)] first.

    overall, accuracy: float [models] in [0, 1], at least 3 models with different overall accuracies, over n_overall and n_accuracy images.
    r is Pearson's, on the logit axes and without weights, NaN when all accuracies are equal. ValueError for fewer models, values outside
    [0, 1], NaN, and a fit that does not settle. Source: Huber 1981; c for 95 % efficiency; equals statsmodels' RLM with HuberT.
    """
    given = [_checks.finite(array, name=name, ndim=1) for array, name in ((overall, "overall"), (accuracy, "accuracy"))]
    if given[0].size != given[1].size:
        raise ValueError(f"accuracy has {given[1].size} values where {given[0].size} are needed, one per model")
    for array, name in zip(given, ("overall", "accuracy"), strict=True):
        if array.min() < 0 or array.max() > 1:
            raise ValueError(f"{name} must be in [0, 1]; found {array.min():.6g} to {array.max():.6g}")
    x = logit(_clipped(given[0], n_overall, name="n_overall"))
    y = logit(_clipped(given[1], n_accuracy, name="n_accuracy"))
    if x.size < 3 or float(np.ptp(x)) < 1e-9:
        raise ValueError(f"a line needs at least 3 models with different overall accuracies; got {x.size}, {np.unique(x).size} different")
    slope, intercept = _huber(x, y, _checks.positive(tuning, name="tuning"))
    r = float(np.corrcoef(x, y)[0, 1]) if float(np.ptp(y)) > 0 else math.nan
    return Line(slope, intercept, r, int(x.size))


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


def _clipped(accuracy: _checks.Floats, n: int, *, name: str) -> _checks.Floats:
    edge = 1 / (2 * _checks.count(n, name=name))
    return np.clip(accuracy, edge, 1 - edge)
