"""One frame of a film that was compressed, or damaged on its way. Needs PyAV (`pip install pytest-clip[video]`).

The film is a camera's way through the scene and back (views/camera.py, sideways or forwards by the toss of a coin), 119 pictures at 25 a
second, H.264 at its default quality; what is shown is its last picture, in which the camera stands where it began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from .. import ClipError
from .camera import FRAMES, REFERENCE, frames, packed_levels, xy_path, z_path
from .catalog import NEEDS_AV
from .seeds import draw

CRF = (24, 26, 32, 39, 41)  # constant rate factor of H.265
PART = (2, 4, 8, 16, 32)  # of the film's own bit rate that H.265 may use
ERROR = (100_000, 50_000, 30_000, 20_000, 10_000)  # bytes of a 512-pixel film from one damaged byte to the next
RATE = 25
SMALLEST = 128  # pixels: libx265 is not repeatable below two coding units; smaller pictures are repeated up to it and averaged down again
X265: dict[str, object] = {"x265-params": "log-level=none:pools=none:frame-threads=1"}

Film = npt.NDArray[np.uint8]


def h265_crf(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Compressed again at a constant quality."""
    return _last(x, depth, each, lambda film, pixels: _encode(_decode(film), "libx265", {"crf": CRF[level], **X265}))


def h265_abr(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Compressed again to a part of its bit rate."""

    def squeeze(film: bytes, pixels: int) -> bytes:
        rate = max(1000, int(len(film) * 8 / ((2 * FRAMES - 1) / RATE) / PART[level]))
        return _encode(_decode(film), "libx265", {"maxrate": rate, "bufsize": rate, **X265}, bit_rate=rate)

    return _last(x, depth, each, squeeze)


def bit_error(x: Tensor, depth: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """Bytes of the film overwritten; how many bytes lie between two of them scales with the picture's area."""
    return _last(x, depth, each, lambda film, pixels: _damaged(film, max(1, round(ERROR[level] * pixels / REFERENCE**2))))


def _last(x: Tensor, depth: Tensor, each: Sequence[Generator], change: Callable[[bytes, int], bytes]) -> Tensor:
    _av()
    out = []
    for image, far, generator in zip(x, depth, each, strict=True):
        film = _film(image[None], far[None], [generator])
        last = _decoded(change(_encode(film, "libx264", {}), film[0].shape[0] * film[0].shape[1]))
        shown = torch.from_numpy(last).to(x.device).permute(2, 0, 1).float() / 255
        grid = _enlarged(image)
        out.append(F.avg_pool2d(shown[None], grid)[0, :, : image.shape[1], : image.shape[2]])
    return torch.stack(out)


def _enlarged(image: Tensor) -> int:
    return math.ceil(SMALLEST / min(image.shape[-2:]))


def _film(x: Tensor, depth: Tensor, each: Sequence[Generator]) -> list[Film]:
    """119 pictures uint8 [h, w, 3] with even h and w."""
    sideways = bool(draw(torch.rand, (1,), each).item() < 0.5)
    path = xy_path(x, each) if sideways else z_path(x, each)
    there = [_picture(frame[0], _enlarged(x)) for frame in frames(x, depth, path, [k / (FRAMES - 1) for k in range(FRAMES)])]
    return there + there[-2::-1]


def _picture(frame: Tensor, grid: int) -> Film:
    """uint8 [h, w, 3] of a packed frame: every pixel `grid` times along both sides, and the last ones once more where they are odd."""
    shown = np.ascontiguousarray(packed_levels(frame).cpu().numpy().repeat(grid, 0).repeat(grid, 1))
    return np.pad(shown, ((0, shown.shape[0] % 2), (0, shown.shape[1] % 2), (0, 0)), mode="edge")


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise ClipError(f"a corruption by a codec {NEEDS_AV}") from None
    return av


def _encode(film: Iterable[Film], codec: str, options: Mapping[str, object], *, bit_rate: int | None = None) -> bytes:
    av, file = _av(), BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream(codec, rate=RATE, options={k: str(v) for k, v in options.items()})
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(film):
            if not number:
                stream.height, stream.width, stream.pix_fmt = picture.shape[0], picture.shape[1], "yuv420p"
                if bit_rate is not None:
                    stream.bit_rate = bit_rate
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return file.getvalue()


def _decode(film: bytes) -> Iterator[Film]:
    """Its pictures."""
    return (picture.to_ndarray(format="rgb24") for picture in _decoding(film))


def _decoded(film: bytes) -> Film:
    """Its last picture; of the others no colours are made, which takes a third of the time."""
    last: Any = None
    for picture in _decoding(film):
        last = picture
    shown: Film = last.to_ndarray(format="rgb24")
    return shown


def _decoding(film: bytes) -> Iterator[Any]:
    """Its pictures as the decoder has them; what cannot be decoded is passed over."""
    av = _av()
    with av.open(BytesIO(film)) as read:
        stream = read.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in read.demux(stream):
            try:
                pictures = packet.decode()
            except av.error.FFmpegError:
                continue
            yield from pictures


def _damaged(film: bytes, gap: int) -> bytes:
    """The film with about every `gap`-th byte of its packets overwritten, chosen by their content alone."""
    av, file = _av(), BytesIO()
    with av.open(BytesIO(film)) as read, av.open(file, "w", format="mp4") as out:
        source = read.streams.video[0]
        target = out.add_stream_from_template(source)
        noise = av.BitStreamFilterContext(f"noise=amount={gap}", source)
        for packet in read.demux(source):
            for each in noise.filter(packet if packet.size else None):
                each.stream = target
                out.mux(each)
    return file.getvalue()
