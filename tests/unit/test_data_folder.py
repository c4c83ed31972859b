"""A folder of class folders as an image set."""

import os
from pathlib import Path

import numpy as np
import pytest

from pytest_clip.data.folder import image_set


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Three cats, one dog, two guinea pigs."""
    for name, count in (("cat", 3), ("dog", 1), ("guinea_pig", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{i}.jpg").write_bytes(b"x" * (i + 1))
    return tmp_path


def test_images_come_class_by_class_in_turn(pets: Path) -> None:
    images = image_set(str(pets))
    assert images.ids == ("cat/0.jpg", "dog/0.jpg", "guinea_pig/0.jpg", "cat/1.jpg", "guinea_pig/1.jpg", "cat/2.jpg")
    assert images.labels.tolist() == [0, 1, 2, 0, 2, 0]
    assert images.labels.dtype == np.int64
    assert images.classes == ("cat", "dog", "guinea pig")
    assert images.files == tuple(pets / i for i in images.ids)
    assert (images.name, images.role, images.pairs, images.scenes) == ("clean", "clean", None, None)


def test_a_limit_keeps_the_balance_and_all_classes(pets: Path) -> None:
    images = image_set(str(pets), limit=4)
    assert images.labels.tolist() == [0, 1, 2, 0]
    assert images.classes == ("cat", "dog", "guinea pig")


def touch(path: Path) -> None:
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))


def test_the_fingerprint_follows_the_files(pets: Path) -> None:
    before = image_set(str(pets)).fingerprint
    assert image_set(str(pets)).fingerprint == before
    changes = [
        lambda: touch(pets / "cat" / "0.jpg"),
        lambda: (pets / "cat" / "0.jpg").write_bytes(b"longer"),
        lambda: (pets / "cat" / "0.jpg").rename(pets / "cat" / "9.jpg"),
        lambda: (pets / "dog").rename(pets / "doggo"),
        lambda: (pets / "doggo" / "1.jpg").write_bytes(b"new"),
    ]
    seen = {before}
    for change in changes:
        change()
        seen.add(image_set(str(pets)).fingerprint)
    assert len(seen) == len(changes) + 1


def test_the_fingerprint_does_not_depend_on_the_place_or_on_other_files(pets: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = image_set(str(pets)).fingerprint
    (pets / "cat" / "notes.txt").write_text("x")
    moved = tmp_path_factory.mktemp("elsewhere") / "pets"
    pets.rename(moved)
    assert image_set(str(moved)).fingerprint == before


def test_a_limit_that_leaves_out_a_file_gives_another_fingerprint(pets: Path) -> None:
    prints = {image_set(str(pets), limit=n).fingerprint for n in (3, 4, 5, 6)}
    assert len(prints) == 4
    assert image_set(str(pets), limit=99).fingerprint == image_set(str(pets)).fingerprint
