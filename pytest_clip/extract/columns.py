"""Numbers of single images that gates are made of, off the cosines of zero-shot answers; `ZeroShot.columns` gives each once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .zeroshot import ZeroShot

Columns = list[NDArray[Any]]


def _answers(answers: ZeroShot, number: float) -> Columns:
    from ..metrics.calibration import softmax

    known = answers.labels.min(initial=0) >= 0
    right = answers.count_among(1) if known else np.full(len(answers.labels), np.nan)
    return [right, softmax(answers.logits).max(1)]


def _losses(answers: ZeroShot, number: float) -> Columns:
    from ..metrics import calibration, ood

    logits, nothing = answers.logits, [np.full(len(answers.labels), np.nan)] * 2
    losses = nothing
    if answers.labels.min(initial=0) >= 0:
        losses = [
            calibration.nll_per_sample(logits, answers.labels), calibration.brier_per_sample(calibration.softmax(logits), answers.labels)
        ]  # fmt: skip
    return [*losses, ood.max_logit(logits), ood.energy(logits)]


def _scaled(answers: ZeroShot, temperature: float) -> Columns:
    from ..metrics.calibration import nll_per_sample, softmax

    logits, warm = answers.logits, answers.logits / temperature
    if not np.array_equal(warm.argmax(1), logits.argmax(1)):
        raise AssertionError("temperature scaling must not change a prediction")
    return [softmax(warm).max(1), nll_per_sample(warm, answers.labels)]


def _mcm(answers: ZeroShot, tau: float) -> Columns:
    from ..metrics.ood import mcm

    return [mcm(answers.cosines, tau=tau)]


READERS: dict[str, Callable[[ZeroShot, float], Columns]] = {
    "answers": _answers,
    "among": lambda answers, k: [answers.count_among(int(k))],
    "losses": _losses,
    "scaled": _scaled,
    "mcm": _mcm,
}
"""By name: right and confidence; whether among the `number` highest; NLL, Brier, highest logit and energy; confidence and NLL at a
temperature; MCM at a tau. NaN where an image of no class has none."""
