"""Pictures before and after a change, on disk."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.report import flips


def test_pairs_lie_side_by_side_with_what_is_told_about_them(tmp_path: Path) -> None:
    before = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
    flips.keep(tmp_path / "a" / "rotate-15", before, 255 - before, [{"id": "x"}, {"id": "y"}])
    told = json.loads((tmp_path / "a" / "rotate-15" / "flips.json").read_text())
    assert [each["id"] for each in told] == ["x", "y"]
    for each, picture in zip(told, before, strict=True):
        shown = np.asarray(Image.open(tmp_path / "a" / "rotate-15" / each["picture"]))
        assert shown.shape == (4, 10, 3)
        assert (shown[:, :5] == picture.permute(1, 2, 0).numpy()).all()
        assert (shown[:, 5:] == 255 - shown[:, :5]).all()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClipError, match=r"cannot write pictures to .*file.*; free space, or choose another place with --clip-cache-dir"):
        flips.keep(tmp_path / "file" / "x", torch.zeros(0, 3, 2, 2, dtype=torch.uint8), torch.zeros(0, 3, 2, 2, dtype=torch.uint8), [])
