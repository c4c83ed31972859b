"""What the suite `accuracy` measures: zero-shot accuracy."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import GUESS, SHIFTS, Metric, Need, Suite

SUITE = Suite(
    "accuracy",
    "Zero-shot accuracy, clean and under natural shifts",
    {
        "accuracy/top1": Metric(
            "share", "higher", (*SHIFTS, "role:sequence"), "Share of images whose highest-scoring class is the right one", GUESS
        ),
        "accuracy/top5": Metric(
            "share", "higher", SHIFTS, "Share of images with the right class in the five highest", "5 / number of classes"
        ),
        "accuracy/mean_per_class": Metric("share", "higher", SHIFTS, "Mean over classes of the share of right answers", GUESS),
        "accuracy/relative_robustness": Metric(
            "ratio", "higher", ("shift_*", "role:sequence"), "Accuracy under the shift divided by that on clean images of its classes"
        ),
        "accuracy/effective_robustness": Metric(
            "points",
            "higher",
            ("shift_*",),
            "Accuracy under the shift beyond what ImageNet models of the same clean accuracy have",
            imagenet=True,
        ),
        "accuracy/published_gap": Metric(
            "points", "none", SHIFTS, "Accuracy minus that published for the checkpoint on this data", particular=True
        ),
    },
    (
        Need("accuracy/*", ("labelled",)),
        Need("accuracy/relative_robustness", (), ("clean+labelled",)),
        Need("accuracy/effective_robustness", ("line",), ("clean+imagenet",)),
        Need("accuracy/published_gap", ("published",)),
    ),
)
