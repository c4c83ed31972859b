"""Embedding on a Ray cluster: actors hold the model, spans go to whoever is free, rows come back by span and are stored by this process.

A span is the unit of loss: an actor or a node that dies costs the spans it was at, which others make again; this process dying costs the
spans under way, and the next run goes on from what is stored. Files must lie at the same path on every node.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError, children
from .embed import Batches, Work, embedded
from .entry import Entry
from .streams import Maker, run

if TYPE_CHECKING:
    from ..models.protocol import ClipModel

NEEDS_RAY = "--clip-executor=ray needs Ray, which is not installed; pip install pytest-clip[ray]"
PATIENCE = 120.0
"""Seconds that an actor may take to find its place in the cluster and to load the model."""
ATTEMPTS = 4
"""Actors that may die over one span: more than that is no accident."""


@dataclass
class Rays:
    """Embeds on the cluster at `address` ("" = one on this machine, for this run), on `actors` actors (None: all that there is room for).

    With GPUs in the cluster each actor has one; otherwise each has one core.
    """

    address: str = ""
    actors: int | None = None
    batch_size: int | None = None
    patience: float = PATIENCE
    _crews: dict[str, list[_Hand]] = field(default_factory=dict)
    _began: bool = False

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

    def _crew(self, model: ClipModel) -> list[_Hand]:
        """The actors with this model; those of another model make room."""
        if model.fingerprint not in self._crews:
            ray = self._connect()
            for crew in self._crews.values():
                for hand in crew:
                    hand.dismiss()
            self._crews.clear()
            place, number = self._room(ray)
            stored = ray.put(_portable(model))
            self._crews[model.fingerprint] = [_Hand(ray, stored, place, self.batch_size, self.patience, model.label) for _ in range(number)]
        return self._crews[model.fingerprint]

    def _connect(self) -> Any:
        ray = self._ray
        if not ray.is_initialized():
            import logging

            how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
            try:
                ray.init(self.address or None, include_dashboard=None if self.address else False, **how)
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


class _Hand:
    """One place in the cluster: an actor with the model, replaced when it dies."""

    def __init__(self, ray: Any, stored: Any, place: dict[str, float], batch: int | None, patience: float, label: str) -> None:
        self._ray, self._stored, self._place, self._batch, self._patience, self._label = ray, stored, place, batch, patience, label
        self._guard = threading.Lock()
        self._actor: Any = None

    def maker(self, work: Work, told: list[Any]) -> Maker:
        """Rows of a span of `work`, made by the actor; `told` holds the work as Ray keeps it."""

        def make(span: range) -> Iterator[NDArray[np.float32]]:
            died = ""
            for _ in range(ATTEMPTS):
                rows = self._try(told, span)
                if not isinstance(rows, str):
                    yield rows
                    return
                died = rows
            raise ClipError(
                f"{ATTEMPTS} Ray actors with {self._label} died over rows {span.start} to {span.stop - 1} of "
                f"{work.images.data}/{work.images.name} ({died}); is there memory enough?"
            )

        return make

    def _try(self, told: list[Any], span: range) -> NDArray[np.float32] | str:
        """The rows, or why there is no actor any more that could have made them."""
        try:
            rows: NDArray[np.float32] = self._ray.get(self._ready().rows.remote(told, span))
        except self._ray.exceptions.RayTaskError as error:
            raise ClipError(str(error.cause)) if isinstance(error.cause, ClipError) else error from None
        except self._ray.exceptions.RayError as error:  # the actor, its process or its node
            self.dismiss()
            return str(error).splitlines()[0]
        return rows

    def _ready(self) -> Any:
        """The actor, started and asked once whether it lives; ClipError when the cluster has no place for it."""
        with self._guard:
            if self._actor is None:
                ray = self._ray
                # A model of a project's conftest.py travels by name: the actor looks for it where this process does, but last. In
                # PYTHONPATH these places would come before Python's own, and a random.py of the user's in front of the real one.
                where = {"env_vars": {"PYTHONPATH": children.python_path(), "PYTHONSAFEPATH": "1"}}
                actor = ray.remote(**self._place, runtime_env=where)(_Embedder).remote([self._stored], self._batch, list(sys.path))
                done, _ = ray.wait([actor.ready.remote()], timeout=self._patience)
                if not done:
                    ray.kill(actor)
                    wanted = ", ".join(f"{amount:g} {name.removeprefix('num_').upper()}" for name, amount in self._place.items())
                    free = ", ".join(f"{ray.available_resources().get(kind, 0):g} {kind}" for kind in ("CPU", "GPU"))
                    raise ClipError(
                        f"a Ray actor with {self._label} (needs {wanted}) has not started within {self._patience:g} s; free in the "
                        f"cluster: {free}; end what holds the rest (`ray list actors`), or add a node"
                    )
                ray.get(done)
                self._actor = actor
            return self._actor

    def dismiss(self) -> None:
        """Give the place back."""
        actor, self._actor = self._actor, None
        if actor is not None:
            with suppress(Exception):  # it may be dead already
                self._ray.kill(actor)


class _Embedder:
    """The actor: one model, on the GPU that Ray gave it or on one core."""

    def __init__(self, stored: list[Any], batch: int | None, places: list[str]) -> None:
        """`stored` holds the model as Ray keeps it, to be unpacked when modules are also looked for at `places`."""
        import ray
        import torch

        sys.path.extend(each for each in places if each and each not in sys.path)
        model = ray.get(stored[0])
        torch.set_num_threads(1)
        self._model = model
        if torch.cuda.is_available() and hasattr(model, "module"):
            self._model.module.to("cuda")
            self._model.device = "cuda"
        self._batches = Batches(batch, say=print)
        self._told: list[Any] = []
        self._work: Work | None = None

    def ready(self) -> bool:
        """Whether the model is loaded: an answer is all it takes."""
        return True

    def rows(self, told: list[Any], span: range) -> NDArray[np.float32]:
        """The embeddings of one span, float32 [n, d]; `told` holds the work as Ray keeps it."""
        from .pixels import place, render_here

        mine = self._unpacked(told)
        if mine.images.scenes is not None and not place(mine.images, mine.cache).complete:
            render_here(mine.images, mine.cache)
        return np.concatenate(list(embedded(mine, span, batches=self._batches, turn=nullcontext(), decoders=None)))

    def _unpacked(self, told: list[Any]) -> Work:
        import ray

        if self._work is None or self._told != told:
            self._told, self._work = told, replace(ray.get(told[0]), model=self._model)
        return self._work


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
