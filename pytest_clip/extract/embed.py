"""Image sets to embeddings: several batches at a time on a CPU, decoded ahead for a GPU, halved when the GPU is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data.imageset import ImageSet
from .source import Source

if TYPE_CHECKING:
    import torch

    from ..models.protocol import ClipModel
    from ..views.view import View

DEFAULT_BATCH = {"cpu": 64, "cuda": 256}
STREAMS = 4
"""Batches under way at a time on a CPU: memory grows with them."""


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


def image_embeddings(
    model: ClipModel,
    images: ImageSet,
    *,
    n: int,
    cache: Path,
    batches: Batches,
    threads: int,
    view: View | None = None,
    advance: Callable[[int], None] = lambda n: None,
) -> NDArray[np.float32]:
    """L2-normalised embeddings float32 [n, d] of the first `n` images in order, seen through `view`.

    On a CPU several batches are under way at a time, each on its share of the cores, so that one is decoded while another is encoded. On a
    GPU batches follow each other, and the next ones are decoded ahead.
    """
    cuda = model.device.startswith("cuda")
    size = batches.size or DEFAULT_BATCH["cuda" if cuda else "cpu"]
    source = Source(model, images, cache, view=view)
    chunks = [range(start, min(start + size, n)) for start in range(0, n, size)]
    streams = min(threads, STREAMS, len(chunks)) if not cuda and getattr(model, "thread_safe", False) else 1
    out: list[NDArray[np.float32]] = []

    def embedded(rows: range) -> NDArray[np.float32]:
        return batches.encode(model, source.batch(rows))

    with share_cores(threads, streams):
        if streams > 1:
            with ThreadPoolExecutor(streams) as pool:
                for part in pool.map(embedded, chunks):
                    out.append(part)
                    advance(len(part))
        else:
            for batch in _ahead(source, chunks, threads=threads):
                out.append(batches.encode(model, batch))
                advance(len(batch))
    return np.concatenate(out)


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


def _ahead(source: Source, chunks: list[range], *, threads: int) -> Iterator[torch.Tensor]:
    """Preprocessed batches, the next one in the making while the caller encodes this one."""
    if threads <= 1:
        yield from map(source.batch, chunks)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead = [pool.submit(source.one, i) for i in chunks[0]]
        for k, rows in enumerate(chunks):
            now, ahead = ahead, [pool.submit(source.one, i) for i in chunks[k + 1]] if k + 1 < len(chunks) else []
            yield source.finish([f.result() for f in now], rows)
