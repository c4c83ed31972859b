"""Which images went from right to wrong, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_clip.metrics.flips import flips
from pytest_clip.metrics.outcomes import Outcomes

#: Ids of one gate that travel with its row; two saved runs have all of them (``pytest-clip compare``).
MOST_IDS = 200
#: Groups of one gate that are kept, the most surprising first; those that stand out always are.
MOST_GROUPS = 10


def listed(base: Outcomes, now: Outcomes, facts: Mapping[str, tuple[str, ...]], *, most: int | None = MOST_IDS) -> dict[str, Any] | None:
    """The ``flips`` of a row: which samples that were right are wrong, and the groups by class and attribute in which they pile up.

    ``worse`` of ``at_risk`` samples went wrong, ``better`` became right; ``ids`` and ``better_ids`` name the first ``most`` of each (None:
    all). ``groups`` hold the samples of one value of one fact, ``p`` corrected for all groups; ``stands_out`` says p <= 0.05. None where
    the outcomes do not say what is right. ``facts`` belong to the samples of ``now``. Builtins only.
    """
    try:
        there, here = base.like(now).right, now.right
    except ValueError:  # not of the same samples, or of another statistic: judged on the values alone
        return None
    if there is None or here is None:
        return None
    found = flips(there, here, ids=now.ids, facts=facts)
    clear = len(found.concentrated())
    groups = [
        {
            "fact": group.fact,
            "value": group.value,
            "worse": group.worse,
            "at_risk": group.at_risk,
            "odds_ratio": group.odds_ratio,
            "p": group.p,
            "stands_out": at < clear,
        }
        for at, group in enumerate(found.groups[: max(clear, MOST_GROUPS)])
    ]
    return {
        "worse": len(found.worse),
        "at_risk": found.at_risk,
        "better": len(found.better),
        "ids": list(found.worse[:most]),
        "better_ids": list(found.better[:most]),
        "groups": groups,
    }
