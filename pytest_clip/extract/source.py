"""Where a model's input comes from: stored or decoded pictures, its own resize and crop, a view, its own normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import ClipError
from ..data import unreadable
from ..data.imageset import ImageSet
from ..data.pictures import UnreadableError, cut, decode, upright
from ..models import door
from . import pixels
from .frames import Frames

if TYPE_CHECKING:
    import torch

    from ..models.protocol import ClipModel
    from ..views.view import View


def pictures(images: ImageSet, cache: Path) -> Callable[[int], Any]:
    """A function from row to PIL image."""
    from PIL import Image

    if images.frame is not None:
        frame, whole = images.frame, pictures(replace(images, frame=None), cache)

        def framed(row: int) -> Any:
            picture = upright(whole(row))
            return cut(picture, frame(row, picture.size))

        return framed
    if images.files is not None or images.read is not None:
        return lambda row: _decoded(images, row)
    stored = pixels.Rendered(images, cache)
    return lambda i: Image.fromarray(np.asarray(stored[i]))


def _decoded(images: ImageSet, row: int) -> Any:
    try:
        if images.files is not None:
            picture = decode(images.files[row], where=images.where(row))
        else:
            assert images.read is not None
            picture = decode(images.read(row), where=images.where(row))
    except UnreadableError as error:
        raise unreadable.met(images, error) from error
    return inside(picture, images.border) if images.border else picture


def inside(picture: Any, border: int) -> Any:
    """A PIL image without `border` pixels on every side."""
    wide, high = picture.size
    return picture.crop((border, border, wide - border, high - border))


class Source:
    """The first images of a set as one model takes them in, seen through `view`.

    Views act on 8-bit pictures at the model's input size. A model that only has `preprocess` gets its pictures changed before that, at
    their own size.
    """

    def __init__(self, model: ClipModel, images: ImageSet, cache: Path, *, view: View | None = None, keep: bool = True) -> None:
        """With `keep`, resized pictures are stored in `cache` and read from there, if the model has a `geometry` to know them by."""
        unreadable.met_before(images)
        self._model, self._images, self._view, self._cache = model, images, view, cache
        self._picture = pictures(images, cache)
        self._split = hasattr(model, "resize") and hasattr(model, "normalize")
        geometry: str | None = getattr(model, "geometry", None) if self._split and keep else None
        self._frames = None if geometry is None else Frames(images, geometry=geometry, make=self._resized, cache=cache)

    def resized(self, rows: Sequence[int]) -> torch.Tensor:
        """Images `rows` at the model's input size and seen through the view, uint8 [n, 3, h, w]."""
        if not self._split:
            raise ClipError(f"{self._model.label} has no `resize` and `normalize`, so its input cannot be changed at its own size")
        return self._seen(self._raw(rows, None), rows)

    def seen(self, row: int) -> torch.Tensor:
        """Image `row` for a person, uint8 [3, h, w]: as in `resized`, or at its own size where that is what the view changes."""
        return self.resized([row])[0] if self._split else self._changed(self._picture(row), row)

    def batch(self, rows: Sequence[int], *, pool: Executor | None = None) -> torch.Tensor:
        """Images `rows` ready for `encode_image`, float32 [n, 3, h, w], decoded on the threads of `pool`."""
        import torch

        if not self._split:
            return torch.stack(list(pool.map(self._preprocessed, rows) if pool else map(self._preprocessed, rows)))
        normal: torch.Tensor = self._model.normalize(self._seen(self._raw(rows, pool), rows))  # type: ignore[attr-defined]
        return normal

    def _raw(self, rows: Sequence[int], pool: Executor | None) -> torch.Tensor:
        """Images `rows` at the model's input size, uint8 [n, 3, h, w], on the device where a view will change them."""
        import torch

        if self._frames is not None:
            stored = self._frames.rows(rows, pool=pool)
        else:
            stored = np.stack(list(pool.map(self._resized, rows) if pool else map(self._resized, rows)))
        batch = torch.from_numpy(stored)
        return batch.pin_memory().to(self._model.device, non_blocking=True) if self._model.device.startswith("cuda") else batch

    def _resized(self, row: int) -> NDArray[np.uint8]:
        picture = self._picture(row)
        try:
            pixels_: NDArray[np.uint8] = self._model.resize(picture).numpy()  # type: ignore[attr-defined]
        except ValueError as error:
            wide, high = picture.size
            raise ClipError(
                f"{self._images.where(row)}: {wide} x {high} pixels cannot be resized as {self._model.label} asks ({error}); "
                "cut the picture to a shape nearer to a square, or remove it"
            ) from error
        return pixels_

    def _preprocessed(self, row: int) -> torch.Tensor:
        """One image, float32 [3, h, w], for a model that cannot be asked for less; a view changes the picture as it is."""
        picture = self._picture(row)
        if self._view is not None:
            from PIL import Image

            picture = Image.fromarray(self._changed(picture, row).permute(1, 2, 0).numpy())
        ready: torch.Tensor = door.picture(self._model, self._model.preprocess(picture), where=self._images.where(row))
        return ready

    def _changed(self, picture: Any, row: int) -> torch.Tensor:
        """A picture at its own size under the view, uint8 [3, h, w]."""
        import torch

        raw = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None]
        return self._seen(raw, range(row, row + 1))[0]

    def _seen(self, batch: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        if self._view is None:
            return batch
        from ..views.view import Facts

        depth = None
        if self._view.needs_depth:
            import torch

            from ..data.depth import depth_maps, framed

            # The way of the picture: the shorter side resized and the rest cropped, unless the model says otherwise. A view that comes
            # before the model's resizing takes all of a map.
            seen = (self._model.facts.get("preprocess") or {}) if self._split else {"resize_mode": "squash"}
            way, crop = seen.get("resize_mode", "shortest"), float(seen.get("crop_pct", 1.0))
            known = depth_maps(self._images, rows, cache=self._cache, device=self._model.device)
            maps = [framed(each, (batch.shape[2], batch.shape[3]), way=way, crop=crop) for each in known]
            depth = torch.stack(maps).to(batch.device)
        return self._view.apply(batch, Facts(ids=tuple(self._images.ids[row] for row in rows), depth=depth))
