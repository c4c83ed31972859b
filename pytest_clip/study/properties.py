"""What a run of this plugin says of a model, property by property: one number each, made of the gates that measure it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pytest_clip.study.members import Member
from pytest_clip.study.population import Floats, Population


@dataclass(frozen=True)
class Property:
    """Its name, the gates whose mean it is, which side is better, and the gate that stands for it where images are paired."""

    name: str
    gates: re.Pattern[str]
    better: Literal["higher", "lower"]
    paired: str


def _property(name: str, gates: str, paired: str, better: Literal["higher", "lower"] = "higher") -> Property:
    return Property(name, re.compile(gates), better, paired)


CLEAN = "accuracy/top1[clean]"
SHIFT = "accuracy under shift"
FACTORS, TWO_D, THREE_D = "accuracy over factors", "accuracy under 2D corruptions", "accuracy under 3D corruptions"
SHAPE, NEAR, FAR = "shape bias", "near OOD AUROC", "far OOD AUROC"
ECE, ECE_SHIFT = "ECE", "ECE under shift"
IMAGE, TEXT, POINTS = "image retrieval", "text retrieval", "correspondence"
PROMPTS = "accuracy under the worst prompts"
PROPERTIES = (
    _property(SHIFT, r"accuracy/top1\[shift[^\]]*\]", "accuracy/top1[shift"),
    _property(FACTORS, r"factors/accuracy\[[^\]]+\]", "factors/worst_accuracy"),
    _property(TWO_D, r"corruptions/accuracy\[(?:(?!-\d\]).)+\]", "corruptions/mce_unnormalised"),
    _property(THREE_D, r"corruptions_3d/accuracy\[(?:(?!-\d\]).)+\]", "corruptions_3d/mce_unnormalised"),
    _property(SHAPE, r"shape_bias/shape_bias\[cue_conflict\]", "shape_bias/shape_bias[cue_conflict]"),
    _property(NEAR, r"ood/auroc\[near\]", "ood/auroc[near]"),
    _property(FAR, r"ood/auroc\[far\]", "ood/auroc[far]"),
    _property(ECE, r"calibration/ece\[clean\]", "calibration/ece[clean]", "lower"),
    _property(ECE_SHIFT, r"calibration/ece\[shift[^\]]*\]", "calibration/ece[shift", "lower"),
    _property(IMAGE, r"retrieval/image_retrieval_recall_at_1\[clean\]", "retrieval/image_retrieval_recall_at_1[clean]"),
    _property(TEXT, r"retrieval/text_retrieval_recall_at_1\[clean\]", "retrieval/text_retrieval_recall_at_1[clean]"),
    _property(POINTS, r"correspondence/recall_px\[[^\]]+\]", "correspondence/pck_per_image"),
    _property(PROMPTS, r"prompts/worst_accuracy\[[^\]]+\]", "prompts/worst_accuracy[paraphrases]"),
)  # fmt: skip
FEW = {
    "ece": "ECE by one prompt less that by eighty", "auroc": "near OOD AUROC by one prompt less that by eighty",
    "accuracy": "accuracy by one prompt less that by eighty",
}  # fmt: skip
PAIRS = (
    (CLEAN, NEAR), (CLEAN, ECE), (CLEAN, IMAGE), (CLEAN, TEXT), (TWO_D, THREE_D), (POINTS, THREE_D), (CLEAN, SHAPE), (CLEAN, SHIFT),
    (PROMPTS, ECE), (PROMPTS, NEAR),
)  # fmt: skip
"""Properties whose ranks over models are compared."""
REGRESSED = (FACTORS, TWO_D, THREE_D, SHAPE, NEAR, FAR, ECE, ECE_SHIFT, IMAGE, TEXT, POINTS)
"""Properties that are held against clean accuracy like accuracies under shift. That of single shifts is in `SHIFT`."""


def gates_of(population: Population, each: Property) -> list[str]:
    """Gates of the property that the population has numbers of; with several data sets in a run, those of the first."""
    return [gate for gate in population.values if each.gates.fullmatch(gate.rpartition(":")[2])]


def stands_for(gate: str) -> Property | None:
    """The property that a gate stands for where images are paired."""
    return next(
        (each for each in PROPERTIES if gate == each.paired or (each.paired.endswith("[shift") and gate.startswith(each.paired))), None
    )


def wanted(names: Iterable[str]) -> list[str]:
    """Gates among `names` whose images are drawn again: what lines are fitted to."""
    found = [(name, name.rpartition(":")[2]) for name in names]
    return [name for name, gate in found if gate == CLEAN or any(each.gates.fullmatch(gate) for each in PROPERTIES)]


def with_properties(population: Population, held: Iterable[Member]) -> Population:
    """The population with a column for each property beside those of gates; a model that lacks a gate of it has none."""
    values, counts, drawn = dict(population.values), dict(population.counts), dict(population.drawn)
    for each in PROPERTIES:
        if not (gates := gates_of(population, each)):
            continue
        values[each.name] = np.mean([population.values[gate] for gate in gates], axis=0)
        counts[each.name] = max(population.counts[gate] for gate in gates)
        if all(gate in drawn for gate in gates):
            drawn[each.name] = np.mean([population.drawn[gate] for gate in gates], axis=0)
    few: dict[str, Floats] = {name: np.array([each.few.get(key, np.nan) for each in held]) for key, name in FEW.items()}
    known = {name: column for name, column in few.items() if np.isfinite(column).any()}
    return replace(population, values={**values, **known}, counts={**counts, **dict.fromkeys(known, 0)}, drawn=drawn)
