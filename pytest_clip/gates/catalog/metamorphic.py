"""What the suite `metamorphic` measures: changes that leave the content alone."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Need, Suite, Unit

_CHANGES = ("flip", "shift", "rotate", "brightness", "contrast", "jpeg")
_NO_CHANGES = ("caption_case", "caption_space", "class_order", "batch")


def _metamorphic(title: str, slices: tuple[str, ...], unit: Unit = "share") -> Metric:
    return Metric(unit, "higher", ("clean",), title, None, slices)


SUITE = Suite(
    "metamorphic",
    "Changes that leave the content alone leave the answer alone",
    {
        "metamorphic/agreement": _metamorphic("Share of images that keep their prediction under a small change", _CHANGES),
        "metamorphic/invariance": _metamorphic("Share of images that keep their prediction when only form changes", _NO_CHANGES),
        "metamorphic/smallest_break": _metamorphic("Smallest strength that changes over 10 % of predictions", _CHANGES[1:], "amount"),
    },
    (Need("metamorphic/*", ("labelled",), ("clean+labelled",)),),
)
