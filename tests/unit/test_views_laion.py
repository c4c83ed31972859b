"""LAION-C's kinds: the same alone and in a batch, against drawings by Pillow, the published constants, other sizes."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from view_pictures import names, pictures

from pytest_clip import ClipError
from pytest_clip.views import KINDS, KINDS_3D, KINDS_LAION, SEVERITIES, Facts, corrupt_laion, corruption_view
from pytest_clip.views import lines as light
from pytest_clip.views import shapes as over
from pytest_clip.views.laion import LAION
from pytest_clip.views.seeds import generators

DRAWN_AT_RANDOM = sorted(set(KINDS_LAION) - {"vertical_lines"})


def test_the_catalogue():
    assert set(LAION) == set(KINDS_LAION)
    assert not set(KINDS_LAION) & {*KINDS, *KINDS_3D}


@pytest.mark.parametrize("kind", KINDS_LAION)
@pytest.mark.parametrize("size", [(224, 224), (96, 64), (300, 260)])
def test_an_image_comes_out_the_same_alone_in_any_batch_and_order(kind, size):
    x, ids = pictures(4, *size), names(4)
    together = corrupt_laion(x, kind, 2, ids)
    assert (together.shape, together.dtype) == (x.shape, torch.uint8)
    assert torch.equal(together, torch.cat([corrupt_laion(x[i : i + 1], kind, 2, ids[i : i + 1]) for i in range(4)]))
    order = [3, 0]
    assert torch.equal(together[order], corrupt_laion(x[order], kind, 2, [ids[i] for i in order]))
    floats = corrupt_laion(x.float() / 255, kind, 2, ids)
    assert ((floats * 255 + 1e-3).floor() - together).abs().max() <= 1


@pytest.mark.parametrize("kind", KINDS_LAION)
def test_seeds_hang_on_the_id_and_severity_alone(kind):
    x = pictures(1, 64).repeat(2, 1, 1, 1)
    first, second = corrupt_laion(x, kind, 1, ["a", "b"])
    assert torch.equal(first, second) == (kind not in DRAWN_AT_RANDOM)
    assert torch.equal(first, corrupt_laion(x, kind, 1, ["a", "c"])[0])


@pytest.mark.parametrize("kind", KINDS_LAION)
def test_it_gets_worse_with_severity(kind):
    x, ids = pictures(6, 224), names(6)
    off = [float((corrupt_laion(x, kind, s, ids).float() - x).abs().mean()) for s in SEVERITIES]
    assert off == sorted(off)
    assert off[0] > 5


@pytest.mark.parametrize("kind", KINDS_LAION)
def test_a_view_of_each(kind):
    view = corruption_view(kind, 3)
    assert (view.name, view.needs_depth) == (f"{kind}-3", False)
    x = pictures(2, 64)
    assert torch.equal(view.apply(x, Facts(("a", "b"))), corrupt_laion(x, kind, 3, ["a", "b"]))
    with pytest.raises(ClipError, match=r"corrupt_laion\(images, 'mosaic', 1, ids\): no corruption of that name"):
        corrupt_laion(x, "mosaic", 1, ["a", "b"])


def test_the_published_constants():
    assert over.SHAPES == (150, 300, 600, 800, 1000)
    assert over.STICKERS == (100, 200, 400, 600, 1200)
    assert (over.SMALLEST, over.LARGEST, over.STICKER, light.TILE, light.SHIFT) == (6, 15, 16, 14, 40)
    assert light.LINES == ((224, 1), (178, 2), (112, 4), (84, 6), (60, 8))
    assert light.LIGHT == ((0, 50), (50, 100), (100, 125), (125, 150), (150, 255))


def by_pillow(kind, size, turn):
    """The shape as Pillow draws it, its place at the middle of 41 x 41 pixels."""
    image, at = Image.new("1", (41, 41)), 20
    draw = ImageDraw.Draw(image)
    if kind == 0:
        draw.polygon([(at, at), (at + size, at), (at + size / 2, at + size)], fill=1)
    elif kind == 2:
        radii = [(size / 1.2) / (1 + i % 2) for i in range(10)]
        turns = [math.radians(36 * i + turn) for i in range(10)]
        draw.polygon([(at + r * math.sin(t), at + r * math.cos(t)) for r, t in zip(radii, turns, strict=True)], fill=1)
    else:
        (draw.rectangle if kind == 1 else draw.ellipse)([(at, at), (at + size, at + size)], fill=1)
    return np.array(image)


@pytest.mark.parametrize("size", range(6, 16))
@pytest.mark.parametrize("kind", range(4))
def test_shapes_are_those_that_pillow_draws(kind, size):
    for turn in (0, 13, 50) if kind == 2 else (0,):
        mask = over._star(size, turn) if kind == 2 else over._solid(kind, size)
        ours, start = np.zeros((41, 41), dtype=bool), 20 - (mask.shape[0] // 2 if kind == 2 else 0)
        ours[start : start + mask.shape[0], start : start + mask.shape[1]] = mask
        theirs = by_pillow(kind, size, turn)
        grown = np.pad(theirs, 1)
        near = np.any([grown[1 + dy : 42 + dy, 1 + dx : 42 + dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)
        assert not (ours & ~near).any(), "no pixel lies more than one outside"
        assert 0.8 < ours.sum() / theirs.sum() < 1.2


def test_how_much_is_covered_is_as_published():
    """Shapes: 1 - exp(-mean area x number / area) far from the border, with the mean area of Pillow's."""
    areas = [by_pillow(kind, size, 0).sum() for kind in range(4) for size in range(6, 16)]
    x, ids = torch.zeros(6, 3, 224, 224), names(6)
    for level, number in ((1, 150), (3, 600)):
        inner = corrupt_laion(x, "geometric_shapes", level, ids)[:, :, 20:-20, 20:-20]
        bare = float((inner.amax(1) == 0).float().mean())
        assert bare == pytest.approx(math.exp(-number * np.mean(areas) / 224**2), abs=0.02)
    inner = corrupt_laion(x, "stickers", 1, ids)[:, :, 20:-20, 20:-20]
    assert float((inner.amax(1) == 0).float().mean()) == pytest.approx(math.exp(-100 * 256 / 208**2), abs=0.04)


@pytest.mark.parametrize("level", SEVERITIES)
def test_the_checkerboard_in_a_loop(level):
    x, drawn = (
        torch.full((1, 3, 224, 224), 0.5),
        np.random.default_rng(generators("luminance_checkerboard", level, ["a"], "cpu")[0].initial_seed()),
    )
    low, high = light.LIGHT[level - 1]
    amounts = drawn.uniform(low, high, (16, 16))
    out = corrupt_laion(x, "luminance_checkerboard", level, ["a"])[0]
    for i in range(16):
        for j in range(16):
            tile = out[:, 14 * i : 14 * i + 14, 14 * j : 14 * j + 14]
            assert torch.allclose(tile, torch.tensor(min(max(0.5 + (-1) ** (i + j) * amounts[i, j] / 255, 0), 1)).float(), atol=1e-5)


def lines_by_pillow(image, count, step):
    """The paper's drawing, stroke by stroke."""
    width, height = image.size
    values = np.asarray(image).astype(int)
    gray = np.asarray(image.convert("L")).astype(int)
    out = Image.new("RGB", image.size)
    draw = ImageDraw.Draw(out)
    for i in range(count):
        start, x, y = i * width / count, i * width / count, 0.0
        columns = slice(i * width // count, (i + 1) * width // count)
        for row in range(0, height, step):
            part = values[row : row + step, columns].reshape(-1, 3)
            end = start - 40 * (1 - gray[row : row + step, columns].mean() / 255)
            draw.line((x, y, end, row), fill=tuple(int(v) for v in part.sum(0) // len(part)))
            x, y = end, row
    return np.asarray(out).astype(int)


@pytest.mark.parametrize("level", SEVERITIES)
def test_lines_are_those_that_pillow_draws(level):
    """Strokes are rounded otherwise: pixels differ by one place, so blurred pictures are compared."""
    x = pictures(1, 224, first=3)
    ours = corrupt_laion(x, "vertical_lines", level, ["a"])[0].permute(1, 2, 0).numpy().astype(int)
    theirs = lines_by_pillow(Image.fromarray(x[0].permute(1, 2, 0).numpy()), *light.LINES[level - 1])
    lit = (ours.max(2) > 0).mean(), (theirs.max(2) > 0).mean()
    assert lit[0] == pytest.approx(lit[1], abs=0.06)
    blurred = [each.reshape(28, 8, 28, 8, 3).mean((1, 3)) for each in (ours, theirs)]
    assert abs(blurred[0] - blurred[1]).mean() < 5
    assert np.corrcoef(blurred[0].ravel(), blurred[1].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("kind", KINDS_LAION)
def test_at_other_sizes_a_picture_looks_the_same(kind):
    """Shrunk to 56 pixels, a picture corrupted at 448 and at 112 is that corrupted at 224."""
    small = torch.nn.functional.interpolate
    x = pictures(2, 448, first=5).float() / 255
    seen = []
    for size in (224, 112, 448):
        at = x if size == 448 else small(x, (size, size), mode="area")
        seen.append(small(corrupt_laion(at, kind, 1, names(2)), (56, 56), mode="area"))
    for other in seen[1:]:
        assert float((other - seen[0]).abs().mean()) < (0.08 if kind == "vertical_lines" else 0.04)  # strokes of half a pixel


def test_a_wide_picture_has_as_many_shapes_on_an_area():
    x = torch.zeros(3, 3, 112, 448)
    bare = float((corrupt_laion(x, "stickers", 1, names(3)).amax(1) == 0).float().mean())
    square = float((corrupt_laion(torch.zeros(3, 3, 112, 112), "stickers", 1, names(3)).amax(1) == 0).float().mean())
    assert bare == pytest.approx(square, abs=0.08)


def test_stickers_are_the_same_everywhere():
    held = over.bank()
    assert held.shape == (256, 3, 16, 16)
    assert (held.min() >= 0, held.max() <= 1) == (True, True)
    assert len({each.tobytes() for each in held}) == 256
    assert float(held.mean()) == pytest.approx(0.4996, abs=0.02)
