"""The contact sheet."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data.scenes import contact


def test_a_sheet_shows_every_object_and_the_sets_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "DRAWS", 1)
    monkeypatch.setattr(contact, "COLUMNS", 2)
    path = contact.write(tmp_path / "sheet.png", sets=["clean", "pose", "far"])
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        pixels = np.asarray(sheet)
    cell = contact.PICTURE + contact.GAP
    assert pixels.shape[0] >= (13 + 4) * cell  # 25 objects in two columns; clean, clean matched, pose, far
    names = pixels[contact.TITLE : 13 * cell, : contact.LABEL]
    assert (names < 100).any(axis=(1, 2)).sum() > 13 * 8  # text of at least 8 pixels' height in every row
    first = pixels[contact.TITLE : contact.TITLE + contact.PICTURE, contact.LABEL : contact.LABEL + contact.PICTURE]
    assert first.std() > 5


def test_rows_of_factors_stand_under_their_matched_scenes() -> None:
    rows = dict(contact._set_rows(["clean", "pose", "near"]))
    assert list(rows) == ["clean", "clean, matched", "pose", "near"]
    assert [s.instance for s in rows["pose"]] == [s.instance for s in rows["clean, matched"]]


def test_notes_and_portraits_have_rows_too() -> None:
    rows = dict(contact._set_rows(["clean", "studio", "note_word"]))
    assert [len(rows[name]) for name in ("studio", "note_word")] == [contact.COLUMNS] * 2
    assert contact._pictures(rows["note_word"][:2]).shape == (2, 128, 128, 3)
    assert contact._pictures(rows["studio"][:1]).shape == (1, 224, 224, 3)


def test_an_unknown_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no image set 'sideways'; it has clean, typical"):
        contact.write(tmp_path / "sheet.png", sets=["sideways"])


def test_a_folder_that_does_not_exist_is_named_before_anything_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "render_rgb", lambda scenes: pytest.fail("drawn"))
    with pytest.raises(ClipError, match="nowhere is no folder; name a file in a folder that exists"):
        contact.write(tmp_path / "nowhere" / "sheet.png")


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "DRAWS", 1)
    monkeypatch.setattr(contact, "COLUMNS", 1)
    with pytest.raises(ClipError, match=r"cannot write .*name another file"):
        contact.write(tmp_path, sets=["clean"])
