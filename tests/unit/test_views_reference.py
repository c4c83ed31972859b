"""Our corruptions against imagecorruptions-imaug at 224 pixels: what draws nothing pixel by pixel, what is random in distribution.

The reference draws from numpy's global generator, so only distributions can agree. Frost is in test_views_frost.py.
"""

import numpy as np
import pytest
import torch
from view_pictures import names, pictures

from pytest_clip.views import KINDS, SEVERITIES, corrupt
from pytest_clip.views.edges import canny
from pytest_clip.views.filters import gaussian
from pytest_clip.views.spatter import RELIEF, _shading

reference = pytest.importorskip("imagecorruptions", reason="needs imagecorruptions-imaug (pip install pytest-clip[test])")

# kind -> at most this share of values is one level off (both cut off to whole levels, in float32 and float64); none is further off.
EXACT = {
    "contrast": 0.02,
    "brightness": 0.08,  # 0.2 and 0.4 are whole levels: the last bit decides which of two a value is cut to
    "saturate": 0.25,  # severity 3 doubles S: many results are whole levels, where the last bit of a float64 decides
    "gaussian_blur": 0.01,
    "defocus_blur": 0.06,
    "zoom_blur": 0.01,
    "pixelate": 0.0,
    "jpeg_compression": 0.0,
}
RANDOM = sorted(set(KINDS) - set(EXACT) - {"frost"})
# Tolerances: mean and deviation in levels, power per octave as a log2 ratio; (few images, 200 images).
CLOSE = {"mean": (1.0, 0.3), "deviation": (1.0, 0.3), "octave": (0.25, 0.1)}
WIDER = {
    "fog": {"mean": (25.0, 5.0), "deviation": (8.0, 2.0), "octave": (1.2, 0.35)},  # one map per image decides its mean
    "snow": {"mean": (2.0, 0.5), "deviation": (2.0, 0.5), "octave": (0.3, 0.1)},
    "spatter": {"mean": (3.0, 0.6), "deviation": (2.0, 0.6), "octave": (0.3, 0.1)},
}


def theirs(x, kind, severity):
    np.random.seed(severity)  # the reference knows no other source
    images = [reference.corrupt(image, corruption_name=kind, severity=severity) for image in x.permute(0, 2, 3, 1).numpy()]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def octaves(x):
    """Mean power of the grey images in octaves of frequency: 1-2, 2-4, ... 64-128 waves per picture."""
    grey = x.double().mean(1)
    power = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True)).abs() ** 2
    waves = torch.fft.fftfreq(x.shape[-1]) * x.shape[-1]
    frequency = torch.hypot(waves[:, None], waves)
    return torch.stack([power[:, (frequency >= low) & (frequency < 2 * low)].mean() for low in (1, 2, 4, 8, 16, 32, 64)])


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("kind", EXACT)
def test_kinds_without_chance_agree_pixel_by_pixel(kind, severity):
    x = pictures(2, 224)
    difference = (corrupt(x, kind, severity, names(2)).int() - theirs(x, kind, severity).int()).abs()
    assert difference.max() <= (1 if EXACT[kind] else 0)
    assert float((difference > 0).float().mean()) <= EXACT[kind]


def compare(kind, severity, n, column):
    x = pictures(n, 224)
    ours, other = corrupt(x, kind, severity, names(n)), theirs(x, kind, severity)
    allowed = {**CLOSE, **WIDER.get(kind, {})}
    for channel in range(3):
        assert abs(float(ours[:, channel].float().mean() - other[:, channel].float().mean())) < allowed["mean"][column]
        assert abs(float(ours[:, channel].float().std() - other[:, channel].float().std())) < allowed["deviation"][column]
    ratio = (octaves(ours) / octaves(other)).log2()
    assert ratio.abs().max() < allowed["octave"][column], ratio


@pytest.mark.parametrize(("kind", "severity"), [*((k, s) for k in RANDOM for s in (1, 5)), ("spatter", 3)])
def test_random_kinds_agree_in_distribution(kind, severity):
    compare(kind, severity, 6, 0)


@pytest.mark.slow
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("kind", RANDOM)
def test_random_kinds_agree_in_distribution_over_200_images(kind, severity):
    compare(kind, severity, 200, 1)


@pytest.mark.parametrize(("kind", "severity", "share"), [("impulse_noise", 5, 0.02), ("shot_noise", 5, 0.02), ("gaussian_noise", 3, 0.02)])
def test_noise_has_the_distribution_of_values_of_the_reference(kind, severity, share):
    x = pictures(4, 224)
    ours, other = corrupt(x, kind, severity, names(4)), theirs(x, kind, severity)
    counts = [torch.bincount(values.flatten().long(), minlength=256).cumsum(0) / values.numel() for values in (ours, other)]
    assert (counts[0] - counts[1]).abs().max() < share


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_edges_are_those_of_opencv(sigma):
    cv2 = pytest.importorskip("cv2")
    noise = gaussian(torch.randn(3, 1, 90, 110, generator=torch.Generator().manual_seed(0)), sigma)
    x = (torch.where(noise < 0.05, 0.0, noise) / noise.max() * 255).clamp(0, 255).floor()
    expected = np.stack([cv2.Canny(image.numpy().astype(np.uint8), 50, 150) > 0 for image in x[:, 0]])
    assert float((canny(x)[:, 0].numpy() != expected).mean()) < 2e-4  # its tan(22.5 degrees) has 15 bits


def test_drops_are_shaded_as_with_opencv():
    cv2 = pytest.importorskip("cv2")
    noise = gaussian(torch.randn(1, 1, 90, 110, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.65, 2.0)
    liquid = (torch.where(noise < 0.68, 0.0, noise) * 255).clamp(0, 255).floor()
    off = 255 - cv2.Canny(liquid[0, 0].numpy().astype(np.uint8), 50, 150)
    far = cv2.blur(cv2.distanceTransform(off, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).clip(max=20), (3, 3))
    lit = cv2.filter2D(cv2.equalizeHist(far.astype(np.uint8)), cv2.CV_8U, np.array(RELIEF))
    assert abs(_shading(liquid)[0, 0].numpy() - cv2.blur(lit, (3, 3))).max() <= 1


def test_the_reference_copies_pixels_in_glass_blur_and_does_not_swap_them():
    """Why ours copies too: after a round of real swaps every pixel would still be there."""
    shuffle = pytest.importorskip("imagecorruptions.corruptions")._shuffle_pixels_njit_glass_blur
    x = np.arange(32 * 32 * 3, dtype=np.int64).reshape(32, 32, 3)
    assert len(np.unique(shuffle(32, 32, x.copy(), (1, 2, 1), 3))) < 0.7 * x.size
