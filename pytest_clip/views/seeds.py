"""One random generator per image, seeded by what the image is and what is done to it - never by its place in a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

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
