"""The saved runs of the bundled models, packed, and the factors in which they differ."""

from __future__ import annotations

from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.runs.packed import SUFFIX

HERE = Path(__file__).with_name("family")
"""`NAME.run.xz` of each run, and `factors.csv` (a column model, one a factor, seed, lineage)."""


def runs() -> list[Path]:
    """Every packed run; ClipError where this copy has none."""
    found = sorted(HERE.glob(f"*{SUFFIX}"), key=lambda path: path.name.removesuffix(SUFFIX))  # what a model was tuned from before it
    if not found:
        raise ClipError(f"--family: this copy of pytest-clip comes without runs ({HERE} holds none); name runs of your own")
    return found


def factors() -> Path | None:
    held = HERE / "factors.csv"
    return held if held.is_file() else None
