"""What guessing reaches, and whether a bound asks for more than that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pytest_clip.gates.catalog import CATALOG

ONE_OF_THEM = "1 / number of classes"
"""How the catalog says it where it depends on the data."""


def of(metric_id: str, conventions: Mapping[str, Any]) -> float | None:
    """The value that a model without knowledge has on average; None where nobody knows.

    The conventions of a number win (`chance`); then the catalog, for a share among classes with their count in the conventions.
    """
    told = conventions.get("chance")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    said = CATALOG[metric_id].chance if metric_id in CATALOG else None
    if said == ONE_OF_THEM:
        classes = conventions.get("classes")
        return 1 / classes if isinstance(classes, int) and classes > 0 else None
    try:
        return float(said) if said is not None else None
    except ValueError:
        return None


def is_met_by_guessing(limit: float, key: Literal["min", "max"], metric_id: str, conventions: Mapping[str, Any]) -> bool:
    """Whether a model that guesses would keep this bound, on average."""
    chance = of(metric_id, conventions)
    if chance is None:
        return False
    return limit <= chance if key == "min" else limit >= chance
