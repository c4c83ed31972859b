"""What the suite `lmm` measures: a large multimodal model beside the CLIP under test. Measured only with --clip-lmm."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Need, Suite

NAME = "lmm"
PROTOCOLS = (
    "vanilla-2", "circular-2", "vanilla-5", "circular-5", "vanilla-20", "vanilla-all", "per_token-2", "generated-2", "random-2", "third-2",
)  # fmt: skip
"""How clean images are asked: options, orders, scoring and who chose the wrong options (`suites/test_lmm.py` says each)."""
CORRUPTED = ("gaussian_noise-3", "defocus_blur-3", "motion_blur-3", "fog-3", "contrast-3", "jpeg_compression-3")
"""Noise, two blurs, weather, contrast and compression at the middle severity."""
SETS = ("clean", "role:shift", "role:factor")
GUESS_2 = "0.5 (of two options), 0.25 in both orders"

SUITE = Suite(
    NAME,
    "A large multimodal model beside this CLIP: does the language model repair its errors, or add some?",
    {
        "lmm/accuracy": Metric(
            "share", "higher", (*SETS, "role:choice"), "Share of multiple-choice questions answered rightly", GUESS_2,
            (*PROTOCOLS, *CORRUPTED),
        ),
        "lmm/position_bias": Metric(
            "score", "lower", ("clean",), "How far chosen places are from equally frequent, 0 to 1", None, ("circular-2", "circular-5"),
        ),
        "lmm/unparsed": Metric("share", "lower", ("clean",), "Share of generated answers that name none or several of the options"),
        "lmm/gain_over_clip": Metric(
            "points", "higher", SETS, "Two-way accuracy minus that of this CLIP on the same pairs", None,
            ("all", "hard", "easy", *CORRUPTED),
        ),
        "lmm/repairs": Metric(
            "share", "higher", SETS, "Share of this CLIP's errors that the LMM answers rightly", "0.5", ("clean", *CORRUPTED),
        ),
        "lmm/breaks": Metric(
            "share", "lower", SETS, "Share of this CLIP's right answers that the LMM answers wrongly", "0.5", ("clean", *CORRUPTED),
        ),
        "lmm/gain_over_blank": Metric("points", "higher", ("clean",), "Two-way accuracy minus that with grey pictures", "0"),
        "lmm/blank": Metric("share", "none", ("clean",), "Two-way accuracy with grey pictures: the questions give nothing away", "0.5"),
        "lmm/shuffled": Metric("share", "none", ("clean",), "Two-way accuracy with pictures of other images", "0.5"),
        "lmm/tower_is_clip": Metric("share", "higher", (), "Share of checks by which the LMM's eye is this CLIP's image tower"),
    },
    (
        Need("lmm/accuracy", ("answerable",)),
        Need("lmm/gain_over_clip", ("labelled",)),
        Need("lmm/repairs", ("labelled",)),
        Need("lmm/breaks", ("labelled",)),
        Need("lmm/position_bias", ("labelled",)),
        Need("lmm/unparsed", ("labelled",)),
        Need("lmm/gain_over_blank", ("labelled",)),
        Need("lmm/blank", ("labelled",)),
        Need("lmm/shuffled", ("labelled",)),
    ),
)  # fmt: skip
