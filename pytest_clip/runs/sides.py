"""What stood behind the gates of two runs that are held against each other, for a page that shows both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.runs.baseline import SavedBaseline
from pytest_clip.runs.saved import SavedRun

if TYPE_CHECKING:
    from pytest_clip.runs.changes import Change

AGAINST = ("flips", "flip_groups")
"""What a run says of its own baseline, which is none of the two runs."""
SHOWN = 6
"""Images of a gate that were right before and are wrong now, of which the page has more than the name."""


def earlier(run: SavedRun, found: Sequence[Change]) -> dict[str, Any]:
    """The evidence of the first run, under the names that the gates of `found` have in the second one."""
    held, base = run.record.get("evidence") or {}, SavedBaseline(run)
    by: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for figure in held.get("figures", ()):
        by.setdefault((figure["model"], figure["data"], figure["gate"]), []).append(figure)
    figures = [
        {**figure, "model": each.model}
        for each in sorted(found, key=lambda each: (each.model, each.data, each.gate))
        if each.found.change is not None
        for figure in by.get((base.model_for(each.model), each.data, each.gate), ())
        if figure["kind"] not in AGAINST
    ]
    return {"figures": figures, "pictures": held.get("pictures", {})} if figures else {}


def later(run: SavedRun, found: Sequence[Change]) -> dict[str, Any]:
    """The evidence of the second run, with the images that the first one had right among those that it tells of: its surest mistakes.

    What a run says of its own baseline is left out.
    """
    held = run.record.get("evidence") or {}
    lost = {(each.gate, each.model, each.data): set((each.found.flips or {}).get("ids", ())) for each in found}
    told: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    figures = []
    for figure in held.get("figures", ()):
        gate = (figure["gate"], figure["model"], figure["data"])
        if figure["kind"] in ("mistakes", "flips"):
            known = told.setdefault(gate, {})
            known |= {each["id"]: each for each in figure.get("images", ()) if each["id"] in lost.get(gate, ())}
        if figure["kind"] not in AGAINST:
            figures.append(figure)
    for gate, known in told.items():
        if known:
            images = [{**each, "before": "right"} for each in known.values()]
            images.sort(key=lambda each: (-(each.get("confidence") or 0.0), each["id"]))
            figures.append({"kind": "flips", **dict(zip(("gate", "model", "data"), gate, strict=True)), "images": images[:SHOWN]})
    return {"figures": figures, "pictures": held.get("pictures", {})} if figures else {}
