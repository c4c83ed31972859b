"""Records of runs as a population: one model a record and model name, factors from its cards or a table, numbers by gate."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_clip import ClipError
from pytest_clip.runs import packed, shape
from pytest_clip.runs.store import content_of
from pytest_clip.study.members import DATA, Member, members
from pytest_clip.study.population import Population

AMOUNTS = ("parameters", "gflops", "samples_seen", "training_set_size", "resolution")
FAMILY = "lineage"
"""A column of the table: models of one name in it are not independent of each other."""
MOST = 64 * 2**20
__all__ = ["AMOUNTS", "FAMILY", "Member", "members", "population", "read", "table"]


def read(path: Path) -> dict[str, Any]:
    """A record of `--clip-report=json:`, or that of a saved run. ClipError for what is none."""
    held = path / "record.json" if path.is_dir() else path
    if not held.is_file():
        raise ClipError(f"{path} is neither a saved run nor a record; measure one with --clip-save=NAME or --clip-report=json:PATH")
    if packed.is_packed(held):
        return dict(packed.read(held).record)
    try:
        return shape.record(shape.loads(content_of(held, MOST)))
    except (OSError, ValueError, ClipError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ClipError(f"{held} is no record of a run: {why}; {_cure(path)}, or leave it out") from error


def _cure(path: Path) -> str:
    return "save the run again with --clip-save" if path.is_dir() else f"write it again with --clip-report=json:{path}"


def table(path: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Factors by model from a CSV with a column `model` and one a factor; a column `lineage` says which are not independent."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ClipError(f"--factor {path} cannot be read ({why}); name a CSV file in UTF-8 with a column model") from error
    if not rows or "model" not in rows[0]:
        raise ClipError(f"--factor {path}: the first line must name the columns, and one of them is model")
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        name = (row.get("model") or "").strip()
        if name not in names:
            raise ClipError(f"--factor {path}, line {number}: {name!r} is none of the models: {', '.join(names)[:300]}")
        if None in row or None in row.values():
            raise ClipError(f"--factor {path}, line {number}: not as many entries as columns")
        if name in found:
            raise ClipError(f"--factor {path}, line {number}: {name} is there twice")
        found[name] = {key.strip(): value.strip() for key, value in row.items() if key and key != "model" and value.strip()}
    return found


def population(held: Sequence[Member], *, more: Mapping[str, Mapping[str, str]] | None = None) -> Population:
    """Members that were measured alike. ClipError, with both sides, for runs on other data, prompts or precision; for a name twice."""
    if not held:
        raise ClipError("no model was measured in these runs")
    _alike(held)
    factors = [{**each.factors, **(more or {}).get(each.name, {})} for each in held]
    keys = [key for key in dict.fromkeys(key for each in factors for key in each) if key not in (FAMILY, *AMOUNTS)]
    gates = list(dict.fromkeys(gate for each in held for gate in each.values))
    return Population(
        tuple(each.name for each in held),
        tuple(_lineage(each.name, told) for each, told in zip(held, factors, strict=True)),
        {key: tuple(None if told.get(key) is None else str(told[key]) for told in factors) for key in keys},
        {key: np.array([_number(told.get(key), each.name, key) for each, told in zip(held, factors, strict=True)]) for key in AMOUNTS},
        {gate: np.array([each.values.get(gate, (np.nan, 0))[0] for each in held]) for gate in gates},
        {gate: max(each.values.get(gate, (0.0, 0))[1] for each in held) for gate in gates},
    )


def _lineage(name: str, told: Mapping[str, Any]) -> str:
    """As the table says; else family of the architecture and training set; a model of which neither is known stands alone."""
    if told.get(FAMILY):
        return str(told[FAMILY])
    parts = [str(told[key]) for key in ("family", "training_set") if told.get(key)]
    return " x ".join(parts) if len(parts) == 2 else name


def _alike(held: Sequence[Member]) -> None:
    """A model of class scores is asked with no prompts: it is held against models that are, as the study holds ImageNet's classifiers."""
    names = [each.name for each in held]
    first = next((each for each in held if each.conditions.get("prompts") != []), held[0])
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ClipError(f"{twice[0]} is there twice; a study takes each run once")
    _same_pictures(held)
    for each in held:
        for key in sorted({*first.conditions, *each.conditions}):
            there, here = first.conditions.get(key), each.conditions.get(key)
            told = there is not None and here is not None
            if there != here and not (key.startswith(DATA) and told) and not (key == "prompts" and here == []):
                raise ClipError(
                    f"{first.name} and {each.name} cannot be in one study: {key} is {_told(there)} in the one and "
                    f"{_told(here)} in the other; measure both alike, or leave one out"
                )


def _same_pictures(held: Sequence[Member]) -> None:
    """Sets that two runs both have are the same; a later version, or a run of other suites, may have more of them. As a whole, where a run
    does not tell its sets."""
    for key in sorted({key for each in held for key in each.conditions if key.startswith(DATA)}):
        runs = [(each, each.conditions[key]) for each in held if key in each.conditions]
        apart = all(told.get("sets") for _, told in runs)
        known: dict[str, tuple[str | None, Member]] = {}
        for each, told in runs:
            for name, mark in (told["sets"] if apart else {"": told.get("fingerprint")}).items():
                was, other = known.setdefault(name, (mark, each))
                if was != mark and None not in (was, mark):
                    what = f"{key}/{name}".rstrip("/")
                    raise ClipError(
                        f"{other.name} and {each.name} cannot be in one study: {what} is {was} in the one and {mark} in the other; "
                        "measure both alike, or leave one out"
                    )


def _told(thing: Any) -> str:
    if isinstance(thing, Mapping):  # a data set
        return str(thing.get("fingerprint"))
    return "not there" if thing is None else str(thing)


def _number(thing: Any, name: str, key: str) -> float:
    if thing is None:
        return float("nan")
    try:
        found = float(thing)
    except (TypeError, ValueError):
        raise ClipError(f"{key} of {name} is a number, and not {str(thing)[:40]!r}") from None
    return found if found > 0 else float("nan")
