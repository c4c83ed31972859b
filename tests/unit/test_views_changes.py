"""Small changes of pictures: what each does to a picture made for it, that images do not depend on their batch, and growing strength."""

import subprocess
import sys

import pytest
import torch
from view_pictures import names, pictures

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.views.changes import CHANGES
from pytest_clip.views.view import Facts


def seen(name: str, steps: int, images: torch.Tensor, ids: tuple[str, ...]) -> torch.Tensor:
    return CHANGES[name].view(steps).apply(images, Facts(ids))


def test_the_changes_are_those_of_the_catalog_and_cost_nothing_to_name() -> None:
    assert CATALOG["metamorphic/agreement"].slices == tuple(CHANGES)
    assert CATALOG["metamorphic/smallest_break"].slices == tuple(name for name in CHANGES if name != "flip")
    code = "import sys, pytest_clip.views.changes; print([m for m in ('torch', 'numpy', 'PIL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_names_and_keys_tell_strengths_apart() -> None:
    views = [change.view(k) for change in CHANGES.values() for k in range(1, change.steps + 1)]
    assert len({v.name for v in views}) == len({v.key for v in views}) == len(views)
    assert CHANGES["rotate"].view(3).name == "rotate-7.5"
    assert CHANGES["brightness"].strength(3) == 0.3
    assert all(1 <= c.small < c.steps or c.steps == 1 for c in CHANGES.values())


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("size", [(48, 64), (70, 56)])
def test_an_image_comes_out_the_same_alone_in_any_batch_and_order(name: str, size: tuple[int, int]) -> None:
    images, ids = pictures(5, *size), tuple(names(5))
    before, steps = images.clone(), CHANGES[name].small
    together = seen(name, steps, images, ids)
    assert together.shape == images.shape
    assert together.dtype == torch.uint8
    assert (images == before).all()
    assert (together != images).any()
    for i in range(5):
        assert (seen(name, steps, images[i : i + 1], ids[i : i + 1])[0] == together[i]).all()
    assert (seen(name, steps, images.flip(0), ids[::-1]) == together.flip(0)).all()


@pytest.mark.parametrize("name", [n for n in CHANGES if n != "flip"])
def test_more_steps_change_more(name: str) -> None:
    images, ids = pictures(8, 64), tuple(names(8))
    far = [(seen(name, k, images, ids).float() - images.float()).abs().mean() for k in (1, CHANGES[name].steps // 2, CHANGES[name].steps)]
    assert far[0] < far[1] < far[2]


@pytest.mark.parametrize("name", [n for n, c in CHANGES.items() if c.directions > 1])
def test_every_direction_is_taken_about_equally_often(name: str) -> None:
    directions, ids = CHANGES[name].directions, tuple(f"clean-{i:05d}" for i in range(190))
    one = pictures(1, 64).expand(len(ids), -1, -1, -1)
    ways = {}
    for picture in seen(name, CHANGES[name].steps, one, ids):
        key = picture.numpy().tobytes()
        ways[key] = ways.get(key, 0) + 1
    assert len(ways) == directions
    assert min(ways.values()) > 0.75 * len(ids) / directions


def test_flip_mirrors() -> None:
    images = pictures(2, 64)
    assert (seen("flip", 1, images, tuple(names(2))) == images.flip(-1)).all()


def test_shift_moves_by_whole_pixels_and_repeats_the_border() -> None:
    image = torch.arange(64, dtype=torch.uint8).expand(1, 3, 64, 64).contiguous()  # grows from left to right
    apply = CHANGES["shift"].apply
    right, left, down, up = (apply(image, 3 / 32, side)[0, 0] for side in range(4))
    assert right[0].tolist() == [0] * 6 + list(range(58))
    assert left[0].tolist() == [*range(6, 64), *[63] * 6]
    turned = image.transpose(-1, -2).contiguous()
    down, up = (apply(turned, 3 / 32, side)[0, 0, :, 0].tolist() for side in (2, 3))
    assert down == [0] * 6 + list(range(58))
    assert up == [*range(6, 64), *[63] * 6]


def test_rotate_turns_about_the_centre_and_shows_no_black_corner() -> None:
    image = torch.full((1, 3, 65, 65), 200, dtype=torch.uint8)
    image[..., 32, 52] = 0  # 20 pixels to the right of the centre
    clockwise, other = ((CHANGES["rotate"].apply(image, 30.0, side)[0, 0].float()) for side in (0, 1))
    for turned, sign in ((clockwise, 1), (other, -1)):
        y, x = divmod(int(turned.argmin()), 65)
        assert (x - 32, y - 32) == (round(20 * 0.866), sign * 10)
        assert turned[[0, 0, -1, -1], [0, -1, 0, -1]].tolist() == [200] * 4


def test_brightness_and_contrast_by_hand() -> None:
    image = torch.tensor([50, 150], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 3, 1, 2).contiguous()
    darker, lighter = (CHANGES["brightness"].apply(image, 0.2, side)[0, 0, 0].tolist() for side in (0, 1))
    assert (darker, lighter) == ([40, 120], [60, 180])
    flatter, harder = (CHANGES["contrast"].apply(image, 0.2, side)[0, 0, 0].tolist() for side in (0, 1))
    assert flatter == pytest.approx([60, 140], abs=1)
    assert harder == pytest.approx([40, 160], abs=1)


def test_jpeg_is_pillows() -> None:
    from io import BytesIO

    import numpy as np
    from PIL import Image

    image, file = pictures(1, 64), BytesIO()
    Image.fromarray(image[0].permute(1, 2, 0).numpy()).save(file, "JPEG", quality=30)
    assert (seen("jpeg", 7, image, ("a",))[0].permute(1, 2, 0).numpy() == np.asarray(Image.open(file))).all()
