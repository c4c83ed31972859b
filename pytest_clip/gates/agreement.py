"""Whether two measurements of a gate may be compared: a number without its convention is not a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Facts that travel with the conventions but belong to the model or to its answers; two models may differ in them and still be compared.
#: What a gate measured beside its value stands under ``measured``: a measured number is no convention.
OF_THE_MODEL = frozenset(
    {
        "measured",
        *("logit_scale", "temperature", "at_bound", "layer", "grid", "channels"),
        *("per_class", "values", "worst", "best", "factor", "broken", "chance", "same_place", "landmarks"),
        *("lmm", "lmm_fingerprint", "eye"),  # two LMMs may be compared, asked the same
    }
)
_LONGEST = 60


def differences(base: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """``tau: 1.0 in the baseline, 0.5 now`` for every convention in which the two differ; empty when the numbers may be compared."""
    keys = [key for key in dict.fromkeys([*base, *now]) if key not in OF_THE_MODEL]
    return [
        f"{key}: {_shown(base, key)} in the baseline, {_shown(now, key)} now" for key in keys if base.get(key, _NONE) != now.get(key, _NONE)
    ]


_NONE = object()


def _shown(conventions: Mapping[str, Any], key: str) -> str:
    if key not in conventions:
        return "none"
    text = str(conventions[key])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
