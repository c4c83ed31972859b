"""Embedding on a Ray cluster: actors hold the model, spans go to whoever is free, rows come back by span and are stored by this process.

A span is the unit of loss: an actor or a node that dies costs the spans it was at, which others make again; this process dying costs the
spans under way, and the next run goes on from what is stored. Files must lie at the same path on every node.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from .. import ClipError
from . import cluster
from .embed import Work
from .entry import Entry
from .hand import Hand
from .streams import run

if TYPE_CHECKING:
    from ..models.protocol import ClipModel

T = TypeVar("T")
NEEDS_RAY = "--clip-executor=ray needs Ray, which is not installed; pip install pytest-clip[ray]"
PATIENCE = 120.0
"""Seconds that an actor may take to find its place in the cluster and to load the model."""


@dataclass
class Rays:
    """Embeds on the cluster at `address` ("" = one on this machine, for this run), on `actors` actors (None: all that there is room for).

    With GPUs in the cluster each actor has one; otherwise each has one core.
    """

    address: str = ""
    actors: int | None = None
    batch_size: int | None = None
    patience: float = PATIENCE
    _crews: dict[str, list[Hand]] = field(default_factory=dict)
    _began: bool = False
    _refused: str = ""
    """why there is no crew: asked once, not again for every gate"""

    def fill(self, entry: Entry, work: Work, *, advance: Callable[[int], None] = lambda n: None) -> None:
        """Put the rows that `entry` lacks; see `embed.Local.fill`."""
        missing = sum(not entry.path(k).exists() for k in range(len(entry.spans)))
        if missing:
            hands = self._crew(work.model)[:missing]
            # Sent once to each machine and unpacked once by each actor, not with every span: the names of 50,000 files take 5.5 MB and
            # half a second. In a list, since Ray unpacks an argument that is a reference itself.
            told = [self._ray.put(replace(work, model=None))]  # type: ignore[arg-type]  # the actors have the model
            run(entry, [hand.maker(work, told) for hand in hands], advance=advance)

    def close(self) -> None:
        """Give the actors' places back; a cluster that this run has started ends."""
        for hand in (hand for crew in self._crews.values() for hand in crew):
            hand.dismiss()
        self._crews.clear()
        if self._began:
            self._ray.shutdown()
            self._began = False

    @property
    def _ray(self) -> Any:
        try:
            import ray
        except ImportError as error:
            raise ClipError(NEEDS_RAY) from error
        return ray

    def _crew(self, model: ClipModel) -> list[Hand]:
        """The actors with this model; those of another model make room."""
        if self._refused:
            raise ClipError(self._refused)
        if model.fingerprint not in self._crews:
            ray = self._remembered(self._connect)
            for crew in self._crews.values():
                for hand in crew:
                    hand.dismiss()
            self._crews.clear()
            place, number = self._remembered(lambda: self._room(ray))
            stored = ray.put(_portable(model))
            self._crews[model.fingerprint] = [Hand(ray, stored, place, self.batch_size, self.patience, model.label) for _ in range(number)]
        return self._crews[model.fingerprint]

    def _remembered(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except ClipError as error:
            self._refused = str(error)
            raise

    def _connect(self) -> Any:
        ray = self._ray
        if not ray.is_initialized():
            import logging

            if self.address:
                cluster.check(self.address)

            how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
            try:
                ray.init(self.address or "local", include_dashboard=None if self.address else False, **how)
            except Exception as error:  # ConnectionError, ValueError, RuntimeError and gRPC's own, by version and kind of address
                where = f"at {self.address}" if self.address else "on this machine"
                raise ClipError(f"no Ray cluster {where}: {str(error).splitlines()[0]}; start one with `ray start --head`") from error
            self._began = True
        return ray

    def _room(self, ray: Any) -> tuple[dict[str, float], int]:
        """What one actor takes, and how many there will be."""
        there, free = ray.cluster_resources(), ray.available_resources()
        place: dict[str, float] = {"num_cpus": 1.0, "num_gpus": 1.0} if there.get("GPU") else {"num_cpus": 1.0}
        kind = "GPU" if there.get("GPU") else "CPU"
        room = int(free.get(kind, 0))
        if room < 1 and not self._wait_for(ray, kind):
            raise ClipError(
                f"the Ray cluster has {there.get(kind, 0):g} {kind}s and none is free for an actor with the model (waited "
                f"{self.patience:g} s); end what holds them (`ray list actors`), or add a node"
            )
        room = int(ray.available_resources().get(kind, 0))
        return place, min(room, self.actors or room)

    def _wait_for(self, ray: Any, kind: str) -> bool:
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            if ray.available_resources().get(kind, 0) >= 1:
                return True
            time.sleep(0.5)
        return False


def _portable(model: ClipModel) -> Any:
    """The model as it can travel: built, on the CPU; ClipError for one that cannot be pickled."""
    import copy

    from ray import cloudpickle

    real: Any = getattr(model, "real", model)
    if getattr(real, "device", "cpu") != "cpu" and hasattr(real, "module"):
        real = copy.copy(real)
        real.module, real.device = copy.deepcopy(real.module).to("cpu"), "cpu"
    try:
        cloudpickle.dumps(real)  # type: ignore[no-untyped-call]
    except Exception as error:  # TypeError, PicklingError, AttributeError: whatever is in the user's model
        raise ClipError(
            f"{model.label} cannot be sent to Ray actors ({error}); give it no open files, locks or lambdas, or use --clip-executor=local"
        ) from error
    return real
