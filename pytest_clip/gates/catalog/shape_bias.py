"""What the suite `shape_bias` measures: shape against texture and colour."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import GUESS, Metric, Need, Suite

SUITE = Suite(
    "shape_bias",
    "Shape against texture and colour: which of two conflicting cues the model follows",
    {
        "shape_bias/shape_bias": Metric("share", "higher", ("cue_conflict",), "Share of shape among conflicts decided for either cue"),
        "shape_bias/decided_fraction": Metric(
            "share", "higher", ("cue_conflict",), "Share of conflicts decided for either cue", "2 / number of classes"
        ),
        "shape_bias/accuracy": Metric(
            "share",
            "higher",
            ("cue_matched", "cue_silhouettes", "cue_edges"),
            "Accuracy where look agrees with shape, or is left out",
            GUESS,
        ),
        "shape_bias/drop": Metric("points", "lower", ("cue_conflict",), "Accuracy lost when another class's look replaces the own one"),
    },
    (
        Need("shape_bias/*", ("labelled",)),
        Need("shape_bias/shape_bias", (), ("cue_matched",)),
        Need("shape_bias/drop", ("paired",)),
    ),
)
