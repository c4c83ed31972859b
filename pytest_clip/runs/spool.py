"""Outcomes on their way from the test that measured them to whoever needs them: one file a gate, in a folder that all workers share.

Reports of xdist workers carry builtins only, and a million confidences are no builtins. The same files are written without workers, so
that a run is saved alike with any number of them; where the baseline is measured in the same run, they are what models are held against.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pytest_clip import ClipError
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs.packing import Pack, unpack
from pytest_clip.store import aside

_TOLD = "told"


@dataclass(frozen=True)
class Parcel:
    """One measured gate: its row as JSON knows it, its outcomes, and per sample what is known of it: ``{"class": ("mug", ...)}``."""

    row: Mapping[str, Any]
    outcomes: Outcomes | None
    facts: Mapping[str, tuple[str, ...]]


class Spool:
    """The folder. A gate that is measured again (a test that is run twice) replaces what it said before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, parcel: Parcel) -> None:
        pack, row = Pack(), parcel.row
        told: dict[str, Any] = {"row": dict(row), "facts": {name: list(each) for name, each in parcel.facts.items()}}
        if parcel.outcomes is not None:
            told["outcomes"] = pack.add(parcel.outcomes)
        path = self._path(row["model"], row["data"], row["gate"])
        part = None
        try:
            part = aside(path)
            with part.open("wb") as out:
                np.savez(out, **pack.arrays, **{_TOLD: np.asarray(json.dumps(told))})  # type: ignore[arg-type]
            part.replace(path)
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise ClipError(f"cannot keep the outcomes of {row['gate']} in {self.folder}: {error.strerror}; free space there") from error

    def get(self, model: str, data: str, gate: str) -> Parcel | None:
        """What was put for this gate, or None while it has not been measured."""
        try:
            content = self._path(model, data, gate).read_bytes()
        except FileNotFoundError:
            return None
        return _read(content)

    def parcels(self) -> Iterator[Parcel]:
        """All that was put, by model, data set and gate."""
        parcels = (_read(path.read_bytes()) for path in self.folder.glob("*.npz"))
        yield from sorted(parcels, key=lambda parcel: (parcel.row["model"], parcel.row["data"], parcel.row["gate"]))

    def _path(self, model: str, data: str, gate: str) -> Path:
        return self.folder / f"{hashlib.sha256(json.dumps([model, data, gate]).encode()).hexdigest()[:24]}.npz"


def _read(content: bytes) -> Parcel:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        told = json.loads(str(arrays[_TOLD]))
        outcomes = unpack(told["outcomes"], arrays) if "outcomes" in told else None
    return Parcel(told["row"], outcomes, {name: tuple(each) for name, each in told["facts"].items()})
