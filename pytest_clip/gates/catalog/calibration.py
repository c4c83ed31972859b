"""What the suite `calibration` measures: what confidence means."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import SHIFTS, Metric, Need, Suite

SUITE = Suite(
    "calibration",
    "Confidence means what it says, clean and under shift",
    {
        "calibration/ece": Metric("share", "lower", SHIFTS, "Expected calibration error, bins of equal width"),
        "calibration/adaptive_ece": Metric("share", "lower", SHIFTS, "Expected calibration error, bins of equal mass"),
        "calibration/nll": Metric("nats", "lower", SHIFTS, "Negative log likelihood of the right class", "ln(number of classes)"),
        "calibration/brier": Metric("score", "lower", SHIFTS, "Brier score over all classes, 0..2", "1 - 1 / number of classes"),
        "calibration/ece_scaled": Metric("share", "lower", SHIFTS, "Expected calibration error after temperature scaling on clean images"),
        "calibration/nll_scaled": Metric("nats", "lower", SHIFTS, "Negative log likelihood after temperature scaling on clean images"),
        "calibration/temperature": Metric("ratio", "none", (), "Temperature that fits clean images best; above 1: overconfident"),
    },
    (Need("calibration/*", ("labelled",), ("clean+labelled",)),),
)
