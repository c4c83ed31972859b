"""Decoding one picture: damaged, hostile and unknown ones are named, with what to do."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import pictures


def encoded(kind: str, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 77).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM", "GIF"])
def test_bytes_and_files_decode_alike(tmp_path: Path, kind: str) -> None:
    data = encoded(kind)
    (tmp_path / "x").write_bytes(data)
    one, other = pictures.decode(data, where="x"), pictures.decode(tmp_path / "x", where="x")
    assert one.size == other.size == (40, 30)
    assert one.tobytes() == other.tobytes()


def test_a_small_file_that_claims_to_be_a_large_picture_takes_no_memory() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")
    with pytest.raises(
        ClipError, match=r"0\.tar: x\.png: (13000 x 13000 pixels|not a readable image).*; (make the picture smaller|replace)"
    ):
        pictures.decode(bomb, where="0.tar: x.png")


@pytest.mark.filterwarnings("default")
def test_pixels_are_counted_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1199)
    with pytest.raises(ClipError, match="x: 40 x 30 pixels, at most 1199 are decoded; make the picture smaller or remove it"):
        pictures.decode(encoded("JPEG"), where="x")


def test_postscript_under_another_name_is_not_handed_to_ghostscript(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(encoded("EPS"))
    with pytest.raises(ClipError, match=r"x\.jpg: not a readable image \(no picture in a known format\); replace or remove the file"):
        pictures.decode(tmp_path / "x.jpg", where=str(tmp_path / "x.jpg"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_cut_and_damaged_pictures_are_named(kind: str) -> None:
    whole = encoded(kind, (300, 200))
    for size in (0, 5, len(whole) // 4, len(whole) // 2):
        with pytest.raises(ClipError, match=r"^here: not a readable image \(.+\); replace or remove the file$"):
            pictures.decode(whole[:size], where="here")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"gone\.jpg: not a readable image \(.*No such file"):
        pictures.decode(tmp_path / "gone.jpg", where=str(tmp_path / "gone.jpg"))
