"""Outcomes as named arrays and back: arrays with the same content are kept once, whatever gates and models they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_clip.metrics.outcomes import Outcomes

Array = npt.NDArray[Any]

_SIDES = (("arrays", "ids", "clusters"), ("others", "other_ids", "other_clusters"))


@dataclass
class Pack:
    """Arrays by the hash of their content. Image ids are a thousand times the same list, and `correct` belongs to half the gates."""

    arrays: dict[str, Array] = field(default_factory=dict)

    def put(self, array: Array) -> str:
        """Keep `array` and return its key, 16 hex digits of its dtype, shape and content."""
        array = np.ascontiguousarray(array)
        key = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode() + array.tobytes()).hexdigest()[:16]
        self.arrays.setdefault(key, array)
        return key

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays.values())

    def put_texts(self, texts: tuple[str, ...]) -> str:
        return self.put(np.asarray(texts, dtype=np.str_))

    def add(self, outcomes: Outcomes) -> dict[str, Any]:
        """Keep the arrays of `outcomes`; what is returned is JSON and enough to make them again with :func:`unpack`."""
        entry: dict[str, Any] = {"statistic": outcomes.statistic, "params": dict(outcomes.params)}
        for arrays, ids, clusters in _SIDES:
            if held := getattr(outcomes, arrays):
                entry[arrays] = {name: self.put(array) for name, array in held.items()}
                entry[ids] = self.put_texts(getattr(outcomes, ids))
            if (numbers := getattr(outcomes, clusters)) is not None:
                entry[clusters] = self.put(numbers)
        return entry


def unpack(entry: Mapping[str, Any], arrays: Mapping[str, Array]) -> Outcomes:
    """The outcomes that :meth:`Pack.add` described. KeyError or ValueError when `entry` and `arrays` do not belong together."""
    how: dict[str, Any] = {}
    for held, ids, clusters in _SIDES:
        if held in entry:
            how[held] = {name: arrays[key] for name, key in entry[held].items()}
            how[ids] = tuple(arrays[entry[ids]].tolist())
        if clusters in entry:
            how[clusters] = arrays[entry[clusters]]
    return Outcomes(statistic=entry["statistic"], params=entry["params"], **how)
