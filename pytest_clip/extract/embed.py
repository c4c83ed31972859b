"""Image sets to embeddings: decode and preprocess in threads, encode in batches, halve the batch when the GPU is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data.imageset import ImageSet
from . import pixels

if TYPE_CHECKING:
    import torch

    from ..models.protocol import ClipModel

DEFAULT_BATCH = {"cpu": 64, "cuda": 256}


def open_image(path: Path) -> Any:
    """The picture in `path`, decoded; ClipError names a file that cannot be."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
                del image.info["transparency"]  # the transform drops it anyway, but Pillow warns about it, once an image
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ClipError(f"{path}: not a readable image ({error}); replace or remove the file") from error


def pictures(images: ImageSet, cache: Path) -> Callable[[int], Any]:
    """A function from row to PIL image."""
    from PIL import Image

    if images.files is not None:
        files = images.files
        return lambda i: open_image(files[i])
    stored = pixels.frames(images, cache)
    return lambda i: Image.fromarray(np.asarray(stored[i]))


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
    advance: Callable[[int], None] = lambda n: None,
) -> NDArray[np.float32]:
    """L2-normalised embeddings float32 [n, d] of the first `n` images in order."""
    size = batches.size or DEFAULT_BATCH["cuda" if model.device.startswith("cuda") else "cpu"]
    out: list[NDArray[np.float32]] = []
    for batch in _prefetched(model, pictures(images, cache), n, size=size, threads=threads):
        out.append(batches.encode(model, batch))
        advance(len(batch))
    return np.concatenate(out)


def _prefetched(model: ClipModel, picture: Callable[[int], Any], n: int, *, size: int, threads: int) -> Iterator[torch.Tensor]:
    """Preprocessed batches, the next one in the making while the caller encodes this one."""
    import torch

    def ready(i: int) -> torch.Tensor:
        return model.preprocess(picture(i))

    if threads <= 1:
        for start in range(0, n, size):
            yield torch.stack([ready(i) for i in range(start, min(start + size, n))])
        return
    with ThreadPoolExecutor(threads) as pool:
        chunks = [range(start, min(start + size, n)) for start in range(0, n, size)]
        ahead = [pool.submit(ready, i) for i in chunks[0]]
        for k in range(len(chunks)):
            now, ahead = ahead, [pool.submit(ready, i) for i in chunks[k + 1]] if k + 1 < len(chunks) else []
            yield torch.stack([f.result() for f in now])
