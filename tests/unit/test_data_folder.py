"""A folder of class folders as an image set."""

import os
from pathlib import Path

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, load
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
    touch(pets / "cat" / "9.jpg")
    assert image_set(str(pets)).fingerprint in seen  # a checkout sets new times


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


def named(root: Path, lines: str) -> tuple[tuple[str, ...], list[int]]:
    (root / "classnames.txt").write_text(lines)
    images = image_set(str(root))
    return images.classes, [
        int(images.labels[images.ids.index(f"{k}/0.jpg")]) for k in sorted(p.name for p in root.iterdir() if p.is_dir())
    ]


def test_class_names_belong_to_folders_by_name_by_number_or_in_order(pets: Path) -> None:
    assert named(pets, "guinea pig\ncat\nhorse\ndog\n") == (("guinea pig", "cat", "horse", "dog"), [1, 3, 0])
    assert named(pets, "a cat\na dog\na pig\n") == (("a cat", "a dog", "a pig"), [0, 1, 2])
    for old, new in (("cat", "10"), ("dog", "2"), ("guinea_pig", "0")):
        (pets / old).rename(pets / new)
    names = "\n".join(f"kind {i}" for i in range(11))
    assert named(pets, names)[1] == [0, 10, 2]  # 10 stands before 2 as a text, and is the label 10 all the same


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("a\nb\n", r"classnames\.txt: 2 lines for 3 class folders; write one for each of them in the order of cat, dog \.\.\., because"),
        (
            "cat\nhund\nguinea pig\n",
            r"classnames\.txt: names the folder cat, but not dog; write a line for every folder, or none by its name",
        ),
        ("cat\n\ndog\n", r"classnames\.txt:2: an empty line shifts the labels of all classes after it"),
        ("cat\n", r"classnames\.txt: holds 1 class names, at least two are needed"),
    ],
)
def test_class_names_that_would_shift_labels_are_refused(pets: Path, lines: str, says: str) -> None:
    (pets / "classnames.txt").write_text(lines)
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(pets))


def test_a_numbered_folder_without_a_name(pets: Path) -> None:
    for old, new in (("cat", "1"), ("dog", "2"), ("guinea_pig", "7")):
        (pets / old).rename(pets / new)
    (pets / "classnames.txt").write_text("a\nb\nc\n")
    with pytest.raises(ClipError, match=r"names 3 classes \(0\.\.2\), but there is a folder .*/7; add the names"):
        catalog.sets(str(pets))


def test_templates_and_unknown_images_beside_class_folders(pets: Path) -> None:
    (pets / "templates.txt").write_text("a {c}\n\nmy {}\n")
    for name in ("near", "far"):
        (pets / "ood" / name).mkdir(parents=True)
        (pets / "ood" / name / "x.jpg").write_bytes(b"x")
    assert [(each.name, each.role, each.n) for each in catalog.sets(str(pets))] == [
        ("clean", "clean", 6),
        ("far", "ood", 1),
        ("near", "ood", 1),
    ]
    data = load(str(pets))
    assert data.templates == ("a {c}", "my {c}")
    assert (data.images("near").ids, data.images("near").labels.tolist()) == (("ood/near/x.jpg",), [-1])
    assert data.classes == ("cat", "dog", "guinea pig")


def test_a_folder_named_ood_with_images_in_it_is_a_class(pets: Path) -> None:
    (pets / "ood").mkdir()
    (pets / "ood" / "x.jpg").write_bytes(b"x")
    assert [each.name for each in catalog.sets(str(pets))] == ["clean"]
    assert image_set(str(pets)).classes == ("cat", "dog", "guinea pig", "ood")
