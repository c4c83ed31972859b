"""What 121 public checkpoints of open_clip are published to have scored: checkpoints.json, read once.

Each figure is named as the data sets of this package are (`imagenet`, `imagenet-r`, `objectnet`, `coco/text_retrieval_recall_at_1`, and
those that no suite knows, such as `vtab`'s); what it is (top-1, mean per class, mean average precision) is as in the source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("checkpoints.json")
_SIZES = 5
"""Columns before the figures."""


@dataclass(frozen=True)
class Checkpoint:
    """One row: weights by architecture and tag, their number, GFLOPs of one image and one text, mean of 38 sets, figures by name (0..1)."""

    architecture: str
    pretrained: str
    parameters: int
    gflops: float
    mean: float
    figures: Mapping[str, float]

    @property
    def text(self) -> str:
        """As --clip-model takes it."""
        return f"{self.architecture},{self.pretrained}"


@dataclass(frozen=True)
class LeftOut:
    """A row that a rule left out, and `RULE: what it was found by`."""

    row: Checkpoint
    why: str


@dataclass(frozen=True)
class Profile:
    """An architecture: pixels on a side, weights, GFLOPs of one image and one text."""

    resolution: int
    parameters: int
    gflops: float


def source() -> tuple[str, str]:
    """Where the figures are from, and their licence."""
    return str(_document()["source"]), str(_document()["licence"])


@cache
def checkpoints() -> tuple[Checkpoint, ...]:
    """The rows that were kept, the best mean first."""
    return tuple(_row(row) for row in _document()["rows"])


@cache
def left_out() -> tuple[LeftOut, ...]:
    """The rows that were not."""
    return tuple(LeftOut(_row(row), str(why)) for why, *row in _document()["left_out"])


def profile(architecture: str) -> Profile | None:
    """Size and cost of an architecture of open_clip; None where they are not published."""
    known = _document()["profile"]
    found = known.get(architecture) or known.get(architecture.removesuffix("-quickgelu"))
    return None if found is None else Profile(int(found[0]), _weights(found[1]), float(found[2]))


@cache
def _document() -> dict[str, Any]:
    return dict(json.loads(TABLE.read_text(encoding="utf-8")))


def _row(values: list[Any]) -> Checkpoint:
    name, tag, mparams, gflops, mean, *figures = values
    return Checkpoint(name, tag, _weights(mparams), gflops, mean, dict(zip(_document()["columns"][_SIZES:], figures, strict=True)))


def _weights(millions: float) -> int:
    return round(millions * 1e6)
