"""Image sets to embeddings: one batch is decoded while another is encoded, finished rows are stored, a full GPU halves the batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from .entry import Entry
from .source import Source

if TYPE_CHECKING:
    import torch

    from ..models.protocol import ClipModel

DEFAULT_BATCH = {"cpu": 64, "cuda": 256}
STREAMS = 4
"""Spans under way at a time: memory grows with them."""


class Batches:
    """How many images go through the model at once; halves itself, and says so once, when CUDA runs out of memory."""

    def __init__(self, size: int | None, *, say: Callable[[str], None]) -> None:
        self.size, self._say, self._said = size, say, False

    def encode(self, model: ClipModel, batch: torch.Tensor) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of `batch` [n, 3, h, w], in as many pieces as memory asks for."""
        import torch

        size = min(self.size or len(batch), len(batch))
        while True:
            try:
                return torch.cat([model.encode_image(batch[i : i + size]) for i in range(0, len(batch), size)]).numpy()
            except torch.OutOfMemoryError:  # noqa: PERF203 - one attempt a batch size is the point
                if size == 1:
                    raise ClipError(
                        f"{model.device} has no memory for even one image of {model.label}; free it, or use --clip-device=cpu"
                    ) from None
                size = self.size = size // 2
                torch.cuda.empty_cache()
                if not self._said:
                    self._said = True
                    self._say(f"out of GPU memory: going on with batches of {size}; --clip-batch-size={size} avoids the failed attempt")


def fill(
    entry: Entry, model: ClipModel, source: Source, *, batches: Batches, threads: int, advance: Callable[[int], None] = lambda n: None
) -> None:
    """Put the L2-normalised embeddings float32 [n, d] that `entry` lacks; `advance` hears, in this thread, of rows made here.

    Several spans are under way at a time, so that one is decoded while another is encoded. On a CPU each goes through the model on its
    share of the cores, if the model can do that; otherwise they take turns with the model, and the cores decode.
    """
    run = _Run(entry, model, source, batches=batches, threads=threads)
    left = sum(not entry.path(k).exists() for k in range(len(entry.spans)))
    streams = max(1, min(threads, STREAMS, left))
    together = run.together and streams > 1
    decoders = ThreadPoolExecutor(threads) if threads > 1 and not together else None
    with share_cores(threads, streams if together else 1), decoders or nullcontext():
        if streams == 1:
            run.stream(decoders, advance)
            return
        with ThreadPoolExecutor(streams) as pool:
            futures = [pool.submit(run.stream, decoders, run.heard) for _ in range(streams)]
            try:
                run.report(futures, advance)
            finally:
                run.stopped.set()
        for future in futures:
            future.result()


class _Run:
    """One `fill`: what its streams share."""

    def __init__(self, entry: Entry, model: ClipModel, source: Source, *, batches: Batches, threads: int) -> None:
        self._entry, self._model, self._source, self._batches = entry, model, source, batches
        self.together = model.device == "cpu" and bool(getattr(model, "thread_safe", False))
        self._turn = nullcontext() if self.together else threading.Lock()
        self._size = batches.size or DEFAULT_BATCH["cuda" if model.device.startswith("cuda") else "cpu"]
        self.stopped = threading.Event()
        self._made = 0

    def stream(self, decoders: Executor | None, advance: Callable[[int], None]) -> None:
        """Make one missing span after another until there are none."""
        for span in self._entry.claims():
            parts: list[NDArray[np.float32]] = []
            for at in range(0, len(span), self._size):
                batch = self._source.batch(span[at : at + self._size], pool=decoders)
                with self._turn:
                    parts.append(self._batches.encode(self._model, batch))
                if self.stopped.is_set():
                    return
                advance(len(parts[-1]))
            self._entry.put(span, np.concatenate(parts))

    def heard(self, n: int) -> None:
        """Count rows of any stream."""
        self._made += n

    def report(self, futures: list[Future[None]], advance: Callable[[int], None]) -> None:
        """Tell of the rows as they come, until all streams are through or one has failed."""
        said, pending = 0, set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.1, return_when=FIRST_EXCEPTION)
            if (now := self._made) > said:
                advance(now - said)
                said = now
            if any(future.exception() is not None for future in done):
                return


@contextmanager
def share_cores(threads: int, streams: int) -> Iterator[None]:
    """While several batches are under way, torch uses only each one's share of the cores."""
    import torch

    before = torch.get_num_threads()
    if streams > 1:
        torch.set_num_threads(max(1, threads // streams))
    try:
        yield
    finally:
        torch.set_num_threads(before)
