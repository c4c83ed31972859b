"""How fast a model was when it last computed here: kept in the cache, for `--clip-list` to reckon with."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..store import writing

FOLDER = "rates"
LEAST = 32
"""Pictures below which a rate says more about the first batch than about the model."""


@dataclass(frozen=True)
class Rate:
    """`images` in `seconds`, all of them in forward passes, on a device; `when` in seconds since 1970."""

    model: str
    device: str
    images: int
    seconds: float
    when: float

    @property
    def per_second(self) -> float:
        return self.images / self.seconds


def note(cache: Path, model: str, device: str, images: int, seconds: float) -> None:
    """Remember the rate of a run; an older one of the same model on the same device is forgotten. A full disk is no reason to complain."""
    if images < LEAST or seconds <= 0:
        return
    with suppress(Exception), writing(_place(cache, model, device)) as part:
        part.write_text(json.dumps(asdict(Rate(model, device, images, round(seconds, 3), round(time.time(), 3)))), encoding="utf-8")


def known(cache: Path, names: Collection[str], device: str) -> Rate | None:
    """The last rate of a model that has one of these `names`, on `device` (`auto`: on any); None where none was kept."""
    found = []
    for path in (cache / FOLDER).glob("*.json"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            rate = Rate(**json.loads(path.read_text("utf-8")))
            plain = rate.images >= LEAST and 0 < rate.seconds < 1e9
            if plain and rate.model in names and (device == "auto" or rate.device.partition(":")[0] == device.partition(":")[0]):
                found.append(rate)
    return max(found, key=lambda rate: rate.when, default=None)


def _place(cache: Path, model: str, device: str) -> Path:
    return cache / FOLDER / f"{hashlib.sha256(f'{model} {device}'.encode('utf-8', 'replace')).hexdigest()[:16]}.json"


def clocked(label: str) -> str:
    """The name under which the rate of an LMM is kept: questions a second, not pictures."""
    return f"lmm {label}"


@dataclass
class Clock:
    """What the models of one run have computed, by label and device."""

    told: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    @contextmanager
    def of(self, model: str, device: str, advance: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
        """While it computes: who makes rows says so to what is given, which hands it on to `advance`."""
        made, began = [0], time.monotonic()

        def heard(n: int) -> None:
            made[0] += n
            advance(n)

        yield heard
        if made[0]:
            images, seconds = self.told.get((model, device), (0, 0.0))
            self.told[model, device] = images + made[0], seconds + time.monotonic() - began

    def keep(self, cache: Path) -> None:
        for (model, device), (images, seconds) in self.told.items():
            note(cache, model, device, images, seconds)
        self.told.clear()
