"""What the shipped suites measure: every metric with its unit, direction and image sets, in a file for each suite."""

from pytest_clip.gates.catalog.lookup import did_you_mean, metric_of
from pytest_clip.gates.catalog.metric import LARGEST_DROPS, NEVER_NEGATIVE, RANGES, Better, Metric, Unit
from pytest_clip.gates.catalog.prompts import PROMPT_FAMILIES
from pytest_clip.gates.catalog.slices import SetLike, expand
from pytest_clip.gates.catalog.table import CATALOG, SUITES

__all__ = [
    "CATALOG", "LARGEST_DROPS", "NEVER_NEGATIVE", "PROMPT_FAMILIES", "RANGES", "SUITES", "Better", "Metric", "SetLike", "Unit",
    "did_you_mean", "expand", "metric_of",
]  # fmt: skip
