"""Corruptions on pictures small or plain enough to work out by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from view_pictures import names, pictures

from pytest_clip.views import SEVERITIES, corrupt
from pytest_clip.views.blur import DEFOCUS, _disk, _disk_means, _smooth_disk
from pytest_clip.views.edges import canny, distance
from pytest_clip.views.filters import correlate, gaussian, motion
from pytest_clip.views.glass import _copied_from
from pytest_clip.views.noise import poisson
from pytest_clip.views.resampling import clipped_zoom
from pytest_clip.views.seeds import bits, generators, normal, places
from pytest_clip.views.spatter import _equalise
from pytest_clip.views.weather import _rounds, plasma
from pytest_clip.views.zoom import _enlargements, zoom_blur


def plain(*colour):
    return torch.tensor(colour, dtype=torch.float32)[None, :, None, None].expand(1, 3, 32, 32).clone()


def pixel(kind, severity, *colour):
    return corrupt(plain(*colour), kind, severity, ["a"])[0, :, 5, 7].tolist()


@pytest.mark.parametrize(
    ("severity", "colour", "expected"),
    [
        (1, (0.5, 0.25, 0.0), (0.6, 0.3, 0.0)),  # V .5 -> .6: all three times 1.2
        (5, (0.2, 0.1, 0.1), (0.7, 0.35, 0.35)),
        (5, (0.8, 0.4, 0.2), (1.0, 0.5, 0.25)),  # V stops at 1, hue and saturation stay
        (3, (0.0, 0.0, 0.0), (0.3, 0.3, 0.3)),  # black has no hue
    ],
)
def test_brightness_raises_v_of_hsv(severity, colour, expected):
    assert pixel("brightness", severity, *colour) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("severity", "colour", "expected"),
    [
        (1, (0.8, 0.4, 0.6), (0.8, 0.68, 0.74)),  # S .5 -> .15
        (3, (0.8, 0.6, 0.7), (0.8, 0.4, 0.6)),  # S .25 -> .5
        (4, (0.5, 0.5, 0.5), (0.5, 0.45, 0.45)),  # grey counts as red: S 0 -> .1
        (5, (0.2, 0.4, 0.4), (0.0, 0.4, 0.4)),  # S stops at 1
        (5, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    ],
)
def test_saturate_scales_s_of_hsv(severity, colour, expected):
    assert pixel("saturate", severity, *colour) == pytest.approx(expected, abs=1e-6)


def test_contrast_shrinks_towards_the_mean_of_each_channel():
    x = torch.zeros(1, 3, 32, 32)
    x[0, 0, :16] = 1.0  # mean 1/2
    x[0, 1, :8] = 0.8  # mean 1/5
    out = corrupt(x, "contrast", 4, ["a"])[0]
    assert out[:, 0, 0].tolist() == pytest.approx([0.5 + 0.05, 0.2 + 0.06, 0.0], abs=1e-6)
    assert out[:, 31, 0].tolist() == pytest.approx([0.5 - 0.05, 0.2 - 0.02, 0.0], abs=1e-6)


def test_pixelate_shows_the_mean_of_each_block():
    x = torch.zeros(1, 3, 64, 64)
    x[0, 0, 4:8, 8:10] = 1.0  # half of block (1, 2) at a quarter of the size
    out = corrupt(x, "pixelate", 5, ["a"])[0, 0]
    assert out[4:8, 8:12].unique().tolist() == pytest.approx([128 / 255])
    assert float(out.sum()) == pytest.approx(16 * 128 / 255)


def test_pixelate_blocks_of_uneven_width():
    # 32 -> 19 at severity 1: box 0 is 0..1.68 and takes the pixels whose centres .5 and 1.5 lie in it, box 1 (1.68..3.37) takes 2.5
    x = torch.zeros(1, 3, 32, 32)
    x[..., 1] = 1.0
    out = corrupt(x, "pixelate", 1, ["a"])[0, 0, 0]
    assert out[:4].tolist() == pytest.approx([128 / 255, 128 / 255, 0.0, 0.0])


def test_shot_noise_counts_photons():
    out = corrupt(plain(0.5, 0.5, 0.5).repeat(1, 1, 4, 4), "shot_noise", 5, ["a"])
    photons = out * 3
    assert torch.allclose(photons, photons.round(), atol=1e-6)
    assert float((out == 0).float().mean()) == pytest.approx(math.exp(-1.5), abs=0.01)


def test_impulse_noise_replaces_its_share_half_by_white():
    x = plain(0.5, 0.5, 0.5).repeat(1, 1, 8, 8)
    out = corrupt(x, "impulse_noise", 5, ["a"])
    assert float((out == 1).float().mean()) == pytest.approx(0.135, abs=0.005)
    assert float((out == 0).float().mean()) == pytest.approx(0.135, abs=0.005)
    assert float((out == 0.5).float().mean()) == pytest.approx(0.73, abs=0.005)
    replaced = (out != 0.5).float().mean((0, 2, 3))
    assert replaced.tolist() == pytest.approx([0.27] * 3, abs=0.01)
    assert float((out != 0.5).all(1).float().mean()) < 0.03  # channels on their own: .27 ** 3, not .27


def test_gaussian_and_speckle_noise_have_the_published_deviation():
    x = plain(0.4, 0.5, 0.6).repeat(1, 1, 8, 8)
    assert (corrupt(x, "gaussian_noise", 1, ["a"]) - x).std((0, 2, 3)).tolist() == pytest.approx([0.08] * 3, rel=0.02)
    assert (corrupt(x, "speckle_noise", 1, ["a"]) - x).std((0, 2, 3)).tolist() == pytest.approx([0.06, 0.075, 0.09], rel=0.02)


@pytest.mark.parametrize("kind", ["gaussian_blur", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "elastic_transform"])
@pytest.mark.parametrize("size", [40, 224])
def test_blurs_and_warps_leave_a_plain_picture_alone(kind, size):
    x = torch.full((1, 3, size, size), 0.4)
    if (kind, size) == ("defocus_blur", 224):
        x = x / 1.0107857735871488  # see the test of the disks
    out = corrupt(x, kind, 5, ["a"])
    level = 0.5 / 255 if kind == "glass_blur" else 0  # cut off to whole levels half-way; 0.4 is one
    assert torch.allclose(out, torch.full_like(x, 0.4), atol=1e-5 + level)


@pytest.mark.parametrize("kind", ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "elastic_transform"])
@pytest.mark.parametrize("size", [48, 224])
def test_means_of_white_bytes_are_white(kind, size):
    x = torch.full((1, 3, size, size), 255, dtype=torch.uint8)  # these means are not clamped: 256 would come out as 0
    for severity in SEVERITIES:
        assert corrupt(x, kind, severity, ["a"]).min() == 255


@pytest.mark.parametrize("kind", ["gaussian_blur", "defocus_blur"])
def test_a_point_spreads_into_a_symmetric_spot_of_the_same_light(kind):
    x = torch.zeros(1, 3, 225, 225)
    x[..., 112, 112] = 1.0
    spot = corrupt(x, kind, 4, ["a"])[0, 0]
    assert float(spot.sum()) == pytest.approx(1, abs=1e-4)
    for turned in (spot.flip(0), spot.flip(1), spot.T):
        assert torch.allclose(spot, turned, atol=1e-7)


def test_blur_lengths_follow_the_size_of_the_image():
    for kind, expected in (("gaussian_blur", 6.0), ("defocus_blur", 10 / 2)):  # a disk of radius r has the deviation r / 2 along an axis
        for size in (113, 225, 449):
            x = torch.zeros(1, 3, size, size)
            x[..., size // 2, size // 2] = 1.0
            profile = corrupt(x, kind, 5, ["a"])[0, 0].double().sum(0)
            offsets = torch.arange(size) - size // 2
            deviation = float((profile * offsets**2).sum().sqrt())
            assert deviation == pytest.approx(expected * size / 224, rel=0.04)


def test_disks_agree_where_both_apply():
    # The published disks of radius 8 and 10 touch their array's edge, and softening the rim with a mirrored border adds light: 1 %.
    for radius, rim, light in ((3, 0.1, 1), (4, 0.5, 1), (6, 0.5, 1), (8, 0.5, 1.0129754695), (10, 0.5, 1.0107857736)):
        published, smooth = _disk(radius, rim), _smooth_disk(float(radius))
        assert float(published.sum()) == pytest.approx(light)
        assert float(smooth.sum()) == pytest.approx(1)
        assert float(published.max()) == pytest.approx(float(smooth.max()), rel=0.1)


def test_motion_blur_smears_one_way():
    x = torch.zeros(1, 9, 41)
    x[0, 4, 20] = 1.0
    out = motion(x, 5, 2.0, 0.0)[0]
    assert float(out.sum()) == pytest.approx(1)
    row = out[4]
    assert row[21:].sum() == 0  # reads to the right, so the light goes to the left
    assert row[10:21].argmax() == 10
    assert float(row[19] / row[20]) == pytest.approx(math.exp(-1 / 8))
    column = motion(x, 2, 2.0, 90.0)[0, :, 20]
    assert float(column.sum()) == pytest.approx(1)
    assert (column > 0).tolist() == [True] * 5 + [False] * 4


def test_gaussian_borders():
    ramp = torch.tensor([[[1.0, 2.0, 4.0, 8.0]]])
    weights = [math.exp(-0.5 * k * k) for k in (1, 0, 1)]
    left, middle, right = (w / sum(weights) for w in weights)
    out = gaussian(ramp[None], 1.0, truncate=1.0)[0, 0, 0].tolist()
    assert out[0] == pytest.approx(left * 1 + middle * 1 + right * 2)
    assert out[3] == pytest.approx(left * 4 + middle * 8 + right * 8)
    scipy = pytest.importorskip("scipy.ndimage")
    x = pictures(1, 40, 56)[0].double().numpy()
    for border, sigma, truncate in (("nearest", 3.0, 4.0), ("reflect", 2.24, 3.0), ("reflect", 30.0, 4.0)):
        expected = scipy.gaussian_filter(x, (0, sigma, sigma), mode=border, truncate=truncate)
        got = gaussian(torch.tensor(x, dtype=torch.float32)[None], sigma, truncate=truncate, border=border)[0]
        assert abs(got.numpy() - expected).max() < 1e-3


@pytest.mark.parametrize("level", [0, 4])
def test_zoom_blur_as_one_product_is_the_mean_of_the_enlargements(level):
    x = pictures(9, 60, 75)  # more than one group
    float_images = x / 255
    got = zoom_blur(float_images, level, [])
    expected = torch.stack([_enlargements(image, level) for image in float_images])
    assert torch.allclose(got, expected, atol=1e-5)
    assert ((zoom_blur(x, level, []).float() - (expected * 255)).abs() < 1.01).all()


def test_random_bits_are_uniform_and_new_at_every_call():
    each = generators("fog", 3, ["a", "b"], torch.device("cpu"))
    first, second = bits((100, 401), each), bits((100, 401), each)
    assert first.dtype == torch.int16
    assert first.shape == (2, 100, 401)
    for other in (second[0], first[1]):
        assert float((first[0] == other).double().mean()) < 1e-3
    for shift in (0, 8):  # of either byte
        counts = torch.bincount((places(first).flatten() >> shift) & 255, minlength=256).double()
        assert float(((counts - counts.mean()) ** 2 / counts.mean()).sum()) < stats.chi2.ppf(0.9999, 255)


def test_normal_numbers_are_normal():
    values = normal((100_000,), generators("snow", 3, ["a"], torch.device("cpu")))[0].double()
    assert stats.kstest(values.numpy(), "norm").pvalue > 1e-4
    assert float(values.std()) == pytest.approx(1, abs=0.01)
    assert float(values.abs().max()) < 4.4


@pytest.mark.parametrize("level", [0, 1, 2])
def test_sums_of_16_bits_are_the_published_disk(level):
    x = pictures(1, 224)
    radius, rim = DEFOCUS[level]
    expected = correlate(x.float(), _disk(radius, rim))[0]
    assert torch.allclose(_disk_means(x[0], radius, rim), expected, atol=2e-3)
    assert torch.allclose(_disk_means(torch.full((3, 40, 50), 255, dtype=torch.uint8), radius, rim), torch.full((3, 40, 50), 255.0))


def test_zoom_by_two_keeps_the_corner_pixels():
    x = torch.arange(16.0).reshape(1, 4, 4)
    out = clipped_zoom(x, 2.0)
    assert out.shape == (1, 4, 4)
    assert [float(out[0, i, j]) for i in (0, 3) for j in (0, 3)] == pytest.approx([5, 6, 9, 10])


def test_glass_copies_from_last_to_first_pixel_as_a_loop_would():
    height, width, reach = 19, 23, 2
    ids, device = ["a", "b"], torch.device("cpu")
    for drawn, g in zip(generators("glass_blur", 2, ids, device), generators("glass_blur", 2, ids, device), strict=True):
        got = _copied_from(height, width, reach, [drawn])
        choice = (places(bits((height, width), [g])[0]).long() * 16) >> 16
        offsets = torch.stack((choice // 4, choice % 4)) - reach
        shown = torch.arange(height * width).reshape(height, width)
        for h in range(height - reach, reach, -1):
            for w in range(width - reach, reach, -1):
                shown[h, w] = shown[h + offsets[0, h, w], w + offsets[1, h, w]]
        assert torch.equal(got, shown.flatten())
        assert not torch.equal(got, torch.arange(height * width))


def test_rounds_of_plasma_are_the_same_in_numpy_and_torch():
    numbers = torch.rand(2, 16 * 16 - 1, generator=torch.Generator().manual_seed(0)) * 2 - 1
    arrays, tensors = _rounds(numbers.numpy(), 16, 2.0), _rounds(numbers, 16, 2.0)
    assert arrays.shape == (2, 17, 17)
    assert np.array_equal(arrays[:, 0], arrays[:, -1])
    assert np.array_equal(arrays[:, :, 0], arrays[:, :, -1])
    assert np.abs(arrays - tensors.numpy()).max() < 1e-2  # of some 10000
    # the first round: the only corner is 0, so the middle of the torus is its own noise, and a side's middle half of that and its noise
    first = numbers[0] * 10000
    assert arrays[0, 8, 8] == pytest.approx(float(first[0]), rel=1e-5)
    assert arrays[0, 8, 0] == pytest.approx(float(first[0] / 2 + first[1]), rel=1e-4)
    assert arrays[0, 0, 8] == pytest.approx(float(first[0] / 2 + first[2]), rel=1e-4)


def test_plasma_is_a_fractal_between_0_and_1():
    map_ = plasma(64, 2.0, generators("fog", 1, names(8), torch.device("cpu")))
    assert map_.amin((1, 2)).tolist() == [0.0] * 8
    assert map_.amax((1, 2)).tolist() == [1.0] * 8
    # decay 2: each octave moves a quarter as far, so neighbours are much closer than far points
    near = (map_[:, :, 1:] - map_[:, :, :-1]).abs().mean()
    far = (map_[:, :, 32:] - map_[:, :, :-32]).abs().mean()
    assert near < 0.2 * far


def test_fog_never_outshines_the_brightest_pixel():
    x = pictures(4, 64) / 255 * 0.5
    out = corrupt(x, "fog", 5, names(4))
    assert (out.amax((1, 2, 3)) <= x.amax((1, 2, 3)) * 1.0001).all()


def test_snow_brightens_grey_as_the_formula_says_where_no_flake_falls():
    out = corrupt(torch.full((1, 3, 224, 224), 0.2), "snow", 1, ["a"])
    assert float(out.min()) == pytest.approx(0.8 * 0.2 + 0.2 * (0.2 * 1.5 + 0.5), abs=1e-5)


def test_mud_shows_its_colour():
    out = corrupt(torch.full((1, 3, 224, 224), 0.9), "spatter", 5, ["a"])[0]
    place = int(out.sum(0).argmin())
    assert out.flatten(1)[:, place].tolist() == pytest.approx([63 / 255, 42 / 255, 20 / 255], abs=0.03)


def test_edges_of_a_square_run_once_around_it():
    x = torch.zeros(1, 1, 20, 20)
    x[0, 0, 5:15, 5:15] = 200.0
    edges = canny(x)[0, 0]
    assert 34 <= int(edges.sum()) <= 44
    assert not edges[7:13, 7:13].any()
    assert not edges[:4].any()


def test_a_weak_edge_counts_only_with_a_strong_one():
    x = torch.zeros(2, 1, 24, 24)
    x[:, 0, :, 12:] = 25.0  # strength 100: between the thresholds
    x[1, 0, :6, 12:] = 200.0
    weak, joined = canny(x).flatten(1).sum(1).tolist()
    assert weak == 0
    assert joined >= 20


def test_distance_to_the_edge():
    edges = torch.zeros(1, 1, 60, 60, dtype=torch.bool)
    edges[0, 0, 10, 10] = True
    far = distance(edges)[0, 0]
    assert far[10, 10] == 0
    assert far[13, 14] == 5
    assert far[59, 59] == 20
    assert far[10, 29] == 19


def test_equalise_by_hand():
    # 8 zeros (lowest level -> 0), 4 ones, 4 threes: 4 of 8 -> 127.5 (even: 128), 8 of 8 -> 255
    levels = torch.tensor([0.0] * 8 + [1.0] * 4 + [3.0] * 4).reshape(1, 4, 4)
    assert _equalise(levels).flatten().tolist() == [0.0] * 8 + [128.0] * 4 + [255.0] * 4
    assert _equalise(torch.full((1, 4, 4), 7.0)).unique().tolist() == [7.0]


@pytest.mark.parametrize("photons", [3, 25, 120])
@pytest.mark.parametrize("value", [20 / 255, 1.0, 0.3217])  # two whole levels, from tables, and one value between levels
def test_counts_of_photons_are_poisson_and_full_at_the_top(photons, value):
    [g] = generators("shot_noise", 1, ["a"], torch.device("cpu"))
    counts = poisson(torch.full((1, 3, 200, 200), value), photons, [g]).flatten()
    expected = stats.poisson.pmf(np.arange(photons + 1), value * photons)
    expected[-1] = stats.poisson.sf(photons - 1, value * photons)
    found = np.bincount(counts.long().numpy(), minlength=photons + 1)
    assert counts.max() <= photons
    assert torch.equal(counts, counts.round())
    often = expected * counts.numel() > 20
    score = (((found - expected * counts.numel()) ** 2) / (expected * counts.numel()))[often].sum()
    assert score < stats.chi2.ppf(0.9999, often.sum())
    assert found[~often].sum() < expected[~often].sum() * counts.numel() + 30
