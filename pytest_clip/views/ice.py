"""Made pictures of ice, from figures that were measured on the reference's photographs; no picture is shipped or read.

Some thirty numbers describe a photograph of frost: how grey values are distributed, how its power falls with frequency, and how colours go
with grey. Clouds with crystals drawn into them are given this power and these values in turn; nothing else is taken of the photograph. The
numbers were fitted: 224-pixel crops of a made picture have the mean and the power by octave of crops of the photograph (within 1 %).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Generator, Tensor

from .grid import REFERENCE

SIDE = 512  # of a made picture
TURNS = 3  # of power and values; the figures are fitted to what three leave behind
BINS = 4096  # of values, so that nothing is sorted
FERNS, BARBS, BEND = 70, 20, math.radians(56)  # of crystals: how many, barbs on a side, their angle with the stem

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
    """of grey at SHARES; what lies above 1 is cut off"""
    powers: tuple[float, ...]
    """log2 of the power of grey at KNOTS, against that at 4 waves"""


LOOKS = (
    Look(
        seed=0, colour=(0.302, 0.580, 0.644), tint=(1.367, 0.901, 0.732), hue=(-0.042, 0.012, 0.031),
        levels=(0.285, 0.376, 0.408, 0.453, 0.488, 0.527, 0.588, 0.633, 0.806),
        powers=(8.41, 0.00, -1.38, -3.18, -4.08, -4.18, -5.16, -7.62, -11.72),
    ),
    Look(
        seed=1, colour=(0.776, 0.793, 0.829), tint=(0.970, 1.005, 1.025), hue=(0.000, 0.000, 0.000),
        levels=(0.164, 0.537, 0.635, 0.749, 0.807, 0.852, 0.907, 0.938, 1.013),
        powers=(7.15, 0.00, -0.73, -2.02, -4.34, -4.86, -6.05, -8.71, -12.67),
    ),
    Look(
        seed=3, colour=(0.566, 0.624, 0.674), tint=(0.984, 0.985, 1.031), hue=(0.000, 0.000, 0.000),
        levels=(0.103, 0.338, 0.441, 0.552, 0.610, 0.665, 0.757, 0.856, 0.980),
        powers=(7.23, 0.00, 0.54, -0.90, -2.12, -2.92, -3.72, -6.54, -10.12),
    ),
    Look(
        seed=4, colour=(0.397, 0.442, 0.488), tint=(1.031, 1.004, 0.965), hue=(0.000, 0.000, 0.000),
        levels=(0.006, 0.169, 0.240, 0.355, 0.440, 0.531, 0.679, 0.795, 1.014),
        powers=(3.98, 0.00, -1.86, -3.76, -5.51, -6.31, -7.55, -9.07, -11.29),
    ),
    Look(
        seed=5, colour=(0.270, 0.349, 0.378), tint=(0.835, 1.031, 1.134), hue=(-0.025, -0.005, 0.030),
        levels=(0.026, 0.051, 0.112, 0.230, 0.344, 0.466, 0.628, 0.741, 1.063),
        powers=(6.29, 0.00, -2.20, -3.83, -4.99, -6.23, -7.06, -9.63, -12.45),
    ),
)  # fmt: skip


THREADS = 2
"""Transforms and sums of other numbers of threads round 80 to 470 of the 786,432 values of a picture to the next one."""


@lru_cache(maxsize=len(LOOKS))
def picture(look: int) -> Tensor:
    """uint8 [3, 512, 512] in the look of that number, always the same. Its borders fit each other. 60 ms."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        return _drawn(LOOKS[look])
    finally:
        torch.set_num_threads(before)


def _drawn(like: Look) -> Tensor:
    generator = Generator().manual_seed(like.seed)
    light = grey(like, generator)
    other = _falling(2.5, generator)
    colour, tint, hue = (torch.tensor(v)[:, None, None] for v in (like.colour, like.tint, like.hue))
    ice = colour + tint * (light - light.mean()) + hue * _standard(other)
    return (ice.clamp(0, 1) * 255).round().to(torch.uint8)


def grey(like: Look, generator: Generator) -> Tensor:
    """[512, 512]: clouds for the slow waves and crystals for the fast ones, in the powers and levels of a look."""
    field = _standard(_falling(1.8, generator)) + _standard(crystals(generator))
    waves = _waves()
    power = torch.exp2(_between(waves.clamp(KNOTS[0], KNOTS[-1]).log2(), torch.tensor(KNOTS).log2(), torch.tensor(like.powers)))
    power[0, 0] = 0
    for _ in range(TURNS):
        field = _with_values(_with_power(field, power), torch.tensor(like.levels))
    return field


def crystals(generator: Generator) -> Tensor:
    """[512, 512], 1 on the lines of ice ferns: stems at random with barbs on both sides, shorter towards the tip; 0 elsewhere."""
    roots = torch.rand(FERNS, 2, generator=generator) * SIDE
    turn, size = torch.rand(2, FERNS, generator=generator)
    turn, size = 2 * math.pi * turn, 70 + 130 * size
    along = torch.linspace(0.05, 0.95, BARBS)
    knots = roots[:, None] + along[:, None] * (size[:, None] * _ahead(turn))[:, None]
    length = 0.3 * size[:, None] * (1 - along)
    lines = [_line(roots, turn, size, steps=192)]
    lines += [_line(knots, (turn + side * BEND)[:, None].expand(-1, BARBS), length, steps=48) for side in (-1, 1)]
    points = torch.cat([line.reshape(-1, 2) for line in lines]).round().long() % SIDE
    drawn = torch.zeros(SIDE, SIDE)
    drawn[points[:, 0], points[:, 1]] = 1
    return drawn


def _line(start: Tensor, turn: Tensor, length: Tensor, *, steps: int) -> Tensor:
    """[..., steps, 2] points of lines that start at [..., 2] and go where `turn` [...] says."""
    return start[..., None, :] + torch.linspace(0, 1, steps)[:, None] * (length[..., None] * _ahead(turn))[..., None, :]


def _ahead(turn: Tensor) -> Tensor:
    return torch.stack((turn.sin(), turn.cos()), -1)


def _waves() -> Tensor:
    """[512, 257] frequencies of a picture's Fourier transform, in waves per 224 pixels."""
    return torch.hypot(torch.fft.fftfreq(SIDE)[:, None], torch.fft.rfftfreq(SIDE).expand(SIDE, -1)) * REFERENCE


def _falling(fall: float, generator: Generator) -> Tensor:
    """[512, 512] noise whose power goes with frequency^-fall."""
    waves = _waves()
    field: Tensor = torch.fft.irfft2(
        torch.fft.rfft2(torch.randn(SIDE, SIDE, generator=generator)) * torch.where(waves >= 0.5, waves.clamp(min=1) ** (-fall / 2), 0.0)
    )
    return field


def _with_power(field: Tensor, power: Tensor) -> Tensor:
    """Its phases, with the mean power of each ring of frequencies brought to `power`, all [512, 257]."""
    waves, rings = torch.fft.rfft2(field), (_waves() * SIDE / REFERENCE).round().long()
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
