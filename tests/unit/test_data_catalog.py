"""Which image sets a data set has, told without loading anything; `load` and its `Data`."""

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, load
from pytest_clip.data.classfolders import class_folders


def folder(root: Path, tree: dict[str, list[str]]) -> Path:
    for name, files in tree.items():
        (root / name).mkdir(parents=True)
        for f in files:
            (root / name / f).write_bytes(f.encode())
    return root


def test_the_catalog_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pytest_clip.data import catalog, load; catalog.sets('scenes'); load('scenes').name;"
        "print([m for m in ('torch', 'numpy', 'scipy', 'open_clip', 'matplotlib', 'PIL', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_roles_of_the_embedded_sets() -> None:
    roles = {s.name: s.role for s in catalog.sets("scenes")}
    assert roles["clean"] == "clean"
    assert (roles["pose"], roles["shift_far"], roles["near"], roles["typical"]) == ("factor", "shift", "ood", "slice")
    assert roles["cue_conflict"] == roles["cue_matched"] == "cue"
    assert (roles["viewpoint-0-15"], roles["instances"]) == ("viewpoint", "keypoints")
    assert (roles["studio"], roles["note_word"], len(roles)) == ("slice", "note", 39)


def test_a_folder_has_one_set_of_all_images(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", {"cat": ["a.jpg", "b.PNG", "notes.txt"], "dog": ["c.jpeg"], "empty": []})
    assert catalog.sets(str(root)) == (catalog.SetInfo("clean", "clean", 3),)


def test_class_folders_are_sorted_and_pass_over_hidden_files(tmp_path: Path) -> None:
    tree = {"b": ["2.png", "1.jpg", ".3.jpg"], "a": ["x.webp"], ".hidden": ["1.jpg"]}
    found = class_folders(str(folder(tmp_path, tree)))
    assert {k: [f.name for f in v] for k, v in found.items()} == {"a": ["x.webp"], "b": ["1.jpg", "2.png"]}
    assert list(found) == ["a", "b"]


def test_a_folder_that_looks_like_an_image_is_not_one(tmp_path: Path) -> None:
    folder(tmp_path, {"a": ["1.jpg"], "b": ["1.jpg"]})
    (tmp_path / "a" / "more.jpg").mkdir()
    assert [len(v) for v in class_folders(str(tmp_path)).values()] == [1, 1]


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"--clip-data=.*nowhere: no such folder.*use --clip-data=scenes or a folder of class folders"):
        catalog.sets(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("tree", "found"),
    [({}, 0), ({"cat": ["a.jpg"]}, 1), ({"cat": ["a.jpg"], "dog": ["a.txt"]}, 1), ({".a": ["a.jpg"], ".b": ["a.jpg"]}, 0)],
)
def test_fewer_than_two_classes(tmp_path: Path, tree: dict[str, list[str]], found: int) -> None:
    folder(tmp_path, tree)
    with pytest.raises(ClipError, match=rf"needs at least two class folders with images .*found {found}; expected .*/CLASS/IMAGE.jpg"):
        catalog.sets(str(tmp_path))


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(ClipError, match="no such folder"):
        catalog.sets(str(tmp_path / "x"))


def test_an_unknown_image_set_is_named() -> None:
    with pytest.raises(ClipError, match="scenes has no image set 'sideways'; it has clean, typical, shift_light"):
        load("scenes").images("sideways")


def test_data_gives_classes_templates_and_the_same_set_twice() -> None:
    data = load("scenes", limit=19)
    assert len(data.classes) == 19
    assert all(t.count("{c}") == 1 for t in data.templates)
    assert data.images("clean") is data.images("clean")
    assert len(data.images("clean")) == 19
    assert (data.name, data.limit) == ("scenes", 19)


def test_the_fingerprint_of_data_covers_the_sets_that_were_asked_for_and_the_limit(tmp_path: Path) -> None:
    root = folder(tmp_path / "pets", {"cat": ["a.jpg", "b.jpg"], "dog": ["c.jpg"]})
    folder(root / "ood", {"near": ["x.jpg"]})
    whole, again, part = load(str(root)), load(f"{root}/"), load(str(root), limit=2)
    assert whole.fingerprints == {}
    for data in (whole, again, part):
        data.images("clean")
    assert whole.fingerprint == again.fingerprint != part.fingerprint
    assert list(whole.fingerprints) == ["clean"]
    again.images("near")
    assert whole.fingerprint != again.fingerprint
    assert len(again.fingerprint) == 16


@pytest.mark.parametrize("text", ["pets", "pets/", "./pets", "pets/."])
def test_the_name_of_a_folder_is_its_last_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    folder(tmp_path / "pets", {"cat": ["a.jpg"], "dog": ["c.jpg"]})
    monkeypatch.chdir(tmp_path)
    assert load(text).name == load(text).images("clean").data == "pets"


def test_the_name_of_the_working_folder_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(tmp_path / "pets", {"cat": ["a.jpg"], "dog": ["c.jpg"]}))
    assert load(".").name == load(".").images("clean").data == "pets"
