"""Which rows of open_clip's table are left out, by rules that can be run again: nothing is left out by hand.

- `broken`: a fine-tuned checkpoint whose mean over the 38 sets is less than half of that of the checkpoint it started from (same
  architecture, tag without `mscoco_finetuned_`).
- `same_weights`: all figures are those of another row, digit for digit. Kept is the name that builds the activation which the tag was
  trained with, else the first in the table.
- `activation`: the tag was trained with QuickGELU, the name builds GELU, and the row of the same tag under the name with `-quickgelu` has
  other figures, so this one was computed with the wrong activation.
- `activation_unknown`: the same without such a row, unless something shows which was computed: OpenAI's weights always got QuickGELU
  (open_clip, docs/PRETRAINED.md; their rows under both names are equal), and a row may agree with the card of its makers (`AGREES`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

QUICK = "-quickgelu"
BROKEN_BELOW = 0.5
"""Share of the mean of the checkpoint that a fine-tuned one started from."""
FINETUNED = "mscoco_finetuned_"
AGREES = {("ViT-B-16", "dfn2b"): "card of apple/DFN2B-CLIP-ViT-B-16: mean 0.609232"}
"""Rows that agree with figures of those who trained the checkpoint."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """A row of the table: its name, tag and figures as they are written there, means among them."""

    name: str
    tag: str
    mean: float
    figures: Mapping[str, float]

    @property
    def key(self) -> Key:
        return self.name, self.tag


def left_out(rows: Sequence[Row], wrong_activation: Callable[[str, str], bool]) -> dict[Key, str]:
    """By row why it is left out, `RULE: what it was found by`. `wrong_activation(name, tag)`: QuickGELU in training, GELU by the name."""
    by_key = {row.key: row for row in rows}
    found: dict[Key, str] = {}
    for row in rows:
        start = by_key.get((row.name, row.tag.removeprefix(FINETUNED)))
        if start is not None and start is not row and row.mean < BROKEN_BELOW * start.mean:
            found[row.key] = f"broken: mean {row.mean:.4f} after fine-tuning, {start.mean:.4f} before"
    for row in rows:
        twin = by_key.get((f"{row.name}{QUICK}", row.tag))
        if row.key in found or not wrong_activation(*row.key) or (twin is not None and _figures(twin) == _figures(row)):
            continue
        if twin is not None:
            found[row.key] = f"activation: computed with GELU, trained with QuickGELU; {twin.name} has the figures with it"
        elif row.tag != "openai" and row.key not in AGREES:
            found[row.key] = "activation_unknown: trained with QuickGELU, named with GELU, and nothing shows which was computed"
    alike: dict[tuple[float, ...], list[Row]] = {}
    for row in rows:
        if row.key not in found:
            alike.setdefault(_figures(row), []).append(row)
    for some in alike.values():
        kept = min(some, key=lambda row: wrong_activation(*row.key))  # the first of those that build the right one
        found |= {row.key: f"same_weights: all figures are those of {kept.name},{kept.tag}" for row in some if row is not kept}
    return found


def _figures(row: Row) -> tuple[float, ...]:
    return tuple(row.figures.values())
