"""Image sets to embeddings: one batch is decoded while another is encoded, finished rows are stored, a full GPU halves the batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..models.door import Door
from ..models.protocol import is_classifier
from .cores import Cores, share_cores, steady
from .entry import Entry
from .source import Source
from .streams import run

if TYPE_CHECKING:
    import torch

    from ..data.imageset import ImageSet
    from ..models.protocol import ClipModel
    from ..views.view import View

DEFAULT_BATCH = {"cpu": 32, "cuda": 256}
"""Images in a forward pass. More were no faster: 256 images took ViT-B-32 on two cores 19.0 s in batches of 64, 18.4 s in batches of 32."""


class Batches:
    """How many images go through the model at once; halves itself, and says so once, when CUDA runs out of memory."""

    def __init__(self, size: int | None, *, say: Callable[[str], None]) -> None:
        self.size, self._say, self._said = size, say, False
        self.door = Door()

    def encode(self, model: ClipModel, batch: torch.Tensor) -> NDArray[np.float32]:
        """Embeddings float32 [n, d] of `batch` [n, 3, h, w], or a classifier's scores [n, C], in as many pieces as memory asks for."""
        if is_classifier(model):
            scores = model.class_scores  # type: ignore[attr-defined]
            return self.through(model, batch, lambda part: self.door.scores(model, scores(part), len(part)))
        return self.through(model, batch, lambda part: self.door.embeddings(model, "encode_image", model.encode_image(part), len(part)))

    def through(self, model: ClipModel, batch: torch.Tensor, answer: Callable[[torch.Tensor], NDArray[np.float32]]) -> NDArray[np.float32]:
        """What `answer` says about `batch`, in as many pieces as memory asks for."""
        import torch

        size = min(self.size or len(batch), len(batch))
        while True:
            try:
                with steady(size if len(batch) % size == 0 else len(batch) % size, model.device):
                    return np.concatenate([answer(batch[i : i + size]) for i in range(0, len(batch), size)])
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


@dataclass(frozen=True)
class Work:
    """The images of a set as a view shows them, to be embedded by one model."""

    model: ClipModel
    images: ImageSet
    cache: Path
    view: View | None = None
    keep: bool = True

    @cached_property
    def source(self) -> Source:
        return Source(self.model, self.images, self.cache, view=self.view, keep=self.keep)


@dataclass(frozen=True)
class Local:
    """Embeds in this process on its `cores` and the model's device."""

    batches: Batches
    cores: Cores

    def fill(self, entry: Entry, work: Work, *, advance: Callable[[int], None] = lambda n: None) -> None:
        """Put the L2-normalised embeddings float32 [n, d] that `entry` lacks; `advance` hears, in this thread, of rows made here.

        Several spans are under way at a time, so that one is decoded while another is encoded. On a CPU each goes through the model on its
        share of the cores, if the model can do that; otherwise they take turns with the model, and the cores decode.
        """
        streams = max(1, min(self.cores.streams, sum(not entry.path(k).exists() for k in range(len(entry.spans)))))
        abreast = streams > 1 and together(work.model)
        turn = nullcontext() if abreast else threading.Lock()
        decoders = ThreadPoolExecutor(self.cores.share) if self.cores.share > 1 and not abreast else None

        def maker(span: range) -> Iterator[NDArray[np.float32]]:
            return embedded(work, span, batches=self.batches, turn=turn, decoders=decoders)

        with share_cores(self.cores.share, streams if abreast else 1), decoders or nullcontext():
            run(entry, [maker] * streams, advance=advance)


def together(model: ClipModel) -> bool:
    """Whether several threads gain by being in the model at a time."""
    return model.device == "cpu" and bool(getattr(model, "thread_safe", False))


def embedded(
    work: Work, span: range, *, batches: Batches, turn: AbstractContextManager[Any], decoders: Executor | None
) -> Iterator[NDArray[np.float32]]:
    """The embeddings of a span, a batch at a time, decoded on `decoders`; only who has the `turn` is in the model."""
    size = batches.size or DEFAULT_BATCH["cuda" if work.model.device.startswith("cuda") else "cpu"]
    for at in range(0, len(span), size):
        batch = work.source.batch(span[at : at + size], pool=decoders)
        with turn:
            rows = batches.encode(work.model, batch)
        yield rows
