"""One place in a Ray cluster, and the actor in it that embeds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from . import children
from .embed import Batches, Work, embedded
from .streams import Maker

ATTEMPTS = 4
"""Actors that may die over one span: more than that is no accident."""


class Hand:
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
        if mine.images.drawn is not None and not place(mine.images, mine.cache).complete:
            render_here(mine.images, mine.cache)
        return np.concatenate(list(embedded(mine, span, batches=self._batches, turn=nullcontext(), decoders=None)))

    def _unpacked(self, told: list[Any]) -> Work:
        import ray

        if self._work is None or self._told != told:
            self._told, self._work = told, replace(ray.get(told[0]), model=self._model)
        return self._work
