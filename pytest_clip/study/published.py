"""The public checkpoints of open_clip's table as a population: factors by name and tag, lineages, figures with the number of images."""

from __future__ import annotations

import re

import numpy as np

from pytest_clip.data.published import images
from pytest_clip.models import registry
from pytest_clip.models.derived import of_published
from pytest_clip.models.factors import Factors
from pytest_clip.models.published.table import checkpoints
from pytest_clip.study.population import Floats, Population

AMOUNTS = ("parameters", "gflops", "samples_seen", "training_set_size")
COLLECTIONS = (
    ("wit-400m", "wit"), ("laion", "laion"), ("datacomp", "datacomp"), ("commonpool", "commonpool"), ("webli", "webli"),
    ("metaclip", "metaclip"),
    ("dfn", "dfn"), ("merged", "merged-2b"), ("yfcc", "yfcc"), ("cc-12m", "cc-12m"),
)  # fmt: skip
"""Beginnings of training sets and the collection that each belongs to: the level of the factor `collection`."""
_VARIANT = re.compile(r"(-quickgelu|-i18n|[-_]\d{3}$|-\d{3}(?=-quickgelu))")


def population() -> Population:
    """Every row that the table's rules keep."""
    rows = checkpoints()
    factors = [of_published(row.architecture, row.pretrained) for row in rows]
    levels = {
        "architecture": tuple(each.family for each in factors),
        "collection": tuple(collection(each.training_set) for each in factors),
        "training_set": tuple(each.training_set for each in factors),
        "loss": tuple(each.loss for each in factors),
        "finetuned": tuple(_finetuned(each) for each in factors),
        "resize": tuple(_resize(row.architecture, row.pretrained) for row in rows),
    }
    amounts: dict[str, Floats] = {
        "parameters": np.array([float(row.parameters) for row in rows]), "gflops": np.array([row.gflops for row in rows]),
        "samples_seen": np.array([_number(each.samples_seen) for each in factors]),
        "training_set_size": np.array([_number(each.training_set_size) for each in factors]),
    }  # fmt: skip
    values = {name: np.array([row.figures[name] for row in rows]) for name in rows[0].figures}
    counts = images()
    return Population(
        tuple(row.text for row in rows),
        tuple(f"{stem(row.architecture)} x {each.training_set}" for row, each in zip(rows, factors, strict=True)),
        levels, amounts, values, {name: counts.get(name.partition("/")[0], 0) for name in values},
    )  # fmt: skip


def stem(architecture: str) -> str:
    """An architecture without resolution, activation and language: `ViT-H-14-378-quickgelu` and `ViT-H-14` are one."""
    held = architecture
    while (cut := _VARIANT.sub("", held)) != held:
        held = cut
    return held


def collection(training_set: str | None) -> str | None:
    """Where a training set's pairs come from."""
    return next((name for start, name in COLLECTIONS if training_set is not None and training_set.startswith(start)), None)


def _finetuned(factors: Factors) -> str | None:
    return None if factors.finetuned_on is None else "no" if factors.finetuned_on == "none" else "yes"


def _resize(architecture: str, tag: str) -> str | None:
    known = registry.published().get(architecture, {}).get(tag)
    return None if known is None else known.resize or "shortest"


def _number(value: int | None) -> float:
    return float("nan") if value is None else float(value)
