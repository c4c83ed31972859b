"""Waivers: a known failure, excused for a reason and until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pytest_clip.gates.ids import GateId


@dataclass(frozen=True)
class Waiver:
    """One ``[[waiver]]`` table. It excuses exactly one gate id, through the day ``until``; ``source`` is its ``file:line``."""

    gate: GateId
    reason: str
    until: date
    source: str
