"""What a study of a population asks: which sets, which factors, beside which others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_clip import ClipError
from pytest_clip.study.population import Population
from pytest_clip.study.properties import CLEAN, NEAR, PAIRS, REGRESSED


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
    properties: tuple[str, ...] = ()
    """numbers other than accuracies under shift that are held against clean accuracy as well"""
    within: tuple[tuple[str, str, str], ...] = ()
    """values whose ranks are compared among models of one level of a factor"""
    group: str = ""
    """the factor whose levels have lines of their own"""

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
    group="collection",
)  # fmt: skip


SECOND = "accuracy/top1[typical]"
"""A second clean set of `scenes`."""
SAME = ("activation", "seed", "resolution")
"""What makes no model another one where the rest is the same: no factor of a study by itself."""
GROUPS = ("training_set", "collection", "family", "architecture")
"""Factors whose levels have lines of their own; the first one in which these models differ."""


def of_gates(population: Population, *, clean: tuple[str, ...] = ()) -> Plan:
    """A plan for runs of this plugin: every accuracy under shift, and every property, against clean accuracy, by every factor in which
    the runs differ, the others held equal beside it where all runs have them. `clean`: gates of the clean sets, the main one first.
    """
    cleans = clean or ((CLEAN, SECOND) if SECOND in population.values else (CLEAN,))
    if missing := [each for each in cleans if each not in population.values]:
        close = [name for name in population.values if "accuracy/top1[" in name][:4]
        cure = f"; say --clean with one of {', '.join(close)}" if close else "; measure them with --clip-suite=accuracy"
        raise ClipError(f"these runs have not measured {missing[0]}, which every comparison at equal clean accuracy needs{cure}")
    shifts = tuple(name for name in population.values if name.rpartition(":")[2].startswith("accuracy/top1[") and name not in cleans)
    factors = [name for name, levels in population.factors.items() if name not in SAME and len({*levels} - {None}) > 1]
    whole = [name for name in factors if None not in population.factors[name]]
    amounts = [name for name, values in population.amounts.items() if len(np.unique(values[np.isfinite(values)])) > 1]
    group = next((each for each in GROUPS if each in factors), factors[0] if factors else "")
    within = next(((cleans[0], NEAR, each) for each in ("training_set", "collection") if each in population.factors), None)
    return Plan(
        shifts,
        (cleans[:1], cleans) if len(cleans) > 1 else (cleans,),
        {name: tuple(each for each in whole if each != name) for name in factors},
        {name: tuple(whole) for name in amounts if name not in SAME},
        tuple((cleans[0] if one == CLEAN else one, other) for one, other in PAIRS),
        tuple(whole),
        (),
        tuple(each for each in REGRESSED if each in population.values),
        (within,) if within else (),
        group,
    )
