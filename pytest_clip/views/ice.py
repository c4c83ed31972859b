"""Made pictures of ice, from figures that were measured on the reference's photographs; no picture is shipped or read.

Some thirty numbers describe a photograph of frost: how grey values are distributed, how its power falls with frequency, and how colours go
with grey. A random field is given these values and this power in turn until it has both; it has nothing else of the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor

from .filters import REFERENCE

SIDE = 512  # of a made picture
TURNS = 3  # of power and values: after the third, power is within 2 % of what a fourth would give
BINS = 4096  # of values, so that nothing is sorted

SHARES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)  # of pixels at or below a level
KNOTS = (1, 4, 8, 16, 32, 45, 64, 90, 128)  # waves per 224 pixels


@dataclass(frozen=True)
class Look:
    """Figures of one photograph, in crops of 224 pixels of it."""

    seed: int
    """of the field; crops of another one have another mean and other slow waves, by a few percent"""
    colour: tuple[float, ...]
    """mean red, green, blue"""
    tint: tuple[float, ...]
    """by how much each of them rises when grey rises by 1"""
    hue: tuple[float, ...]
    """one deviation of what does not go with grey"""
    levels: tuple[float, ...]
    """of grey at SHARES; below 0 and above 1 is cut off"""
    powers: tuple[float, ...]
    """log2 of the power of grey at KNOTS, against that at 4 waves"""


LOOKS = (
    Look(
        seed=0, colour=(0.302, 0.580, 0.644), tint=(1.367, 0.901, 0.732), hue=(-0.042, 0.012, 0.031),
        levels=(0.314, 0.397, 0.426, 0.468, 0.500, 0.535, 0.592, 0.633, 0.791),
        powers=(6.15, 0.00, -2.88, -4.34, -5.06, -5.34, -6.22, -8.59, -12.49),
    ),
    Look(
        seed=1, colour=(0.776, 0.793, 0.829), tint=(0.970, 1.005, 1.025), hue=(0.000, 0.000, 0.000),
        levels=(0.219, 0.560, 0.650, 0.755, 0.808, 0.850, 0.900, 0.928, 0.997),
        powers=(5.34, 0.00, -1.73, -2.99, -5.12, -5.80, -6.91, -9.52, -13.65),
    ),
    Look(
        seed=3, colour=(0.566, 0.624, 0.674), tint=(0.984, 0.985, 1.031), hue=(0.000, 0.000, 0.000),
        levels=(0.105, 0.342, 0.444, 0.555, 0.614, 0.670, 0.762, 0.861, 0.985),
        powers=(6.40, 0.00, 0.14, -1.50, -2.62, -3.33, -4.37, -6.88, -10.62),
    ),
    Look(
        seed=4, colour=(0.397, 0.442, 0.488), tint=(1.031, 1.004, 0.965), hue=(0.000, 0.000, 0.000),
        levels=(0.012, 0.169, 0.238, 0.349, 0.431, 0.519, 0.663, 0.775, 0.987),
        powers=(2.84, 0.00, -2.29, -4.28, -6.01, -7.03, -8.08, -9.65, -11.93),
    ),
    Look(
        seed=5, colour=(0.270, 0.349, 0.378), tint=(0.835, 1.031, 1.134), hue=(-0.025, -0.005, 0.030),
        levels=(0.023, 0.046, 0.102, 0.209, 0.312, 0.423, 0.571, 0.674, 0.967),
        powers=(5.86, 0.00, -2.52, -3.95, -5.47, -6.37, -7.67, -10.07, -13.06),
    ),
)  # fmt: skip


@lru_cache(maxsize=len(LOOKS))
def picture(look: int) -> Tensor:
    """uint8 [3, 512, 512] in the look of that number, always the same. Its borders fit each other. 0.1 s."""
    like = LOOKS[look]
    noise = torch.randn(3, SIDE, SIDE, generator=Generator().manual_seed(like.seed))
    waves = torch.hypot(torch.fft.fftfreq(SIDE)[:, None], torch.fft.rfftfreq(SIDE).expand(SIDE, -1)) * REFERENCE
    fall = torch.tensor([-0.9, -0.9, -1.25])[:, None, None]
    clouds, ridges, hue = torch.fft.irfft2(torch.fft.rfft2(noise) * torch.where(waves >= 0.5, waves.clamp(min=1) ** fall, 0.0))
    grey = _standard(clouds) + _standard(-_standard(ridges).abs().sqrt())  # ridges: lines, where the field changes its sign
    power = torch.exp2(_between(waves.clamp(KNOTS[0], KNOTS[-1]).log2(), torch.tensor(KNOTS).log2(), torch.tensor(like.powers)))
    power[0, 0] = 0
    rings = (waves * SIDE / REFERENCE).round().long()
    for _ in range(TURNS):
        grey = _with_values(_with_power(grey, power, rings), torch.tensor(like.levels))
    colour, tint, other = (torch.tensor(v)[:, None, None] for v in (like.colour, like.tint, like.hue))
    ice = colour + tint * (grey - grey.mean()) + other * _standard(hue)
    return (ice.clamp(0, 1) * 255).round().to(torch.uint8)


def _with_power(field: Tensor, power: Tensor, rings: Tensor) -> Tensor:
    """Its phases, with the mean power of each ring of frequencies brought to `power`, all [512, 257]."""
    waves = torch.fft.rfft2(field)
    total = torch.bincount(rings.flatten(), (waves.real.square() + waves.imag.square()).flatten())
    mean = total / torch.bincount(rings.flatten())
    shaped: Tensor = torch.fft.irfft2(waves * (power.sqrt() * mean.clamp(min=1e-12).rsqrt()[rings]))
    return shaped


def _with_values(field: Tensor, levels: Tensor) -> Tensor:
    """Its order of pixels, with the values of `levels` at SHARES."""
    low, high = field.min(), field.max()
    bins = ((field - low) * ((BINS - 1) / (high - low))).long()
    count = torch.bincount(bins.flatten(), minlength=BINS)
    share = (count.cumsum(0) - count / 2) / count.sum()
    return _between(share, torch.tensor(SHARES), levels)[bins]


def _between(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Straight lines from (knot, value) to the next."""
    at = torch.bucketize(x, knots[1:-1])
    return values[at] + (x - knots[at]) / (knots[at + 1] - knots[at]) * (values[at + 1] - values[at])


def _standard(field: Tensor) -> Tensor:
    return (field - field.mean()) / field.std()
