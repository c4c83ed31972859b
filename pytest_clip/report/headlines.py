"""The numbers of a suite that a person looks at first, in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.digits import short

Row = Mapping[str, Any]

METRICS: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("alignment",),
    "accuracy": ("top1",),
    "factors": ("worst_accuracy", "worst_drop"),
    "groups": ("worst_accuracy", "gap"),
    "finetune": ("below_path",),
    "shape_bias": ("shape_bias",),
    "typographic": ("reads_text", "drop"),
    "prompts": ("worst_accuracy",),
    "correspondence": ("recall_px", "pck_per_image"),
    "corruptions": ("mce_unnormalised",),
    "corruptions_3d": ("mce_unnormalised",),
    "corruptions_laion_c": ("accuracy",),
    "calibration": ("ece",),
    "retrieval": ("image_retrieval_recall_at_1", "text_retrieval_recall_at_1"),
    "metamorphic": ("agreement",),
    "ood": ("auroc",),
    "adversarial": ("robust_accuracy", "smallest_break"),
    "lmm": ("gain_over_clip", "repairs"),
    "mutants": ("score",),
}
"""Of the shipped suites, in the order in which they are said; of others the first."""
MOST = 3
"""Metrics of a suite that has no headline of its own."""


def headline(suite: str, rows: Sequence[Row]) -> str:
    """``top1 0.9532 clean, worst 0.2105 shift_far``: of each metric the clean slice and the worst other one; without a clean one
    ``auroc best 0.9054 far, worst 0.6688 near``."""
    mine = sorted((row for row in rows if row["value"] is not None), key=lambda row: str(row["gate"]))
    named = [name for name in METRICS.get(suite, ()) if any(row["metric"] == name for row in mine)]
    names = named or list(dict.fromkeys(row["metric"] for row in mine))[:MOST]
    return "; ".join(_metric(name, [row for row in mine if row["metric"] == name]) for name in names)


def _metric(name: str, rows: Sequence[Row]) -> str:
    ordered = sorted(rows, key=lambda row: (row["value"] if _higher(rows[0]) else -row["value"], row["gate"]))
    clean = next((row for row in rows if row["slice"] in (None, "clean")), None)
    if clean is None:
        return f"{name} {_value(rows[0])}" if len(rows) == 1 else f"{name} best {_value(ordered[-1])}, worst {_value(ordered[0])}"
    others = [row for row in ordered if row is not clean]
    return f"{name} {_value(clean)}" + (f", {'worst ' * (len(others) > 1)}{_value(others[0])}" if others else "")


def _value(row: Row) -> str:
    return f"{short(row['value'])} {row['slice'] or ''}".rstrip()


def _higher(row: Row) -> bool:
    """Whether more is better; where nobody knows, less is shown as the worst."""
    metric = CATALOG.get(f"{row['suite']}/{row['metric']}")
    return (metric.better if metric is not None else row.get("better")) != "lower"
