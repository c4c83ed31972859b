"""What the suite `factors` measures: one visual factor at a time."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import GUESS, Metric, Need, Suite

SUITE = Suite(
    "factors",
    "Accuracy when one visual factor changes: pose, background, texture, ...",
    {
        "factors/accuracy": Metric("share", "higher", ("role:factor",), "Accuracy on the images where this factor changed", GUESS),
        "factors/effective_robustness": Metric(
            "points",
            "higher",
            ("role:factor",),
            "Accuracy with this factor beyond what ImageNet models of the same overall accuracy have",
            imagenet=True,
        ),
        "factors/drop": Metric("points", "lower", ("role:factor",), "Accuracy lost when only this factor changes"),
        "factors/error_ratio": Metric(
            "ratio", "lower", ("role:factor",), "Error rate with this factor changed over the overall error rate"
        ),
        "factors/background_gap": Metric(
            "points", "lower", (), "Accuracy before the usual background minus that before another's", particular=True
        ),
        "factors/worst_accuracy": Metric("share", "higher", (), "Lowest accuracy over the factors", GUESS),
        "factors/worst_drop": Metric("points", "lower", (), "Largest loss of accuracy over the factors"),
    },
    (
        Need("factors/[!b]*", ("labelled",), ("clean+labelled",)),
        Need("factors/background_gap", (), ("role:backdrop",)),
        Need("factors/effective_robustness", ("line",), ("overall",)),
        Need("factors/drop", ("paired",)),
        Need("factors/worst_accuracy", (), ("role:factor",)),
        Need("factors/worst_drop", (), ("role:factor+paired",)),
    ),
)
