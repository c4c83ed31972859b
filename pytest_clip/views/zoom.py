"""The blur of zooming in while the shutter is open."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import scipy.sparse
import torch
from torch import Generator, Tensor

from .grid import each_image, whole
from .resampling import clipped_zoom

ZOOM = ((12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03))  # number of enlargements from 1 on, step
LARGEST = 400 * 400  # pixels for which a matrix is kept; it has 60 MB then
GROUP = 4  # images taken together: always as many, so that the arithmetic of an image does not depend on them


def zoom_blur(x: Tensor, level: int, each: Sequence[Generator]) -> Tensor:
    """The mean of the image (twice) and its enlargements, the first of which is by 1."""
    if x.device.type != "cpu" or x[0, 0].numel() > LARGEST:
        x = x.float().div_(255) if x.dtype == torch.uint8 else x
        return each_image(lambda image: _enlargements(image, level), x)
    height, width = x.shape[-2:]
    mixture = _mixture(level, height, width)
    out = []
    for group in torch.split(x, GROUP):
        images = torch.cat((group, group.new_zeros(GROUP - len(group), *group.shape[1:]))) if len(group) < GROUP else group
        mixed = mixture(_turned(images.view(3 * GROUP, height * width)).float())
        mixed = whole(mixed, means=True) if x.dtype == torch.uint8 else mixed
        out.append(_turned(mixed).view(GROUP, 3, height, width)[: len(group)])
    return torch.cat(out)


def _turned(x: Tensor) -> Tensor:
    """The transpose, in NumPy, where it takes a fifth of torch's time for such long, narrow ones."""
    return torch.from_numpy(np.ascontiguousarray(x.numpy().T))


def _enlargements(image: Tensor, level: int) -> Tensor:
    (count, step), (height, width) = ZOOM[level], image.shape[-2:]
    total = 2 * image
    for k in range(1, count):
        total += clipped_zoom(image, 1 + k * step)[:, :height, :width]
    return total / (count + 1)


@lru_cache(maxsize=2)
def _mixture(level: int, height: int, width: int) -> Callable[[Tensor], Tensor]:
    """Product with a sparse matrix: the parts that 22 to 35 pixels (at 224) of the image have in every pixel of the result.

    Takes a fifth of the time of the enlargements one by one. 9 to 15 MB, made in a quarter of a second.
    """
    count, step = ZOOM[level]
    total = 2 * scipy.sparse.identity(height * width, dtype=np.float64, format="csr")
    for k in range(1, count):
        total = total + scipy.sparse.kron(*(_enlarging(n, 1 + k * step) for n in (height, width)), format="csr")
    total = (total / (count + 1)).astype(np.float32)
    total.sum_duplicates()
    if not torch.backends.mkl.is_available():  # type: ignore[no-untyped-call]  # torch knows no such product then
        return lambda pixels: torch.from_numpy(total @ pixels.numpy())
    rows, columns = (torch.from_numpy(part.astype(np.int32)) for part in (total.indptr, total.indices))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        matrix = torch.sparse_csr_tensor(rows, columns, torch.from_numpy(total.data), total.shape, check_invariants=False)
    return lambda pixels: matrix @ pixels


def _enlarging(n: int, factor: float) -> scipy.sparse.csr_matrix:
    """[n, n]: `clipped_zoom` along one axis."""
    middle = math.ceil(n / factor)
    read = np.arange(n) * ((middle - 1) / (round(middle * factor) - 1))
    left = np.minimum(np.floor(read).astype(int), middle - 1)
    right, part = np.minimum(left + 1, middle - 1), read - left
    columns = np.concatenate((left, right)) + (n - middle) // 2
    return scipy.sparse.csr_matrix((np.concatenate((1 - part, part)), (np.tile(np.arange(n), 2), columns)), shape=(n, n))
