"""What was made quicker gives the same pixels to the bit as the plain way, which stands here or is that of a GPU."""

import math

import numpy as np
import pytest
import torch
from test_views_3d import depths
from view_pictures import names, pictures

from pytest_clip.views import camera, corrupt_3d, corrupt_laion, focus, lines, points, shapes, video
from pytest_clip.views.relief import relative
from pytest_clip.views.seeds import generators


@pytest.mark.parametrize("make", [camera.xy_path, camera.z_path])
@pytest.mark.parametrize("size", [(64, 96), (130, 128)])
def test_points_in_the_order_of_their_depths_are_the_z_buffer(make, size, monkeypatch):
    x, d = pictures(2, *size) / 255, depths(2, *size)
    path = make(x, generators("here", 0, names(2), torch.device("cpu")))
    steps = [0.0, 1 / 59, 0.5, 1.0]
    monkeypatch.setattr(camera, "ALONE", 0)
    quick = list(camera.frames(x, d, path, steps))
    monkeypatch.setattr(camera, "ALONE", math.inf)
    plain = list(camera.frames(x, d, path, steps))
    assert [frame.dtype for frame in quick] == [torch.int64] * len(steps)
    assert all(torch.equal(one, other) for one, other in zip(quick, plain, strict=True))
    assert not torch.equal(quick[-1], quick[0])


@pytest.mark.parametrize("kind", ["xy_motion_blur", "z_motion_blur"])
def test_a_large_picture_is_the_same_either_way(kind, monkeypatch):
    x, d = pictures(1, 224), depths(1, 224)
    quick = corrupt_3d(x, d, kind, 1, names(1))
    monkeypatch.setattr(camera, "ALONE", math.inf)
    assert torch.equal(quick, corrupt_3d(x, d, kind, 1, names(1)))


def test_empty_pixels_take_the_farthest_of_their_neighbours():
    rng = np.random.default_rng(0)
    for share in (0.01, 0.3, 0.95):
        seen = rng.permutation(30 * 41).reshape(30, 41).astype(np.int32)
        seen[rng.random(seen.shape) < share] = -1
        wanted = camera._filled(torch.from_numpy(seen)[None].long())[0].numpy()
        hit = wanted < 10**6  # with no pixel in its row and column there is nothing to take
        assert np.array_equal(points.filled(seen)[hit], wanted[hit])
    whole = np.arange(12, dtype=np.int32).reshape(3, 4)
    assert np.array_equal(points.filled(whole), whole)


def plain_focus(image, depth, where, aperture, grid):
    """The whole picture under every blur, and weights of every boundary."""
    q = torch.quantile(depth.flatten(), torch.linspace(0, 1, focus.INTERVALS + 1))
    q[0] -= focus.EPSILON
    q[-1] += focus.EPSILON
    right = torch.searchsorted(q, depth).clamp(1, focus.INTERVALS)
    u = (depth - q[right - 1]) / (q[right] - q[right - 1])
    weights = torch.zeros(focus.INTERVALS + 1, *depth.shape)
    weights.scatter_(0, (right - 1)[None], (1 - u * u)[None])
    weights.scatter_(0, right[None], (1 - (1 - u) ** 2)[None])
    weights /= weights.sum(0)
    out = torch.zeros_like(image)
    for radius, weight in zip((aperture * (q - q[focus.FOCUSED[where]]).abs() / q).tolist(), weights, strict=True):
        taps = focus._taps(radius, grid)
        out.addcmul_(image if taps is None else focus._filter(image, taps, slice(0, len(depth))), weight)
    return out


@pytest.mark.parametrize("where", ["near", "far"])
@pytest.mark.parametrize(("size", "aperture"), [((224, 224), 3.0), ((224, 240), 7.0), ((64, 50), 5.0)])
@pytest.mark.parametrize("flat", [False, True])
def test_depth_of_field_row_by_row_is_that_of_the_whole_picture(where, size, aperture, flat):
    image, depth = pictures(1, *size)[0] / 255, relative(torch.full((1, *size), 4.0) if flat else depths(1, *size))[0]
    grid = min(size) / 224
    assert torch.equal(focus._refocus(image, depth, where, aperture, grid), plain_focus(image, depth, where, aperture, grid))


@pytest.mark.parametrize("n", [2, 9, 50, 1000])
def test_boundaries_are_quantiles(n):
    depth = torch.rand(n, generator=torch.Generator().manual_seed(n)) + 0.1
    assert torch.equal(focus._boundaries(depth), torch.quantile(depth, torch.linspace(0, 1, focus.INTERVALS + 1)))


@pytest.mark.parametrize("level", range(5))
def test_shapes_are_painted_one_over_the_other(level):
    colour, cover = np.zeros((3, 224, 300), np.float32), np.zeros((224, 300), np.float32)
    shapes._shapes(colour, cover, np.random.default_rng(level), shapes.SHAPES[level])
    rng, many = np.random.default_rng(level), round(shapes.SHAPES[level] * 300 / 224)
    kinds, sizes = rng.integers(4, size=many), rng.integers(shapes.SMALLEST, shapes.LARGEST + 1, size=many)
    left, top = rng.integers(300, size=many), rng.integers(224, size=many)
    colours, turns = rng.integers(256, size=(many, 3)) / 255, rng.integers(360, size=many)
    wanted, covered = np.zeros_like(colour), np.zeros_like(cover)
    for kind, size, x, y, rgb, turn in zip(kinds, sizes, left, top, colours, turns, strict=True):
        mask = shapes._star(int(size), int(turn) % 72) if kind == 2 else shapes._solid(int(kind), int(size))
        before = mask.shape[0] // 2 if kind == 2 else 0
        for row, column in zip(*np.nonzero(mask), strict=True):
            at = y - before + row, x - before + column
            if 0 <= at[0] < 224 and 0 <= at[1] < 300:
                wanted[:, at[0], at[1]], covered[at] = rgb.astype(np.float32), 1
    assert np.array_equal(colour, wanted)
    assert np.array_equal(cover, covered)


@pytest.mark.parametrize("level", [0, 2, 4])
def test_lines_do_not_depend_on_how_many_strokes_are_drawn_at_a_time(level, monkeypatch):
    x = pictures(1, 224)
    parts = corrupt_laion(x, "vertical_lines", level + 1, names(1))
    monkeypatch.setattr(lines, "STROKES", 10**9)
    assert torch.equal(parts, corrupt_laion(x, "vertical_lines", level + 1, names(1)))


@pytest.mark.parametrize("size", [(64, 65), (151, 130)])
def test_a_film_is_the_frames_of_the_way_there_and_back(size):
    x, d = pictures(1, *size) / 255, depths(1, *size)
    film = video._film(x, d, generators("h265_crf", 0, names(1), torch.device("cpu")))
    each = generators("h265_crf", 0, names(1), torch.device("cpu"))
    path = (camera.xy_path if bool(torch.rand((1,), generator=each[0]).item() < 0.5) else camera.z_path)(x, each)
    there = [camera.unpacked(frame)[0] for frame in camera.frames(x, d, path, [k / 59 for k in range(60)])]
    grid = math.ceil(128 / min(size))
    whole = torch.stack(there + there[-2::-1]).repeat_interleave(grid, 2).repeat_interleave(grid, 3)
    whole = torch.nn.functional.pad(whole, (0, whole.shape[3] % 2, 0, whole.shape[2] % 2), mode="replicate")
    assert len(film) == 119
    assert np.array_equal(np.stack(film), whole.permute(0, 2, 3, 1).to(torch.uint8).numpy())
