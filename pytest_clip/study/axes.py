"""The axes on which accuracies of many models lie on lines."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from pytest_clip.study.population import Floats

Axis = Literal["logit", "probit"]
EDGE = 1e-4
"""How far a share of unknown n is held from 0 and 1; published figures have four digits."""


def onto(shares: Floats, axis: Axis, *, n: int = 0) -> Floats:
    """Shares on the axis; half an image away from 0 and 1, where both are infinite."""
    edge = 1 / (2 * n) if n else EDGE
    held = np.clip(shares, edge, 1 - edge)
    found: Floats = logit(held) if axis == "logit" else ndtri(held)
    return found


def back(values: Floats, axis: Axis) -> Floats:
    """From the axis to shares."""
    found: Floats = expit(values) if axis == "logit" else ndtr(values)
    return found
