"""What the suite `adversarial` measures: what is left of the answers when somebody looks for the change of pixels that breaks them."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Need, Suite
from pytest_clip.views.attacks.budgets import BUDGETS

SUITE = Suite(
    "adversarial",
    "Answers hold against changes of pixels that are looked for; only with --clip-suite=adversarial or a rule of your own",
    {
        "adversarial/robust_accuracy": Metric(
            "share", "higher", ("clean",), "Accuracy that an attack of so many of 255 levels leaves, an upper bound", None, tuple(BUDGETS)
        ),
        "adversarial/smallest_break": Metric(
            "amount", "higher", ("clean",), "Smallest change that breaks a right answer, in levels of 255", None, ("p10", "median", "p90")
        ),
    },
    (Need("adversarial/*", ("labelled",), ("clean+labelled",)),),
)
