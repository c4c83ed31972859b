"""Which images went from right to wrong, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_clip.metrics.outcomes import Outcomes

#: Ids of one gate that travel with its row; a saved run has all of them.
MOST_IDS = 200


def listed(base: Outcomes, now: Outcomes, facts: Mapping[str, tuple[str, ...]]) -> dict[str, Any] | None:
    """The ``flips`` of a row: how many that were right are wrong, which, and the groups by class and attribute in which they pile up.

    None where the outcomes do not say what is right. `facts` belong to the samples of `now`. Builtins only.
    """
    return None
