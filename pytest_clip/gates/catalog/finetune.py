"""What the suite `finetune` measures: a fine-tuned model against the weights between it and the model that it came from."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import SHIFTS, Metric, Need, Suite

SUITE = Suite(
    "finetune",
    "A fine-tuned model is not below the path of weights that leads to it; only with --clip-model=wise:BASE::TUNED::0:1:0.1",
    {
        "finetune/below_path": Metric(
            "points",
            "lower",
            SHIFTS[1:],
            "Accuracy under the shift that the best of its path has more, at equal clean accuracy",
            of_path=True,
        ),
    },
    (Need("finetune/*", ("labelled",), ("clean+labelled",)),),
)
