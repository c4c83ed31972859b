"""What a study of a population asks: which sets, which factors, beside which others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pytest_clip import ClipError
from pytest_clip.study.population import Population


@dataclass(frozen=True)
class Plan:
    """`factors`: each with the factors that are held equal beside it; `amounts`: each likewise; `pairs`: values whose ranks are compared.

    `optional`: factors that a reasonable person may leave out; `cleans`: choices of clean sets, the first of which is the main one.
    """

    shifts: tuple[str, ...]
    cleans: tuple[tuple[str, ...], ...]
    factors: dict[str, tuple[str, ...]]
    amounts: dict[str, tuple[str, ...]]
    pairs: tuple[tuple[str, str], ...]
    optional: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    """amounts that a reasonable person may hold equal"""

    @property
    def clean(self) -> str:
        return self.cleans[0][0]


PUBLISHED = Plan(
    shifts=("imagenetv2", "imagenet-sketch", "imagenet-r", "imagenet-a", "objectnet"),
    cleans=(("imagenet",), ("imagenet", "cifar-100")),
    factors={
        "collection": ("architecture", "loss", "resize"), "architecture": ("collection",), "loss": ("collection", "resize"),
        "finetuned": ("collection",),
    },
    amounts={"parameters": ("collection",), "samples_seen": ("collection",), "training_set_size": ("collection",)},
    pairs=(
        ("imagenet", "coco/image_retrieval_recall_at_1"), ("imagenet", "coco/text_retrieval_recall_at_1"),
        ("imagenet", "flickr30k/image_retrieval_recall_at_1"), ("imagenet", "flickr30k/text_retrieval_recall_at_1"),
        ("imagenet", "imagenet-o"),
    ),
    optional=("architecture", "collection"),
    sizes=("parameters",),
)  # fmt: skip


CLEAN = "accuracy/top1[clean]"
MEASURES = (
    "accuracy/top1[shift", "factors/accuracy", "corruptions/accuracy", "corruptions_3d/accuracy", "ood/auroc[near]",
    "calibration/ece[clean]",
    "shape_bias/shape_bias", "retrieval/image_to_text_recall_at_1[clean]",
)  # fmt: skip
"""Beginnings of gates, by property; of each property the first gate that these runs have is compared in rank with the others."""


def of_gates(population: Population) -> Plan:
    """A plan for runs of this plugin: every accuracy under shift against clean accuracy, by every factor in which the runs differ."""
    if CLEAN not in population.values:
        raise ClipError(f"these runs have not measured {CLEAN}, which every comparison at equal clean accuracy needs")
    shifts = tuple(name for name in population.values if name.startswith("accuracy/top1[") and name != CLEAN)
    factors = [name for name, levels in population.factors.items() if len({each for each in levels if each is not None}) > 1]
    amounts = [name for name, values in population.amounts.items() if len(np.unique(values[np.isfinite(values)])) > 1]
    first = [next((gate for gate in population.values if gate.startswith(start)), None) for start in MEASURES]
    known = [CLEAN, *(each for each in first if each is not None)]
    pairs = tuple((CLEAN, other) for other in known[1:]) + tuple(pairwise(known[1:]))
    return Plan(shifts, ((CLEAN,),), dict.fromkeys(factors, ()), dict.fromkeys(amounts, ()), pairs, (), ())
