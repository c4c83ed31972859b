"""The reason that a rule gives, with the numbers of the run in which it decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.gates.measurement import Measurement

_SLOT = re.compile(r"\{(n|classes|data|model)\}")


def filled(why: str, measurement: Measurement) -> str:
    """`{n}`, `{classes}`, `{data}` and `{model}` in `why` are those of the measurement; other braces stay."""
    known = {"n": measurement.n, "classes": measurement.conventions.get("classes"), "data": measurement.data, "model": measurement.model}
    return _SLOT.sub(lambda slot: str(known[slot[1]]) if known[slot[1]] is not None else "some", why)
