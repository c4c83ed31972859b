"""3D corruptions against formulas worked out in numpy, and what must hold for each: batch, ids, severity, arguments."""

import math
import sys

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d
from view_pictures import names, pictures

from pytest_clip import ClipError
from pytest_clip.views import GEOMETRIC, GROUPS_3D, KINDS_3D, SEVERITIES, camera, corrupt_3d, corruption_view
from pytest_clip.views.catalog import NEEDS_DEPTH, VIDEO
from pytest_clip.views.relief import FOCAL, relative, reshading, resized
from pytest_clip.views.seeds import generators
from pytest_clip.views.view import Facts

IN_TORCH = tuple(kind for kind in KINDS_3D if kind not in VIDEO)
RANDOM = ("xy_motion_blur", "z_motion_blur", "iso_noise", "low_light")


def depths(n, height, width=None):
    """[n, h, w]: a wall at 12, a slanted floor before it, and a ball of picture i somewhere between 2 and 4."""
    y, x = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width or height)
    out = []
    for i in range(n):
        g = torch.Generator().manual_seed(i)
        cy, cx, near = (torch.rand(3, generator=g) - 0.5).tolist()
        square = (0.5**2 - (y - cy / 2) ** 2 - (x - cx / 2) ** 2).clamp(min=0)
        floor = (12 - 14 * (y - 0.2)).clamp(2.5, 12).expand(-1, x.shape[-1])
        out.append(torch.where(square > 0, 3 + near - square.sqrt(), floor))
    return torch.stack(out)


def test_the_catalogue_is_imagenet_3dcc():
    assert len(KINDS_3D) == len(set(KINDS_3D)) == 12
    assert sorted(GEOMETRIC) == sorted(("near_focus", "far_focus", "fog_3d", "flash", "xy_motion_blur", "z_motion_blur"))
    assert set(NEEDS_DEPTH) == set(KINDS_3D) - set(GROUPS_3D["noise"])


@pytest.mark.parametrize("kind", IN_TORCH)
@pytest.mark.parametrize("size", [(48, 64), (66, 50)])
def test_an_image_comes_out_the_same_alone_in_any_batch_and_order(kind, size):
    x, d, ids = pictures(5, *size), depths(5, *size), names(5)
    together = corrupt_3d(x, d, kind, 4, ids)
    alone = torch.cat([corrupt_3d(x[i : i + 1], d[i : i + 1], kind, 4, ids[i : i + 1]) for i in range(5)])
    order = [3, 0, 4]
    assert torch.equal(together, alone)
    assert torch.equal(together[order], corrupt_3d(x[order], d[order], kind, 4, [ids[i] for i in order]))


@pytest.mark.parametrize("kind", IN_TORCH)
def test_shape_dtype_and_range_stay(kind):
    x, d, ids = pictures(2, 40, 72), depths(2, 40, 72), names(2)
    before = x.clone()
    for severity in (1, 5):
        whole, part = corrupt_3d(x, d, kind, severity, ids), corrupt_3d(x / 255, d, kind, severity, ids)
        assert (whole.dtype, part.dtype) == (torch.uint8, torch.float32)
        assert whole.shape == part.shape == x.shape
        assert 0 <= part.min() <= part.max() <= 1
        assert not torch.equal(whole, x)
        assert ((part * 255 + 1e-3).floor() - whole).abs().max() <= 1
    assert torch.equal(x, before)


@pytest.mark.parametrize("kind", IN_TORCH)
def test_only_what_is_random_depends_on_the_id(kind):
    x, d = pictures(1, 64).repeat(2, 1, 1, 1), depths(1, 64).repeat(2, 1, 1)
    first, second = corrupt_3d(x, d, kind, 3, ["first", "second"])
    assert torch.equal(first, second) is (kind not in RANDOM)
    assert torch.equal(first, corrupt_3d(x, d, kind, 3, ["first", "third"])[0])


@pytest.mark.parametrize("kind", IN_TORCH)
@pytest.mark.parametrize("size", [64, 224])
def test_the_mean_difference_grows_with_severity(kind, size):
    x, d, ids = pictures(2, size), depths(2, size), names(2)
    change = [float((corrupt_3d(x, d, kind, s, ids).float() - x.float()).abs().mean()) for s in SEVERITIES]
    assert change == sorted(change)
    assert change[4] > 1.2 * change[0]


@pytest.mark.parametrize("kind", IN_TORCH)
def test_the_unit_of_depth_does_not_matter(kind):
    x, d, ids = pictures(2, 64), depths(2, 64), names(2)
    difference = (corrupt_3d(x, d, kind, 4, ids).int() - corrupt_3d(x, d * 512, kind, 4, ids).int()).abs()
    assert difference.max() <= 1  # 512 is a power of two, so rounding differs only where 1e-4 is added


@pytest.mark.parametrize("kind", IN_TORCH)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_and_flat_depths_give_numbers(kind, value):
    x = torch.full((1, 3, 32, 32), value, dtype=torch.uint8)
    for depth in (torch.full((1, 32, 32), 7.0), depths(1, 32)):
        for severity in (1, 5):
            assert torch.isfinite(corrupt_3d(x / 255, depth, kind, severity, ["a"])).all()


def test_fog_is_beer_and_lambert_towards_the_mean():
    x, d = pictures(2, 40) / 255, depths(2, 40)
    d[:, 0, 0] = 1e-6
    for severity, a in zip(SEVERITIES, (4, 8, 12, 16, 20), strict=True):
        got = corrupt_3d(x, d, "fog_3d", severity, names(2))
        for image, far, out in zip(x.double().numpy(), d.double().numpy(), got.numpy(), strict=True):
            t = np.exp(-a * 0.5 * far / far.max())
            assert abs(out - (t * image + (1 - t) * image.mean())).max() < 1e-5
    assert (got[:, :, 0, 0] - x[:, :, 0, 0]).abs().max() < 1e-5  # nothing lies between the camera and a point at it


def rays(size):
    x = (np.arange(size) + 0.5 - size / 2) / (FOCAL * size)
    return np.stack(np.broadcast_arrays(x, x[:, None], 1.0), -1)


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.5, 0, -1), (-0.3, 0.8, -1)])
def test_a_plane_is_lit_by_the_cosine_to_the_camera(normal):
    ray, n = rays(64), np.array(normal) / np.linalg.norm(normal)
    depth = -5 / (ray @ n)
    expected = abs(ray @ n) / np.linalg.norm(ray, axis=-1)
    got = reshading(torch.tensor(depth, dtype=torch.float32)[None])[0].numpy()
    assert abs(got - expected)[1:-1, 1:-1].max() < 0.02


def test_the_rim_of_an_object_is_not_dark():
    depth = torch.full((1, 64, 64), 12.0)
    depth[:, 20:40, 20:40] = 3
    facing = reshading(depth)
    assert facing.min() > 0.88  # in the corners of the wall; a step from 3 to 12 within a pixel would be 0.005
    lit = corrupt_3d(torch.full((1, 3, 64, 64), 0.2), depth, "flash", 3, ["a"])
    assert (lit[0, 0] - 0.2 * (1 + facing[0] / 0.9)).abs().max() < 1e-6


@pytest.mark.parametrize(("kind", "focus", "offset"), [("near_focus", 0, 2.0), ("far_focus", 7, 0.5)])
@pytest.mark.parametrize("severity", [1, 5])
def test_depth_of_field_at_224_pixels_has_the_published_taps(kind, focus, offset, severity):
    x, d = pictures(1, 224) / 255, depths(1, 224)
    d = d + torch.rand(d.shape, generator=torch.Generator().manual_seed(0)) * 0.01  # no two boundaries are equal
    far = relative(d)[0].double().numpy()
    q = np.quantile(far, np.arange(9) / 8)
    q[0], q[8] = q[0] - 1e-4, q[8] + 1e-4
    stack = []
    for radius in (severity + offset) * abs(q - q[focus]) / q:
        width = int(radius * 3) + (int(radius * 3) % 2 == 0)
        taps = np.exp(-0.5 * ((np.arange(width) - width // 2) / max(radius, 1e-9)) ** 2)
        image = x[0].double().numpy()
        for axis in (1, 2):
            image = image if radius < 0.1 else correlate1d(image, taps / taps.sum(), axis=axis, mode="nearest")
        stack.append(image)
    expected = np.empty_like(stack[0])
    for (row, column), depth in np.ndenumerate(far):
        j = next(j for j in range(1, 9) if depth <= q[j])
        u = (depth - q[j - 1]) / (q[j] - q[j - 1])
        a, b = 1 - u * u, 1 - (1 - u) ** 2
        expected[:, row, column] = (a * stack[j - 1][:, row, column] + b * stack[j][:, row, column]) / (a + b)
    assert abs(corrupt_3d(x, d, kind, severity, ["a"])[0].numpy() - expected).max() < 2e-3


def test_near_focus_keeps_the_near_and_far_focus_the_far():
    x, d = pictures(1, 128) / 255, depths(1, 128)
    change = {kind: (corrupt_3d(x, d, kind, 5, ["a"]) - x).abs().mean(1) for kind in ("near_focus", "far_focus")}
    nearest, wall = d < d.quantile(0.05), d == 12
    assert change["near_focus"][nearest].mean() < 0.2 * change["far_focus"][nearest].mean()
    assert change["far_focus"][wall].mean() < 0.2 * change["near_focus"][wall].mean()


def test_few_colours_are_the_upper_bits():
    x = pictures(2, 40)
    for severity, kept in zip(SEVERITIES, (5, 4, 3, 2, 1), strict=True):
        mask = 256 - (1 << (8 - kept))
        assert torch.equal(corrupt_3d(x, None, "color_quant", severity, names(2)), x & mask)


def test_iso_noise_is_shot_noise_and_gaussian_noise():
    x = torch.full((1, 3, 128, 128), 100 / 255)
    for severity, c in zip(SEVERITIES, (0.056, 0.084, 0.126, 0.182, 0.266), strict=True):
        noise = corrupt_3d(x, None, "iso_noise", severity, ["a"]) - x
        assert abs(float(noise.mean())) < 0.02  # what is cut off at 0 and 1 moves it a little
        wanted = math.sqrt(100 / 255 / 25 + c * c)
        assert float(noise.std()) == pytest.approx(wanted, rel=0.02 if severity < 4 else 0.12)


def test_low_light_squares_the_range_of_the_picture():
    x = torch.linspace(0.2, 0.8, 3 * 128 * 128).view(1, 3, 128, 128)
    for severity, c in zip(SEVERITIES, (0.6, 0.5, 0.4, 0.3, 0.2), strict=True):
        got = corrupt_3d(x, None, "low_light", severity, ["a"])
        upper = got[0, 2, -16:].mean()  # the lightest rows
        assert float(upper) == pytest.approx(float((((x[0, 2, -16:] - 0.2) / 0.6) ** 2).mean()) * c, rel=0.02)
    assert corrupt_3d(torch.full((1, 3, 32, 32), 0.7), None, "low_light", 1, ["a"]).mean() < 0.02


def shifted(x, depth, steps, u=0.0, v=0.0, zoom=1.0, forwards=False):
    """Frames as float [len(steps), n, 3, h, w] in levels."""
    n = len(x)
    path = camera.Path(torch.full((n,), u), torch.full((n,), v), torch.full((n,), zoom), (abs(v), abs(u)), forwards=forwards)
    return torch.stack([camera.unpacked(frame) for frame in camera.frames(x / 255, depth, path, steps)])


def test_before_it_moves_the_camera_sees_the_picture():
    x, d = pictures(3, 64), depths(3, 64)
    assert torch.equal(shifted(x, d, [0.0], u=9.0, v=-5.0)[0], x.float())
    assert torch.equal(shifted(x, d, [0.0], zoom=0.5, forwards=True)[0], x.float())


def test_a_wall_moves_as_one_and_goes_on_as_its_mirror_image():
    x = pictures(2, 64)
    half, whole = shifted(x, torch.full((2, 64, 64), 4.0), [0.5, 1.0], u=8.0, v=-4.0)
    assert torch.equal(half[:, :, 2:, :-4], x[:, :, :-2, 4:].float())
    assert torch.equal(whole[:, :, 4:, :-8], x[:, :, :-4, 8:].float())
    assert torch.equal(whole[:, :, 4:, -8:], x[:, :, :-4, -9:-1].flip(3).float())


def test_near_things_move_more_and_uncover_what_is_behind():
    x = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    x[:, 2] = 200  # a blue wall at 8
    x[:, :, 24:40, 24:40] = torch.tensor([200, 0, 0], dtype=torch.uint8)[:, None, None]  # a red square at 2
    d = torch.full((1, 64, 64), 8.0)
    d[:, 24:40, 24:40] = 2
    [[frame]] = shifted(x, d, [1.0], u=-12.0)
    red, blue = frame[0] == 200, frame[2] == 200
    assert torch.equal(red.nonzero().amin(0), torch.tensor([24, 36]))
    assert torch.equal(red.nonzero().amax(0), torch.tensor([39, 51]))
    assert bool((red ^ blue).all())  # where the square was, there is wall


def test_a_wall_with_a_mark_moves_by_its_own_parallax():
    x = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    x[:, :, :, 10] = 255  # on the wall
    d = torch.full((1, 64, 64), 8.0)
    d[:, 30:34, 30:34] = 2
    [[frame]] = shifted(x, d, [1.0], u=-12.0)
    assert frame[0, 5].nonzero().flatten().tolist() == [13]  # 12 pixels at 2 are 3 at 8


def test_going_forwards_enlarges_from_the_middle_and_leaves_no_gaps():
    x = torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    x[:, :, 24:40, 24:40] = 255
    [[frame]] = shifted(x, torch.full((1, 64, 64), 5.0), [1.0], zoom=0.5, forwards=True)
    lit = (frame[0] == 255).nonzero()
    assert lit.amin(0).tolist() == pytest.approx([16, 16], abs=1)
    assert lit.amax(0).tolist() == pytest.approx([47, 47], abs=1)
    high, wide = (lit.amax(0) - lit.amin(0) + 1).tolist()
    assert len(lit) == high * wide


def test_what_is_nearer_than_the_nearest_in_the_middle_may_pass_the_camera():
    x, d = pictures(1, 64), torch.full((1, 64, 64), 9.0)
    d[:, :8] = 0.5  # within the border that the nearest point is not looked for in
    [[frame]] = shifted(x, d, [0.9], zoom=0.5, forwards=True)
    assert torch.isfinite(frame).all()


@pytest.mark.parametrize(("kind", "counts"), [("xy_motion_blur", (20, 30, 40, 50, 60)), ("z_motion_blur", (20, 25, 30, 35, 38))])
def test_motion_blur_is_the_mean_of_the_first_frames_of_one_clip(kind, counts, monkeypatch):
    monkeypatch.setattr(camera, "STRIDE", 0.0)  # every frame
    x, d, ids = pictures(2, 48), depths(2, 48), names(2)
    make = camera.xy_path if kind == "xy_motion_blur" else camera.z_path
    path = make(x / 255, generators(kind, 0, ids, torch.device("cpu")))
    for severity in (1, 5):
        steps = [k / 59 for k in range(counts[severity - 1])]
        mean = torch.stack([camera.unpacked(frame) for frame in camera.frames(x / 255, d, path, steps)]).mean(0)
        assert (corrupt_3d(x, d, kind, severity, ids) - mean).abs().max() <= 1


def test_frames_left_out_of_small_pictures_change_little(monkeypatch):
    x, d, ids = pictures(4, 64), depths(4, 64), names(4)
    few = {kind: corrupt_3d(x, d, kind, 5, ids).float() for kind in ("xy_motion_blur", "z_motion_blur")}
    monkeypatch.setattr(camera, "STRIDE", 0.0)
    for kind, some in few.items():
        every = corrupt_3d(x, d, kind, 5, ids).float()
        assert (some - every).abs().mean() < 0.1 * (every - x.float()).abs().mean()


def test_the_ways_of_the_camera_are_the_published_ones():
    x, each = torch.zeros(400, 3, 512, 512, device="meta"), generators("xy_motion_blur", 0, names(400), torch.device("cpu"))
    sideways = camera.xy_path(x, each)
    assert (sideways.u.abs() >= 50).all()
    assert (sideways.u.abs() < 75).all()
    assert 150 < int((sideways.u > 0).sum()) < 250
    assert (float(sideways.v.min()), float(sideways.v.max())) == (pytest.approx(-74, abs=2), pytest.approx(73, abs=2))
    half = camera.xy_path(torch.zeros(400, 3, 256, 256, device="meta"), generators("xy_motion_blur", 0, names(400), torch.device("cpu")))
    assert torch.equal(half.u, sideways.u / 2)
    onwards = camera.z_path(x, generators("z_motion_blur", 0, names(400), torch.device("cpu")))
    assert 0.5 <= onwards.zoom.min() < 0.51
    assert 0.59 < onwards.zoom.max() < 0.6
    assert onwards.u.abs().max() <= 30


def test_smaller_maps_keep_the_nearest_and_larger_ones_do_not_mix_surfaces():
    d = torch.full((1, 8, 8), 12.0)
    d[:, 3, 3] = 2
    assert resized(d, (4, 4))[0, 1, 1] == 2
    d[:, :, 4:] = 3
    assert set(resized(d, (20, 20)).mul(1e4).round().div(1e4).unique().tolist()) == {2.0, 3.0, 12.0}
    plane = (1 / (0.2 + 0.01 * torch.arange(16.0)))[None, None].expand(1, 16, 16).contiguous()
    larger = 1 / resized(plane, (32, 32))[0, 0]
    assert (larger[2:-2].diff() - 0.005).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("depth", "text"),
    [
        (None, r"follows from depth and there is none; give a depth map of shape \[2, 64, 64\]"),
        (torch.ones(2, 32, 32), r"depth has the shape \[2, 32, 32\]; give \[2, 64, 64\]"),
        (torch.zeros(2, 64, 64), "depth runs from 0 to 0; distances from the camera are positive and finite"),
        (torch.full((2, 64, 64), float("inf")), "positive and finite"),
        (torch.full((2, 64, 64), float("nan")), "positive and finite"),
    ],
)
def test_wrong_depths_are_told(depth, text):
    with pytest.raises(ClipError, match=text):
        corrupt_3d(torch.zeros(2, 3, 64, 64), depth, "fog_3d", 1, ["a", "b"])


def test_wrong_arguments_are_told():
    x, d = torch.zeros(1, 3, 64, 64), torch.ones(1, 64, 64)
    with pytest.raises(ClipError, match="no corruption of that name; did you mean 'fog_3d'"):
        corrupt_3d(x, d, "fog3d", 1, ["a"])
    with pytest.raises(ClipError, match="severity is one of 1, 2, 3, 4, 5"):
        corrupt_3d(x, d, "fog_3d", 6, ["a"])


def test_views_are_corruptions_by_name():
    x, d, ids = pictures(2, 64), depths(2, 64), tuple(names(2))
    flat, deep = corruption_view("fog", 3), corruption_view("fog_3d", 3)
    assert (flat.name, flat.needs_depth, deep.name, deep.needs_depth) == ("fog-3", False, "fog_3d-3", True)
    assert len({flat.key, deep.key, corruption_view("fog", 2).key}) == 3
    assert torch.equal(deep.apply(x, Facts(ids, d)), corrupt_3d(x, d, "fog_3d", 3, ids))
    assert corruption_view("iso_noise", 1).apply(x, Facts(ids)).shape == x.shape


@pytest.mark.parametrize("kind", VIDEO)
def test_without_pyav_the_codec_kinds_say_what_to_install(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ClipError, match=r"needs PyAV, which is not installed; pip install pytest-clip\[video\]"):
        corrupt_3d(pictures(1, 32), depths(1, 32), kind, 1, ["a"])


class TestCodec:
    """Only where PyAV is: without it the test above is what can be said."""

    @pytest.fixture(autouse=True)
    def av(self):
        pytest.importorskip("av", reason="needs PyAV (pip install pytest-clip[video])")

    @pytest.mark.parametrize("kind", VIDEO)
    def test_the_last_picture_of_a_film_repeats_in_any_batch(self, kind):
        x, d, ids = pictures(2, 64), depths(2, 64), names(2)
        together = corrupt_3d(x, d, kind, 5, ids)
        assert together.shape == x.shape
        assert torch.equal(together[1:], corrupt_3d(x[1:], d[1:], kind, 5, ids[1:]))
        change = (together.float() - x.float()).abs().mean((1, 2, 3))
        assert (change > 1).all()
        assert (change < 60).all()  # the camera is back where it was: this is the picture, damaged

    @pytest.mark.parametrize("kind", ["h265_crf", "h265_abr"])
    def test_more_compression_does_more_damage(self, kind):
        x, d, ids = pictures(2, 64), depths(2, 64), names(2)
        least, most = ((corrupt_3d(x, d, kind, s, ids).float() - x.float()).abs().mean() for s in (1, 5))
        assert most > 1.2 * least

    def test_pictures_of_odd_size_go_through(self):
        x, d = pictures(1, 45, 67), depths(1, 45, 67)
        assert corrupt_3d(x, d, "h265_crf", 3, ["a"]).shape == x.shape
