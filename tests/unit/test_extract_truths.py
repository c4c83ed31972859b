"""Stored correspondences: the same numbers as computed ones, made once, made again after damage or for other pictures."""

import numpy as np
import pytest

from pytest_clip.data import load
from pytest_clip.extract import cache as kept
from pytest_clip.extract import truths


def same(one, other):
    assert len(one) == len(other) > 1
    for a, b in zip(one, other, strict=True):
        for name, value in vars(a).items():
            assert np.array_equal(value, getattr(b, name)), name
            assert np.asarray(value).dtype == np.asarray(getattr(b, name)).dtype


@pytest.fixture(scope="module")
def data():
    return load("scenes", limit=38)


@pytest.mark.parametrize(
    ("ask", "name", "module"),
    [(truths.view_pairs, "viewpoint-15-30", "view_pairs"), (truths.keypoint_pairs, "instances", "keypoint_pairs")],
)
def test_what_comes_back_is_what_was_computed(tmp_path, data, monkeypatch, ask, name, module):
    computed = getattr(data, module)(name)
    same(ask(tmp_path, data, name), computed)
    (file,) = (tmp_path / truths.PLACE).glob("*.npy")
    monkeypatch.setattr(type(data), module, lambda *a: pytest.fail("computed again"))
    same(ask(tmp_path, data, name), computed)
    assert not list(kept.torn(tmp_path))
    monkeypatch.undo()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert [path for path, _ in kept.torn(tmp_path)] == [file]
    same(ask(tmp_path, data, name), computed)
    assert not list(kept.torn(tmp_path))


def test_other_pictures_and_other_lines_have_truths_of_their_own(tmp_path, data, monkeypatch):
    truths.keypoint_pairs(tmp_path, data, "instances")
    truths.keypoint_pairs(tmp_path, load("scenes", limit=57), "instances")
    assert len(list((tmp_path / truths.PLACE).glob("*.npy"))) == 2
    read = truths.Path.read_bytes
    monkeypatch.setattr(truths.Path, "read_bytes", lambda path: read(path) + (b"#" if path.name == "twoviews.py" else b""))
    truths.keypoint_pairs(tmp_path, data, "instances")
    assert len(list((tmp_path / truths.PLACE).glob("*.npy"))) == 3


def test_the_cache_counts_and_clears_them(tmp_path, data):
    truths.keypoint_pairs(tmp_path, data, "instances")
    assert truths.PLACE in kept.PLACES
    assert kept.clear(tmp_path) > 1000
    assert not (tmp_path / truths.PLACE).exists()
