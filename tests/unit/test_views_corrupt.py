"""Every corruption: what goes in and out, that an image does not depend on its batch, what its randomness hangs on, growing severity."""

import subprocess
import sys

import pytest
import torch
from view_pictures import names, pictures

from pytest_clip import ClipError
from pytest_clip.views import EXTRA, GROUPS, IMAGENET_C, KINDS, SEVERITIES, corrupt
from pytest_clip.views.apply import CORRUPTIONS
from pytest_clip.views.seeds import generators, seed, uniform

RANDOM = sorted(
    {*GROUPS["noise"], "glass_blur", "motion_blur", "snow", "frost", "fog", "elastic_transform", "speckle_noise", "spatter"},
)
# Mean |difference| over severities falls somewhere by construction. frost: six looks of different brightness, drawn anew by severity (and
# the reference's weights move from adding light to covering). saturate: two greyer, three more colourful. pixelate: 0.6 samples worse than
# 0.5. snow: severity 2 has the smallest flakes, 3 fewer, larger ones. glass_blur: severity 4 shuffles once less than 3.
# fog: which map is drawn matters more than a step of thickness, and a slower decay (3 to 5) moves its mean.
NOT_MONOTONE = {"fog", "frost", "saturate", "pixelate", "snow", "glass_blur"}


def test_the_catalogue_is_imagenet_c_and_four_more():
    assert len(IMAGENET_C) == 15
    assert len(EXTRA) == 4
    assert len(set(KINDS)) == 19
    assert set(CORRUPTIONS) == set(KINDS)
    assert SEVERITIES == (1, 2, 3, 4, 5)


def test_the_catalogue_imports_nothing_heavy():
    code = "import sys, pytest_clip.views; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(48, 64), (70, 56)])
def test_an_image_comes_out_the_same_alone_in_any_batch_and_order(kind, size):
    x, ids = pictures(5, *size), names(5)
    together = corrupt(x, kind, 4, ids)
    alone = torch.cat([corrupt(x[i : i + 1], kind, 4, ids[i : i + 1]) for i in range(5)])
    order = [3, 0, 4]
    some = corrupt(x[order], kind, 4, [ids[i] for i in order])
    assert torch.equal(together, alone)
    assert torch.equal(together[order], some)


@pytest.mark.parametrize("kind", KINDS)
def test_float_images_do_not_depend_on_their_batch_by_a_single_bit(kind):
    x, ids = pictures(3, 224).float() / 255, names(3)
    together = corrupt(x, kind, 3, ids)
    assert together.dtype == torch.float32
    assert torch.equal(together[1:2], corrupt(x[1:2], kind, 3, ids[1:2]))


@pytest.mark.parametrize("kind", KINDS)
def test_shape_dtype_and_range_stay(kind):
    x, ids = pictures(2, 40, 72), names(2)
    before = x.clone()
    for severity in SEVERITIES:
        whole = corrupt(x, kind, severity, ids)
        assert whole.dtype == torch.uint8
        assert whole.shape == x.shape
        part = corrupt(x / 255, kind, severity, ids)
        assert part.dtype == torch.float32
        assert 0 <= part.min() <= part.max() <= 1
        assert not torch.equal(whole, x) or (kind, severity) == ("gaussian_blur", 1)  # sigma 0.18 at 40 pixels
        # both ways are one corruption: at most a level apart (cut off against not), except where 8 bits are part of it
        assert ((part * 255).floor() - whole).abs().max() <= 1
    assert torch.equal(x, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_images_give_numbers(kind, value):
    x = torch.full((1, 3, 32, 32), value, dtype=torch.uint8)
    for severity in (1, 5):
        assert torch.isfinite(corrupt(x / 255, kind, severity, ["a"])).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_come_back_in_their_dtype(dtype):
    x = (pictures(1, 32) / 255).to(dtype)
    assert corrupt(x, "gaussian_noise", 5, ["a"]).dtype == dtype


def test_no_images_are_no_images():
    assert corrupt(torch.zeros(0, 3, 64, 64), "snow", 1, []).shape == (0, 3, 64, 64)


@pytest.mark.parametrize("kind", RANDOM)
def test_random_kinds_differ_by_id_and_repeat(kind):
    x = pictures(1, 64).repeat(2, 1, 1, 1)
    first, second = corrupt(x, kind, 3, ["first", "second"])
    assert not torch.equal(first, second)
    assert torch.equal(first, corrupt(x, kind, 3, ["first", "third"])[0])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(RANDOM)))
def test_the_other_kinds_draw_nothing(kind):
    x = pictures(1, 64).repeat(2, 1, 1, 1)
    first, second = corrupt(x, kind, 3, ["a", "b"])
    assert torch.equal(first, second)


def test_seeds_depend_on_kind_severity_and_id_only():
    seeds = {seed(kind, severity, i) for kind in KINDS for severity in SEVERITIES for i in ("a", "b", "1", "a1")}
    assert len(seeds) == 19 * 5 * 4
    # no two names run together into one: severity 1 of "2a" is not severity 12 of "a"
    assert seed("fog", 1, "2a") != seed("fog", 12, "a")
    streams = {g.initial_seed() for kind in KINDS for s in SEVERITIES for g in generators(kind, s, names(100), torch.device("cpu"))}
    assert len(streams) == 19 * 5 * 100


def test_first_numbers_of_the_generators_are_uniform():
    each = generators("motion_blur", 3, names(4000), torch.device("cpu"))
    counts = torch.histc(torch.tensor(uniform(0, 1, each)), 10, 0, 1)
    assert float(((counts - 400) ** 2 / 400).sum()) < 27.9  # chi square of 9 degrees, p = .001


def test_noise_of_two_images_and_two_severities_is_unrelated():
    x = torch.full((2, 3, 96, 96), 0.5)
    a, b = corrupt(x, "gaussian_noise", 1, ["a", "b"]) - 0.5
    c = corrupt(x[:1], "gaussian_noise", 2, ["a"])[0] - 0.5
    for one, other in ((a, b), (a, c), (a[0], a[1])):
        correlation = torch.corrcoef(torch.stack((one.flatten(), other.flatten())))[0, 1]
        assert abs(correlation) < 5 / one.numel() ** 0.5


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NOT_MONOTONE))
@pytest.mark.parametrize("size", [64, 224])
def test_the_mean_difference_grows_with_severity(kind, size):
    x, ids = pictures(4, size), names(4)
    change = [float((corrupt(x, kind, s, ids).float() - x.float()).abs().mean()) for s in SEVERITIES]
    assert change == sorted(change)
    assert change[4] > 1.2 * change[0]


@pytest.mark.parametrize("kind", sorted(NOT_MONOTONE - {"frost", "saturate"}))
@pytest.mark.parametrize("size", [64, 224, 256])
def test_where_severities_are_not_in_order_the_last_is_still_worse_than_the_first(kind, size):
    x, ids = pictures(6, size), names(6)
    first, last = (float((corrupt(x, kind, s, ids).float() - x.float()).abs().mean()) for s in (1, 5))
    assert last > 1.1 * first


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "gausian_noise"}, "no corruption of that name; did you mean 'gaussian_noise'?"),
        ({"kind": "xyz"}, "there are gaussian_noise, shot_noise"),
        ({"severity": 0}, "severity is one of 1, 2, 3, 4, 5"),
        ({"severity": 6}, "severity is one of"),
        ({"severity": True}, "severity is one of"),
        ({"ids": ["a"]}, "1 ids for 2 images"),
        ({"ids": "ab"}, "give one id for each image"),
        ({"images": torch.zeros(2, 1, 64, 64)}, r"shape \[2, 1, 64, 64\]; give \[n, 3, height, width\]"),
        ({"images": torch.zeros(2, 3, 64, 31)}, "shorter side needs at least 32"),
        ({"images": torch.zeros(2, 3, 64, 64, dtype=torch.int64)}, "images are torch.int64"),
        ({"images": torch.full((2, 3, 64, 64), 1.5)}, r"run from 1.5 to 1.5; floating-point images lie in \[0, 1\]"),
        ({"images": torch.full((2, 3, 64, 64), float("nan"))}, "run from nan"),
    ],
)
def test_wrong_arguments_are_told(change, text):
    arguments = {"images": torch.zeros(2, 3, 64, 64), "kind": "fog", "severity": 1, "ids": ["a", "b"], **change}
    with pytest.raises(ClipError, match=text):
        corrupt(**arguments)
