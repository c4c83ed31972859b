"""The renderer: same pixels whatever the chunk, geometry that agrees with the camera, what each field does to the picture."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from pytest_clip.data.scenes.camera import HALF_WIDTH, WALL, project
from pytest_clip.data.scenes.render import Frames, render, render_rgb
from pytest_clip.data.scenes.sets import scene_set
from pytest_clip.data.scenes.spec import Scene, sample
from pytest_clip.data.scenes.vocabulary import CLASSES, HELD_OUT, RENDERINGS, SURFACES, UNSEEN_BACKGROUNDS

MIXED = (
    "clean",
    "shift_style",
    "object_blocking",
    "multiple_objects",
    "shift_light",
    "texture",
    "near",
    "far",
    "textures",
    "style",
    "background",
)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Twenty-eight scenes of all kinds, six of them in one noisy texture."""
    alike = [replace(s, texture="marble", style="photo") for s in scene_set("clean").scenes[40:46]]
    return [scene_set(name).scenes[i] for i in (3, 17) for name in MIXED] + alike


@pytest.fixture(scope="module")
def plain() -> list[Scene]:
    """One photograph of each class, alone in the picture."""
    made = []
    for k, name in enumerate((*CLASSES, *HELD_OUT)):
        s = sample(np.random.default_rng([5, k]), name, companion_share=0.0)
        made.append(replace(s, occluder="none", style="photo", lying=False))
    return made


@pytest.fixture(scope="module")
def frames(plain: list[Scene]) -> Frames:
    return render(plain)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def same(a: Frames, b: Frames) -> bool:
    pairs = [(getattr(a, f.name), getattr(b, f.name)) for f in fields(Frames)]
    return all(torch.equal(x.float().nan_to_num(-7.0), y.float().nan_to_num(-7.0)) for x, y in pairs)


@pytest.fixture(scope="module")
def whole(scenes: list[Scene]) -> Frames:
    return render(scenes)


@pytest.mark.parametrize("chunk", [1, 5, 24])
def test_pixels_do_not_depend_on_the_chunk(scenes: list[Scene], whole: Frames, chunk: int) -> None:
    assert same(render(scenes, chunk=chunk), whole)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("count", [1, 2])
def test_pixels_do_not_depend_on_the_threads(scenes: list[Scene], whole: Frames, count: int) -> None:
    torch.set_num_threads(count)
    assert same(render(scenes), whole)


def test_pixels_do_not_depend_on_the_neighbours(scenes: list[Scene], whole: Frames) -> None:
    order = list(range(len(scenes)))[::-2]
    assert torch.equal(render_rgb([scenes[i] for i in order], chunk=7), whole.rgb[order])


def test_render_rgb_gives_the_pictures_of_render(scenes: list[Scene], whole: Frames) -> None:
    assert torch.equal(render_rgb(scenes), whole.rgb)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_gpu_draws_the_same_pictures(scenes: list[Scene], whole: Frames) -> None:
    rgb = render_rgb(scenes, device="cuda").cpu().int()
    assert ((rgb - whole.rgb.int()).abs() <= 1).float().mean() > 0.998


@pytest.mark.parametrize(("count", "size"), [(0, 64), (1, 60)])
def test_no_scene_or_an_odd_size_is_refused(scenes: list[Scene], count: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 8, not {count} scenes at {size}"):
        render_rgb(scenes[:count], size=size)


def test_shapes_types_and_background(frames: Frames, plain: list[Scene]) -> None:
    n = len(plain)
    assert (frames.rgb.shape, frames.rgb.dtype) == ((n, 128, 128, 3), torch.uint8)
    assert (frames.depth.shape, frames.depth.dtype) == ((n, 128, 128), torch.float32)
    assert (frames.mask.shape, frames.mask.dtype) == ((n, 128, 128), torch.bool)
    assert torch.equal(frames.points.isnan().any(-1), ~frames.mask)
    assert torch.equal((frames.normal == 0).all(-1), ~frames.mask)  # one object and nothing else: all else is background
    flat = torch.tensor([s.background not in ("outdoor", "checker floor") for s in plain])
    assert (frames.depth[flat][~frames.mask[flat]] == WALL).all()
    assert (frames.depth > 0).all()


def test_points_are_those_of_the_main_object_alone(whole: Frames) -> None:
    assert torch.equal(whole.points.isnan().any(-1), ~whole.mask)
    assert torch.equal(whole.points.isnan().all(-1), ~whole.mask)
    others = (whole.normal != 0).any(-1) & ~whole.mask
    assert others.any()  # companions and occluders have normals, and are no part of the mask


def test_every_object_is_seen(frames: Frames) -> None:
    assert (frames.mask.float().mean((1, 2)) > 0.01).all()


def pixel_grid(size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.arange(size), np.arange(size))


def test_points_project_into_their_own_pixel_at_their_depth(frames: Frames, plain: list[Scene]) -> None:
    x, y = pixel_grid()
    for i, s in enumerate(plain):
        here = frames.mask[i].numpy()
        at, depth = project(s, frames.points[i].numpy()[here].astype(np.float64), size=128)
        assert np.abs(at - np.stack([x[here], y[here]], 1)).max() < 1e-3
        np.testing.assert_allclose(depth, frames.depth[i].numpy()[here], rtol=1e-5)


def test_two_views_of_an_object_show_the_same_points(plain: list[Scene], frames: Frames) -> None:
    turned = [replace(s, yaw=s.yaw + 0.3, elevation=s.elevation + 0.1, distance=s.distance * 1.05) for s in plain]
    other = render(turned)
    for i, s in enumerate(turned):
        points = frames.points[i][frames.mask[i]].numpy().astype(np.float64)
        at, depth = project(s, points, size=128)
        column, row = np.rint(at).astype(int).T
        inside = (column >= 0) & (column < 128) & (row >= 0) & (row < 128)
        column, row, points, depth = column[inside], row[inside], points[inside], depth[inside]
        seen = (np.abs(other.depth[i].numpy()[row, column] - depth) < 0.05) & other.mask[i].numpy()[row, column]
        assert seen.mean() > 0.4, s.cls
        gap = np.linalg.norm(other.points[i].numpy()[row, column] - points, axis=1)[seen]
        footprint = 2 * HALF_WIDTH / 128 * s.distance
        assert np.quantile(gap, 0.9) < 3 * footprint, s.cls


def positions(frames: Frames) -> torch.Tensor:
    """Camera-space points [n, s, s, 3] from depth alone."""
    size = frames.depth.shape[1]
    axis = ((torch.arange(size) + 0.5) / size * 2 - 1) * HALF_WIDTH
    x, y = axis.view(1, 1, size), -axis.view(1, size, 1)
    return torch.stack([x * frames.depth, y * frames.depth, -frames.depth], -1)


def test_normals_are_unit_vectors_that_face_the_camera(frames: Frames) -> None:
    normal = frames.normal[frames.mask]
    torch.testing.assert_close(normal.norm(dim=-1), torch.ones(len(normal)), rtol=0, atol=1e-5)
    assert ((normal * positions(frames)[frames.mask]).sum(-1) <= 1e-6).all()


def test_normals_are_perpendicular_to_the_surface_that_depth_describes(frames: Frames) -> None:
    at, n = positions(frames), frames.normal
    for step in ((0, 1), (1, 0)):
        back, ahead = (torch.roll(at, (s * step[0], s * step[1]), (1, 2)) for s in (1, -1))
        alike = frames.mask.clone()
        for s in (1, -1):
            alike &= torch.roll(frames.mask, (s * step[0], s * step[1]), (1, 2))
            alike &= (torch.roll(n, (s * step[0], s * step[1]), (1, 2)) - n).norm(dim=-1) < 0.05
            alike &= (torch.roll(frames.depth, (s * step[0], s * step[1]), (1, 2)) - frames.depth).abs() < 0.05
        alike[:, [0, -1]] = False
        alike[:, :, [0, -1]] = False
        along = (ahead - back)[alike]
        slant = ((along * n[alike]).sum(-1) / along.norm(dim=-1)).abs()
        assert alike.float().sum() > 10_000
        assert torch.quantile(slant[:: max(1, len(slant) // 100_000)], 0.99) < 0.02


def picture(s: Scene) -> torch.Tensor:
    return render_rgb([s])[0].int()


@pytest.fixture
def mug(plain: list[Scene]) -> Scene:
    return replace(plain[0], texture="checkered", colour="red", colour2="blue", background="plain", background_colour="yellow")


@pytest.mark.parametrize("style", RENDERINGS[1:])
def test_a_style_changes_the_picture_and_not_the_geometry(mug: Scene, style: str) -> None:
    photo, drawn = render([mug]), render([replace(mug, style=style)])
    assert (photo.rgb.int() - drawn.rgb.int()).abs().float().mean() > 2
    assert torch.equal(photo.mask, drawn.mask)
    assert torch.equal(photo.depth, drawn.depth)


def test_silhouette_is_dark_where_the_object_is_and_light_elsewhere(mug: Scene) -> None:
    shot = render([replace(mug, style="silhouette")])
    assert (shot.rgb[shot.mask] == 8).all()  # 0.03 x 255
    assert (shot.rgb[~shot.mask] > 170).all()


def test_grayscale_and_sketch_have_no_colour(mug: Scene) -> None:
    for style in ("grayscale", "sketch", "halftone"):
        rgb = picture(replace(mug, style=style))
        assert torch.equal(rgb[..., 0], rgb[..., 1])
        assert torch.equal(rgb[..., 0], rgb[..., 2])


def test_exposure_scales_every_channel_and_clips(mug: Scene) -> None:
    bright = picture(mug)
    dark = picture(replace(mug, exposure=0.25))
    assert (dark - (bright * 0.25)).abs()[bright < 255].max() <= 1
    assert torch.equal(picture(replace(mug, exposure=100.0)) == 255, bright > 2)


def test_every_surface_draws_a_picture_of_its_own(mug: Scene) -> None:
    shots = [render_rgb([replace(mug, texture=t)])[0] for t in SURFACES]
    for i, a in enumerate(shots):
        for b in shots[:i]:
            assert not torch.equal(a, b)


def test_backgrounds_leave_the_object_alone(mug: Scene) -> None:
    before = render([mug])
    for wall in UNSEEN_BACKGROUNDS:
        after = render([replace(mug, background=wall)])
        assert torch.equal(before.rgb[before.mask], after.rgb[after.mask])
        assert not torch.equal(before.rgb, after.rgb)


def test_nothing_shows_nothing(mug: Scene) -> None:
    shot = render([replace(mug, cls="nothing")])
    assert not shot.mask.any()
    assert (shot.rgb == shot.rgb[0, 0, 0]).all()  # a plain yellow wall


def test_a_wall_of_texture_fills_the_frame() -> None:
    assert render(scene_set("textures").scenes[:40], size=32).mask.all()


def test_a_wall_of_checks_has_no_speckle() -> None:
    wall = next(s for s in scene_set("textures").scenes if s.texture == "checkered")
    rgb = picture(replace(wall, colour="white", colour2="black")).float().mean(-1)
    light = rgb > 90
    lonely = [torch.roll(light, shift, axis) != light for axis in (0, 1) for shift in (1, -1)]
    assert torch.stack(lonely).all(0)[1:-1, 1:-1].float().mean() < 0.001


def test_an_occluder_hides_the_object_and_is_not_part_of_it(mug: Scene) -> None:
    alone, hidden = render([mug]), render([replace(mug, occluder="ball", occluder_size=0.3, occluder_seed=4)])
    assert 0 < hidden.mask.sum() < alone.mask.sum()
    assert not (hidden.mask & ~alone.mask).any()
    ball = (hidden.normal != 0).any(-1) & ~hidden.mask
    assert (hidden.depth[ball] < alone.depth[ball]).all()


def test_lying_turns_the_object_and_keeps_its_points_valid(mug: Scene) -> None:
    s = replace(mug, lying=True)
    shot = render([s])
    x, y = pixel_grid()
    here = shot.mask[0].numpy()
    at, _ = project(s, shot.points[0].numpy()[here].astype(np.float64), size=128)
    assert np.abs(at - np.stack([x[here], y[here]], 1)).max() < 1e-3


def test_a_class_without_a_shape_is_an_error_that_names_it(mug: Scene) -> None:
    with pytest.raises(KeyError, match="unicorn"):
        render_rgb([replace(mug, cls="unicorn")])
