"""From a name to a corrupted batch: checks the arguments, runs the corruption in float32, gives back the dtype that came in."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from .. import ClipError
from .blur import defocus_blur, gaussian_blur, motion_blur
from .catalog import IMAGENET_C, KINDS, SEVERITIES
from .digital import brightness, contrast, elastic_transform, jpeg_compression, pixelate, saturate
from .frost import frost
from .glass import glass_blur
from .grid import whole
from .noise import gaussian_noise, impulse_noise, shot_noise, speckle_noise
from .seeds import generators
from .spatter import spatter
from .weather import fog, snow
from .zoom import GROUP, zoom_blur

Corruption = Callable[[Tensor, int, Sequence[Generator]], Tensor]

CORRUPTIONS: dict[str, Corruption] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
    "speckle_noise": speckle_noise,
    "gaussian_blur": gaussian_blur,
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "brightness": brightness,
    "saturate": saturate,
    "contrast": contrast,
    "elastic_transform": elastic_transform,
    "pixelate": pixelate,
    "jpeg_compression": jpeg_compression,
    "spatter": spatter,
}

# These take 8-bit images as they are and give back 8-bit images, or float32 in [0, 1]; the others get float32.
BYTES = frozenset(IMAGENET_C)
# These draw nothing, so no generators are made: a tenth of the time of the fastest ones.
PLAIN = frozenset({"defocus_blur", "zoom_blur", "gaussian_blur", "brightness", "saturate", "contrast", "pixelate", "jpeg_compression"})
TOGETHER = {"zoom_blur": GROUP, "fog": 8}  # at least so many images at a time on a CPU
PART = 224 * 224
SMALLEST = 32  # pixels, as in the reference: below that the lengths of every corruption round to nothing


def apply(images: Tensor, kind: str, severity: int, ids: Sequence[str]) -> Tensor:
    """See `pytest_clip.views.corrupt`."""
    check(f"corrupt(images, {kind!r}, {severity!r}, ids)", images, kind, severity, ids, known=KINDS)
    if not len(images):
        return images.clone()

    def change(x: Tensor, part: slice) -> Tensor:
        return CORRUPTIONS[kind](x, severity - 1, [] if kind in PLAIN else generators(kind, severity, ids[part], images.device))

    return in_parts(images, change, least=TOGETHER.get(kind, 1), raw=kind in BYTES)


def in_parts(images: Tensor, change: Callable[[Tensor, slice], Tensor], *, least: int = 1, raw: bool = False) -> Tensor:
    """`change` of float32 [n, 3, h, w] in [0, 1], a few images at a time, in the dtype that came in; 8 bits by cutting off, as published.

    `raw`: `change` takes uint8 images as they are, and what it makes of them may be uint8 as well.
    On a CPU at least `least` images and as many as have the pixels of one of 224: more leave its cache, and of less, threads side by side
    spend their time waiting for the interpreter. A GPU takes all at once.
    """
    size = max(least, PART // images[0, 0].numel()) if images.device.type == "cpu" else len(images)
    out = torch.empty_like(images, memory_format=torch.contiguous_format)
    with torch.no_grad():
        for start in range(0, len(images), size):
            part = slice(start, start + size)
            if images.dtype == torch.uint8:
                changed = change(images[part].contiguous() if raw else images[part].float().div_(255), part)
                out[part] = changed if changed.dtype == torch.uint8 else whole(changed * 255)
            else:
                out[part] = change(images[part].float(), part).clamp(0, 1)
    return out


def check(where: str, images: Tensor, kind: str, severity: int, ids: Sequence[str], *, known: Sequence[str]) -> None:
    """ClipError, beginning with the call `where`, for arguments that no corruption takes."""
    if kind not in known:
        near = difflib.get_close_matches(kind, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise ClipError(f"{where}: no corruption of that name; {hint}")
    if isinstance(severity, bool) or severity not in SEVERITIES:
        raise ClipError(f"{where}: severity is one of {', '.join(map(str, SEVERITIES))}")
    if images.ndim != 4 or images.shape[1] != 3:
        raise ClipError(f"{where}: images have the shape {list(images.shape)}; give [n, 3, height, width]")
    if isinstance(ids, str) or len(ids) != len(images):
        raise ClipError(f"{where}: {len(ids)} ids for {len(images)} images; give one id for each image")
    if min(images.shape[2:]) < SMALLEST:
        raise ClipError(f"{where}: images of {images.shape[2]} x {images.shape[3]} pixels; the shorter side needs at least {SMALLEST}")
    if images.dtype == torch.uint8 or not len(images):
        return
    if not images.is_floating_point():
        raise ClipError(f"{where}: images are {images.dtype}; give uint8, or floating point in [0, 1]")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1):
        raise ClipError(f"{where}: values run from {low:g} to {high:g}; floating-point images lie in [0, 1] (before normalisation)")
