"""Fine-tuning watch: what each epoch gains in distribution, and from which one on it pays with robustness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from pytest_clip import ClipError
from pytest_clip.gates.regression import Regression
from pytest_clip.metrics.holm import holm
from pytest_clip.runs.changes import changes
from pytest_clip.runs.compare import ALPHA
from pytest_clip.runs.saved import SavedRun
from pytest_clip.study.load import Loaded
from pytest_clip.study.members import Member
from pytest_clip.study.properties import CLEAN, PROPERTIES, stands_for

EPOCH = "epoch"


@dataclass(frozen=True)
class Move:
    """A gate at an epoch against the first: both values, the regression (drop above 0 is worse) and p by Holm; `mixed`: see `Watch`."""

    epoch: float
    gate: str
    what: str
    value: float
    first: float
    change: Regression | None
    p_holm: float | None = None
    mixed: float | None = None

    @property
    def falls(self) -> bool:
        return self.p_holm is not None and self.p_holm <= ALPHA and self.change is not None and self.change.drop > 0


@dataclass(frozen=True)
class Watch:
    """A path: `epochs` with accuracy in distribution (the gate `clean`), and every move of a property from the first of them.

    `mixtures`: share of the tuned model, accuracy in distribution and gates of each mixture of both ends (WiSE-FT), if there are any. A
    move's `mixed` is what the gate would be on the path of mixtures at the same accuracy in distribution; None beyond them.
    """

    run: str
    clean: str
    epochs: tuple[tuple[float, str, float], ...]
    moves: tuple[Move, ...]
    mixtures: tuple[tuple[float, float, dict[str, float]], ...] = field(default=())

    @property
    def first_falls(self) -> dict[str, float | None]:
        """By gate the first epoch at which it has surely fallen; None: at none."""
        return {
            gate: min((each.epoch for each in self.moves if each.gate == gate and each.falls), default=None)
            for gate in dict.fromkeys(each.gate for each in self.moves)
        }


def watches(loaded: Loaded, *, clean: str = CLEAN, all_of_them: bool = False) -> list[Watch]:
    """One for each training run of which several epochs are there; with `all_of_them` one of all runs, whose order is that of epochs
    where they do not tell. ClipError where that is asked for and cannot be."""
    plain = [each for each in loaded.members if each.wise is None and each.name in loaded.saved]
    runs: dict[str, list[tuple[float, Member]]] = {}
    if all_of_them:
        runs["these runs"] = _numbered(plain, loaded)
    else:
        for each in plain:
            if each.run is not None and each.epoch is not None:
                runs.setdefault(each.run, []).append((each.epoch, each))
    return [_watch(run, sorted(held, key=lambda pair: pair[0]), loaded, clean) for run, held in runs.items() if len(held) > 1]


def _numbered(plain: Sequence[Member], loaded: Loaded) -> list[tuple[float, Member]]:
    if len(plain) < 2:
        raise ClipError(
            "--watch follows the epochs of a training run: name at least two saved runs (not records), the untuned model's first"
        )
    said = [_epoch(each, loaded) for each in plain]
    unknown = [each.name for each, epoch in zip(plain, said, strict=True) if epoch is None]
    if len(unknown) == len(plain):
        return [(float(at), each) for at, each in enumerate(plain)]
    if len(unknown) > 1:
        raise ClipError(f"--watch: {unknown[0]} and {unknown[1]} do not tell their epoch; give it in --factor FILE.csv, column epoch")
    least = min(epoch for epoch in said if epoch is not None)
    return [(min(0.0, least - 1) if epoch is None else epoch, each) for epoch, each in zip(said, plain, strict=True)]


def _epoch(member: Member, loaded: Loaded) -> float | None:
    told: Any = loaded.factors[member.name].get(EPOCH, member.epoch)
    try:
        return None if told is None else float(told)
    except ValueError:
        raise ClipError(f"--factor: the epoch of {member.name} is a number, and not {str(told)[:40]!r}") from None


def _watch(run: str, held: list[tuple[float, Member]], loaded: Loaded, clean: str) -> Watch:
    for _, each in held:
        if clean not in each.values:
            raise ClipError(f"{each.name} has not measured {clean}, which the watch needs; name another gate with --clean")
    base, model = loaded.open(held[0][1].name)
    moves: list[Move] = []
    for epoch, each in held[1:]:
        other, other_model = loaded.open(each.name)
        for change in changes(base, other, models=(model, other_model), only=partial(_watched, other)):
            prefix = f"{change.data}:" if len(each.data) > 1 else ""
            first = held[0][1].values.get(f"{prefix}{change.gate}")
            found = stands_for(change.gate)
            if first is not None and change.value is not None and found is not None:
                moves.append(Move(epoch, f"{prefix}{change.gate}", found.name, change.value, first[0], change.found.change))
    p = {at: each.change.p for at, each in enumerate(moves) if each.change is not None and each.change.p is not None}
    corrected = holm(p)
    mixtures = _mixtures(loaded, clean)
    accuracy = {epoch: each.values[clean][0] for epoch, each in held}
    moves = [
        replace(each, p_holm=corrected.get(at), mixed=_mixed(mixtures, each.gate, accuracy[each.epoch])) for at, each in enumerate(moves)
    ]
    order = [each.name for each in PROPERTIES]
    moves.sort(key=lambda each: (order.index(each.what), each.gate, each.epoch))
    return Watch(run, clean, tuple((epoch, each.name, accuracy[epoch]) for epoch, each in held), tuple(moves), tuple(mixtures))


def _watched(run: SavedRun, model: str, data: str, gate: str) -> bool:
    return stands_for(gate) is not None


def _mixtures(loaded: Loaded, clean: str) -> list[tuple[float, float, dict[str, float]]]:
    """Of the first pair of ends that the runs mix."""
    held = [(each.wise, each) for each in loaded.members if each.wise is not None and clean in each.values]
    ends = held[0][0][:2] if held else None
    found = [
        (wise[2], each.values[clean][0], {gate: value for gate, (value, _) in each.values.items()})
        for wise, each in held
        if wise[:2] == ends
    ]
    return sorted(found, key=lambda each: each[0])


def _mixed(mixtures: Sequence[tuple[float, float, dict[str, float]]], gate: str, accuracy: float) -> float | None:
    """What the path of mixtures has at this accuracy in distribution, straight between two of them; the later one where it passes twice."""
    points = [(x, values[gate]) for _, x, values in mixtures if gate in values]
    found = None
    for (x, y), (right, top) in pairwise(points):
        if min(x, right) <= accuracy <= max(x, right):
            found = y if x == right else y + (top - y) * (accuracy - x) / (right - x)
    return None if found is None else float(np.round(found, 12))
