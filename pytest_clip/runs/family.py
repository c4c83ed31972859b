"""All regressions of a run taken together: p values adjusted for how many gates were looked at.

A gate is decided when its test runs, long before the p values of the others are known; Holm's procedure needs them all. With
``clip_family_wise = true`` each gate is therefore held to 5 % / m, m being the gates of the run that have a ``max_drop`` (Bonferroni, which
keeps the same promise: at most 5 % of runs without any regression show one). Holm's adjusted p values are reported at the end. A gate that
Holm would reject and m p does not is named there; it is not failed after the fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ALPHA = 0.05


def adjust(rows: Sequence[dict[str, Any]], *, together: int | None) -> list[str]:
    """Write ``p_holm`` into the ``baseline`` of every row that has a p and was judged by a max_drop; lines for the terminal.

    ``together`` is the size of the family, None when every gate has its own error rate; then nothing is said.
    """
    judged = {at: row["baseline"]["p"] for at, row in enumerate(rows) if _judged(row)}
    if not judged:
        return []
    from pytest_clip.metrics.holm import holm

    adjusted = holm(judged)
    for at, p in adjusted.items():
        rows[at]["baseline"]["p_holm"] = p
    if together is None:
        return []
    missed = [
        f"{rows[at]['gate']} on {rows[at]['model']}, {rows[at]['data']}"
        for at, p in adjusted.items()
        if p <= ALPHA and rows[at]["baseline"]["status"] == "insufficient" and rows[at]["baseline"].get("test") != "safe"
    ]
    each = f"each is held to p <= {ALPHA / together:.2g}"
    lines = [f"regressions: {together} gates share an error rate of 5 %, {each}; {len(judged)} were compared"]
    if missed:
        lines.append(f"WARNING by Holm's procedure over all of them these regressed, too: {', '.join(missed)}")
    return lines


def _judged(row: dict[str, Any]) -> bool:
    baseline = row.get("baseline") or {}
    return baseline.get("p") is not None and baseline.get("allowed") is not None
