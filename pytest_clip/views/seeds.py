"""One random generator per image, seeded by what the image is and what is done to it - never by its place in a batch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Generator, Tensor


def seed(kind: str, severity: int, image_id: str) -> int:
    """63 bits of a hash of the three names; stable over processes, machines and Python versions."""
    name = "\0".join(("pytest-clip view", kind, str(severity), image_id))
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def generators(kind: str, severity: int, ids: Sequence[str], device: torch.device) -> list[Generator]:
    """The generators of a batch, in the order of its images."""
    out = []
    for image_id in ids:
        generator = Generator(device=device)
        # A Mersenne twister takes 32 bits of its seed: fold, so that all 63 count.
        value = seed(kind, severity, image_id)
        generator.manual_seed((value ^ (value >> 31)) & 0xFFFFFFFF)
        out.append(generator)
    return out


def draw(sample: Callable[..., Tensor], shape: tuple[int, ...], each: Sequence[Generator]) -> Tensor:
    """`sample` (torch.rand or torch.randn) of one shape per generator, stacked: [n, *shape]."""
    return torch.stack([sample(shape, generator=generator, device=generator.device) for generator in each])


def uniform(low: float, high: float, each: Sequence[Generator]) -> list[float]:
    """One number per generator, on the host."""
    numbers = draw(torch.rand, (1,), each).flatten().tolist()
    return [low + (high - low) * float(number) for number in numbers]


def bits(shape: tuple[int, ...], each: Sequence[Generator]) -> Tensor:
    """int16 [n, *shape], all 65536 values alike. On a CPU seven times as fast as as many floats of torch's Mersenne twister."""
    if each[0].device.type != "cpu":
        return torch.stack([torch.randint(-(2**15), 2**15, shape, dtype=torch.int16, generator=g, device=g.device) for g in each])
    if len(each) == 1:
        return _bits(shape, each[0])[None]
    return torch.stack([_bits(shape, generator) for generator in each])


def _bits(shape: tuple[int, ...], generator: Generator) -> Tensor:
    count = math.prod(shape)
    stream = np.random.SFC64(int(torch.empty(1, dtype=torch.int64).random_(generator=generator)))
    return torch.from_numpy(stream.random_raw(-(-count // 4)).view(np.int16)[:count]).view(shape)


def places(numbers: Tensor) -> Tensor:
    """int32 in 0..65535 of `bits`: places in a table of 65536."""
    return numbers.int().add_(2**15)


def normal(shape: tuple[int, ...], each: Sequence[Generator]) -> Tensor:
    """float32 [n, *shape]: each one of 65536 quantiles of N(0, 1), from -4.3 to 4.3."""
    at = places(bits(shape, each))
    return quantiles().to(at.device).index_select(0, at.flatten()).view_as(at)


@lru_cache(maxsize=1)
def quantiles() -> Tensor:
    """float32 [65536] of the standard normal distribution, in order."""
    table: Tensor = torch.special.ndtri((torch.arange(2**16, dtype=torch.float64) + 0.5) / 2**16)
    return table.float()
