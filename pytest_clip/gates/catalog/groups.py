"""What the suite `groups` measures: how far apart groups of images are."""

from __future__ import annotations

from functools import partial

from pytest_clip.gates.catalog.metric import GUESS, Metric, Need, Suite

_of = partial(Metric, over=("clean",), of_columns=True)

SUITE = Suite(
    "groups",
    "Groups of images by a column of facts, or two crossed: the worst answered, and the gap",
    {
        "groups/worst_accuracy": _of("share", "higher", title="Lowest accuracy over the groups of a column", chance=GUESS),
        "groups/gap": _of("points", "lower", title="Accuracy of the best group minus that of the worst"),
        "groups/worst_ece": _of("share", "lower", title="Largest expected calibration error over the groups of a column"),
    },
    (Need("groups/*", ("labelled",), ("clean+columns",)),),
)
