"""What the suite `mutants` measures: damaged copies of the model."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Suite

#: The damages by name. What each does, and how, is in `pytest_clip.mutants`, a higher room; a test holds it to these names and this order.
NAMES = (
    "wrong_mean_std",
    "bgr",
    "unnormalised",
    "activation_swapped",
    "logit_scale_double",
    "logit_scale_half",
    "noise_10",
    "noise_30",
    "noise_100",
    "last_block_dropped",
    "text_reseeded",
    "positions_shuffled",
    "text_truncated",
    "int8",
    "half_finetuned",
    "labels_rotated",
    "squashed",
    "jpeg_10",
)

SUITE = Suite(
    "mutants",
    "Damaged copies of the model fail gates that the model passes; only with --clip-mutants",
    {
        "mutants/killed": Metric("amount", "higher", (), "Gates that notice a damaged copy of the model", None, NAMES),
        "mutants/score": Metric("share", "higher", (), "Share of damaged copies of the model that some gate notices"),
    },
)
