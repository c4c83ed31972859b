"""Pictures of more than 8 bits keep their brightness, or are refused; and somebody says so."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import doctor, load, pictures

RAMP = np.linspace(0, 1, 64).reshape(8, 8)
SHADES = np.round(RAMP * 255)


def encoded(values: np.ndarray, kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(values).save(out, kind)
    return out.getvalue()


def read(data: bytes) -> np.ndarray:
    return np.asarray(pictures.upright(pictures.decode(data, where="x")))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_grey_of_16_bits_is_that_of_8_bits(kind: str) -> None:
    sixteen = encoded(np.round(RAMP * 65535).astype(np.uint16), kind)
    assert np.abs(read(sixteen).astype(float) - SHADES[..., None]).max() <= (0 if kind != "JPEG2000" else 1)
    assert (np.asarray(Image.open(io.BytesIO(sixteen)).convert("RGB")) == 255).mean() > 0.9  # what Pillow alone makes of it
    assert pictures.decode(sixteen, where="x").info["pytest_clip_bits"] == "16-bit grey up to 65535"
    assert np.asarray(pictures.stored(sixteen, where="x")).max() == 65535  # depth maps are numbers, not shades


def test_a_grey_map_of_12_bits_is_told_its_own_white() -> None:
    values = np.round(RAMP * 4095).astype(">u2").tobytes()
    assert np.abs(read(b"P5 8 8 4095\n" + values).astype(float) - SHADES[..., None]).max() <= 1


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_floats_from_0_to_1(kind: str) -> None:
    assert np.abs(read(encoded(RAMP.astype(np.float32), kind)).astype(float) - SHADES[..., None]).max() == 0


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array([[0.0, 255.0]], np.float32), r"floats from 0 to 255: which one is white is not said"),
        (np.array([[-0.5, 1.0]], np.float32), r"floats from -0.5 to 1:"),
        (np.array([[np.nan, 1.0]], np.float32), r"floats from 1 to 1:"),
        (np.array([[np.nan, np.inf]], np.float32), r"floats none of them finite"),
        (np.array([[0, 70000]], np.int32), r"whole numbers of 32 bits from 0 to 70000: which one is white is not said"),
    ],
)
def test_numbers_without_a_white_are_refused(values: np.ndarray, says: str) -> None:
    with pytest.raises(pictures.UnreadableError, match=rf"x: not a readable image \({says}.*save it with 8 or 16 bits"):
        read(encoded(values, "TIFF"))


def test_orientation_and_profile_stay() -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((4, 9), np.uint16)).save(out, "PNG", exif=exif)
    assert pictures.upright(pictures.decode(out.getvalue(), where="x")).size == (4, 9)


def test_run_and_doctor_say_so(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for k in range(2):
            Image.new("RGB", (9, 9), (k, 0, ord(name[0]))).save(tmp_path / name / f"{k}.png")
    for kind in ("png", "tif"):
        (tmp_path / "cat" / f"16.{kind}").write_bytes(encoded(np.round(RAMP * 3000).astype(np.uint16), kind.replace("tif", "tiff")))
    told = [each.what for each in doctor.examine(str(tmp_path)).problems]
    assert told == [
        f"2 images have more than 8 bits, the first one {tmp_path}/cat/16.png (16-bit grey up to 3000); they are divided by 257 (floats "
        "from 0 to 1: times 255); 2 of them have no pixel above 4095 and are almost black: stretch them before; to decide "
        "yourself save 8 bits"
    ]  # fmt: skip
    for _ in range(2):
        data = load(str(tmp_path), max_unreadable=0)
        data.images("clean")
        (told_,) = doctor.of_content(data)
        assert told_.what.startswith(f"2 images have more than 8 bits, the first one {tmp_path}/cat/16.png (16-bit grey)")
    (tmp_path / "dog" / "int.tif").write_bytes(encoded(np.array([[0, 9]], np.int32), "TIFF"))
    with pytest.raises(ClipError, match="1 of 7 images cannot be read"):
        load(str(tmp_path), max_unreadable=0).images("clean")
