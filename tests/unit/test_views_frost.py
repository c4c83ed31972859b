"""Made frost against the reference's photographs: what they do to the spectrum, the mean and the contrast of photographs.

The figures are those of `benchmarks/frost.py --alike`, written here once more: both sides take each of the six pictures equally often, so
that the drawing of a picture (they differ twofold in brightness and sixfold in fine grain) is no part of the difference.
"""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from view_pictures import names, pictures

from pytest_clip.views import SEVERITIES, corrupt, ice
from pytest_clip.views.frost import PHOTOGRAPHS
from pytest_clip.views.seeds import draw, generators

reference = pytest.importorskip("imagecorruptions", reason="needs imagecorruptions-imaug (pip install pytest-clip[test])")
samples = pytest.importorskip("skimage.data", reason="needs scikit-image (pip install pytest-clip[test])")

SIDE = 224
BANDS = (1, 4, 8, 16, 32, 64, 128)
"""Octaves, the first two as one: the eight waves of the first scatter by 3 % over 180 draws."""
ALLOWED = 0.05


def photograph(name: str) -> Tensor:
    """uint8 [3, 224, 224], resized and cropped as a model does it."""
    picture = Image.fromarray(getattr(samples, name)())
    wide, high = (round(length * 256 / min(picture.size)) for length in picture.size)
    left, top = (wide - SIDE) // 2, (high - SIDE) // 2
    cut = picture.resize((wide, high), Image.Resampling.BICUBIC).crop((left, top, left + SIDE, top + SIDE))
    return torch.from_numpy(np.array(cut)).permute(2, 0, 1)


def figures(images: Tensor) -> np.ndarray:
    """Mean power between BANDS (waves per picture), mean, and mean deviation of grey images."""
    grey = images.double().mean(1) / 255
    power = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs().square().mean(0)
    waves = torch.fft.fftfreq(SIDE) * SIDE
    frequency = torch.hypot(waves[:, None], waves)
    bands = [power[(frequency >= low) & (frequency < high)].mean() for low, high in pairwise(BANDS)]
    return np.array([*bands, grey.mean(), grey.std((1, 2)).mean()])


def look(severity: int, name: str) -> int:
    return int(draw(torch.rand, (3,), generators("frost", severity, [name], torch.device("cpu")))[0, 0] * len(PHOTOGRAPHS))


def look_of_theirs(seed: int) -> int:
    np.random.seed(seed)
    return int(np.random.randint(len(PHOTOGRAPHS)))


def theirs(image: Tensor, severity: int, seed: int) -> Tensor:
    np.random.seed(seed)
    made = reference.corrupt(image.permute(1, 2, 0).numpy(), corruption_name="frost", severity=severity)
    return torch.from_numpy(made).permute(2, 0, 1)


def compare(severity: int, each: int) -> np.ndarray:
    """Ours over theirs, `each` draws of every picture on every photograph."""
    photographs = [photograph(name) for name in ("astronaut", "coffee", "chelsea")]
    ours, real = [], []
    for picture in range(len(PHOTOGRAPHS)):
        ids = [f"frost/{k}" for k in range(200 * each) if look(severity, f"frost/{k}") == picture]
        seeds = [k for k in range(200 * each) if look_of_theirs(k) == picture]
        for k in range(3 * each):
            ours.append(corrupt(photographs[k % 3][None], "frost", severity, [ids[k]])[0])
            real.append(theirs(photographs[k % 3], severity, seeds[k]))
    return figures(torch.stack(ours)) / figures(torch.stack(real))


def test_frost_has_the_spectrum_mean_and_contrast_of_the_photographs():
    ratio = compare(1, 4)
    assert abs(ratio - 1).max() < ALLOWED, ratio.round(3)


@pytest.mark.slow
@pytest.mark.parametrize("severity", SEVERITIES)
def test_frost_has_the_spectrum_mean_and_contrast_of_the_photographs_over_180_draws(severity):
    ratio = compare(severity, 10)
    assert abs(ratio - 1).max() < ALLOWED, ratio.round(3)


@pytest.mark.slow
def test_frost_alone_has_the_light_and_grain_of_the_photographs_in_every_channel():
    """On black pictures nothing is cut off and nothing else is there: the frost itself, colour by colour."""
    black = torch.zeros(3, SIDE, SIDE, dtype=torch.uint8)
    for picture in range(len(PHOTOGRAPHS)):
        ids = [f"frost/{k}" for k in range(400) if look(3, f"frost/{k}") == picture][:30]
        seeds = [k for k in range(400) if look_of_theirs(k) == picture][:30]
        ours = torch.cat([corrupt(black[None], "frost", 3, [name]) for name in ids]).double()
        real = torch.stack([theirs(black, 3, seed) for seed in seeds]).double()
        # Which part of a photograph is drawn decides light and grain of an image, so no fixed share is allowed: four standard errors.
        light = [side.mean((2, 3)).numpy() for side in (ours, real)]
        grain = [np.array([figures(image[None])[3:6] for image in side]) for side in (ours, real)]
        for made, photographed in (light, grain):
            error = np.sqrt(made.var(0, ddof=1) / len(made) + photographed.var(0, ddof=1) / len(photographed))
            assert (abs(made.mean(0) - photographed.mean(0)) < 4 * error).all()


def test_made_pictures_go_on_beyond_their_borders():
    for number in range(len(ice.LOOKS)):
        made = ice.picture(number).float()
        inside = (made[:, 1:] - made[:, :-1]).abs().mean()
        assert (made[:, 0] - made[:, -1]).abs().mean() < 1.3 * inside
        assert torch.equal(ice.picture.__wrapped__(number), ice.picture(number))


def test_every_look_is_drawn_and_two_photographs_are_one():
    assert sorted(set(PHOTOGRAPHS)) == list(range(len(ice.LOOKS)))
    drawn = [look(3, name) for name in names(600)]
    assert min(drawn.count(number) for number in range(6)) > 70  # 100 expected, 9 the deviation
    x = pictures(1, 64)
    assert not torch.equal(corrupt(x, "frost", 3, ["a"]), corrupt(x, "frost", 3, ["b"]))


@pytest.mark.parametrize("threads", [1, 3])
def test_made_pictures_do_not_depend_on_the_threads(threads):
    before, made = torch.get_num_threads(), ice.picture.__wrapped__(0)
    try:
        torch.set_num_threads(threads)
        assert torch.equal(ice.picture.__wrapped__(0), made)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
