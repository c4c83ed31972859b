"""One model of a run as a study takes it: what it was measured on, its factors, its numbers, and what it made of the images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pytest_clip.runs.saved import SavedRun
from pytest_clip.study.population import Floats


@dataclass(frozen=True)
class Member:
    """A model of a record: its name, what it was measured on, its factors, its numbers with the number of images.

    `outcomes`: by gate the hash of the ids of its images, and what their mean is the number of [n]. `few`: what one prompt less all of
    OpenAI's changes in a number of the prompts suite. `epoch` and `run`: of a checkpoint that tells its epoch, and the folder it lies in;
    `wise`: base, tuned model and share of a mixture of both. `published`: accuracy and images by the name of a published data set, and
    `strange`: why numbers on others of its data are none of those.
    """

    name: str
    conditions: Mapping[str, Any]
    factors: Mapping[str, Any]
    values: Mapping[str, tuple[float, int]]
    data: tuple[str, ...] = ()
    model: str = ""
    fingerprint: str | None = None
    epoch: float | None = None
    run: str | None = None
    wise: tuple[str, str, float] | None = None
    few: Mapping[str, float] = field(default_factory=dict)
    published: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    outcomes: Mapping[str, tuple[str, Floats]] = field(default_factory=dict, repr=False)


DATA = "data "
"""What begins the name of a condition that says which pictures a run has seen: a data set of the record."""
OWN_PROMPTS = ("prompts", "typographic", "lmm")
"""Suites that ask in words of their own."""
ONE_PROMPT, ALL_PROMPTS = ("openai-1", "single"), "openai"
FEW = ("ece", "auroc", "accuracy")


def members(record: Mapping[str, Any], *, run: str) -> list[Member]:
    """Models under test of one record; a baseline measured beside them, and copies damaged on purpose, are none."""
    found = []
    pictured = {each["name"]: {key: each.get(key) for key in ("name", "fingerprint", "sets")} for each in record["data"]}
    names = list(dict.fromkeys(row["model"] for row in record["gates"] if not row.get("role") and row["n"] is not None))
    facts = {each["name"]: each for each in record["models"]}
    for name in names:
        rows = [row for row in record["gates"] if row["model"] == name and not row.get("role") and row["value"] is not None]
        about = facts.get(name, {})
        data = tuple(sorted({row["data"] for row in rows}))
        conditions = {
            **{f"{DATA}{each}": pictured.get(each, {"name": each}) for each in data},
            "precision": about.get("precision"),
            "prompts": sorted({json.dumps(row["conventions"].get("prompts")) for row in rows if _asks(row)}),
            "partial": any(row.get("partial") for row in rows),
        }
        told = {key: each.get("value") if isinstance(each, Mapping) else each for key, each in (about.get("factors") or {}).items()}
        many = len(data) > 1
        values = {f"{row['data']}:{row['gate']}" if many else row["gate"]: (float(row["value"]), int(row["n"])) for row in rows}
        epoch, folder = _epoch(about)
        found.append(
            Member(
                f"{run}:{name}" if len(names) > 1 else run, conditions, told, values, data, name, about.get("fingerprint"), epoch, folder,
                _wise(about), _few(rows), *_published(rows, record["data"]),
            )
        )  # fmt: skip
    return found


def outcomes(run: SavedRun, member: Member, gates: Collection[str]) -> dict[str, tuple[str, Floats]]:
    """Of these gates of a saved run what `Member.outcomes` holds, where their number is a mean over images."""
    found: dict[str, tuple[str, Floats]] = {}
    for model, data, gate in run.rows:
        name = f"{data}:{gate}" if len(member.data) > 1 else gate
        if model != member.model or name not in gates:
            continue
        entry = run.index["gates"].get(f"{model} {data} {gate}")
        if entry is None or entry["statistic"] != "mean":
            continue
        held = run.outcomes(model, data, gate)
        assert held is not None
        [each] = held.arrays.values()
        ids = hashlib.sha256("\n".join(held.ids).encode()).hexdigest()[:16]
        found[name] = ids, each.astype(np.float32)
    return found


def _asks(row: Mapping[str, Any]) -> bool:
    """Whether a gate asks with the prompts of the run: some suites bring their own, the same ones in every run."""
    return "prompts" in row["conventions"] and row["gate"].partition("/")[0] not in OWN_PROMPTS


def _epoch(about: Mapping[str, Any]) -> tuple[float | None, str | None]:
    held = about.get("checkpoint")
    epoch = held.get("epoch") if isinstance(held, Mapping) else None
    if isinstance(epoch, bool) or not isinstance(epoch, int | float):
        return None, None
    return float(epoch), f"{about.get('architecture')} in {str(about.get('pretrained') or '').rpartition('/')[0]}"


def _wise(about: Mapping[str, Any]) -> tuple[str, str, float] | None:
    held = about.get("wise")
    if not isinstance(held, Mapping) or isinstance(held.get("alpha"), bool) or not isinstance(held.get("alpha"), int | float):
        return None
    return str(held.get("base_text")), str(held.get("tuned_text")), float(held["alpha"])


def _few(rows: Any) -> dict[str, float]:
    """What asking with one template instead of OpenAI's eighty changes: of accuracy, of the calibration error, of the near AUROC."""
    found = {}
    for row in rows:
        if row["gate"] not in {f"prompts/{name}_spread[templates]" for name in FEW}:
            continue
        values = row["conventions"].get("values")
        if not isinstance(values, Mapping) or not {*ONE_PROMPT, ALL_PROMPTS} <= values.keys():
            continue
        few, many = [values[name] for name in ONE_PROMPT], values[ALL_PROMPTS]
        if all(isinstance(each, int | float) for each in (*few, many)):
            found[row["gate"].partition("/")[2].partition("_")[0]] = float(np.mean(few)) - float(many)
    return found


def _published(rows: Any, data: Any) -> tuple[dict[str, tuple[float, int]], tuple[str, ...]]:
    """Top-1 accuracies on published data sets, and of each data set that is none, or was asked otherwise, the reason."""
    found: dict[str, tuple[float, int]] = {}
    strange = []
    for each in data:
        top1 = [row for row in rows if row["data"] == each["name"] and row["gate"].startswith("accuracy/top1[")]
        own = {row["gate"].partition("[")[2].rstrip("]"): row for row in top1}
        told = each.get("published")
        prompts = each.get("prompts")
        name = prompts.get("name") if isinstance(prompts, Mapping) else None
        if not own:
            continue
        if not isinstance(told, Mapping) or not told:
            strange.append(f"{each['name']} is none of the published data sets")
        elif each.get("limit") is not None:
            strange.append(f"{each['name']} was asked with --clip-limit")
        elif name not in (None, "own", "openai"):
            strange.append(f"{each['name']} was asked with --clip-prompts={name}, and the table with OpenAI's 80 templates")
        else:
            found |= {str(told[part]): (float(row["value"]), int(row["n"])) for part, row in own.items() if part in told}
    return found, tuple(strange)
