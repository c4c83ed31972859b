"""The sheet of corruptions."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.cli import main as cli
from pytest_clip.data.scenes import damage
from pytest_clip.data.scenes.contact import GAP, LABEL, PICTURE, TITLE

CELL = PICTURE + GAP


def cells(path: Path, rows: int) -> np.ndarray:
    """float [rows, scenes, 6, h, w, 3]"""
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        pixels = np.asarray(sheet).astype(float)
    grid = pixels[TITLE : TITLE + rows * CELL, LABEL:].reshape(rows, CELL, damage.SHOWN, 6, CELL, 3)
    return grid.transpose(0, 2, 3, 1, 4, 5)[..., :PICTURE, :PICTURE, :]


def test_a_row_for_each_kind_and_a_column_for_each_severity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("gaussian_noise", "fog_3d", "color_quant")
    found = cells(damage.write(tmp_path / "sheet.png", kinds=kinds), len(kinds))
    np.testing.assert_array_equal(found[0, :, 0], found[1, :, 0])  # the clean scenes, in every row
    assert (found[0, 0, 0] != found[0, 1, 0]).any()
    change = np.abs(found - found[:, :, :1]).mean((3, 4, 5))
    assert (np.diff(change, axis=2) > 0).all()  # each of these kinds changes the picture more at every severity


def test_codecs_say_what_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "find_spec", lambda name: None)
    monkeypatch.setattr(damage, "_seen", lambda *args: pytest.fail("made"))
    with Image.open(damage.write(tmp_path / "sheet.png", kinds=["h265_crf"])) as sheet:
        assert (np.asarray(sheet)[TITLE:, LABEL:] < 100).any()


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "write", lambda path: path)
    assert cli.main(["scenes", "--corruptions", str(tmp_path / "c.png")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'c.png'}\n"
    assert cli.main(["scenes"]) == 2
    assert "name a file with --contact or --corruptions" in capsys.readouterr().err


def test_what_cannot_be_drawn_is_said_before_anything_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "_scenes", lambda: pytest.fail("drawn"))
    with pytest.raises(ClipError, match="no corruption 'rain'; there is gaussian_noise, "):
        damage.write(tmp_path / "sheet.png", kinds=["rain"])
    with pytest.raises(ClipError, match="nowhere is no folder; name a file in a folder that exists"):
        damage.write(tmp_path / "nowhere" / "sheet.png")
    monkeypatch.undo()
    monkeypatch.setattr(damage, "SHOWN", 1)
    with pytest.raises(ClipError, match=r"cannot write .*name another file"):
        damage.write(tmp_path, kinds=["contrast"])
