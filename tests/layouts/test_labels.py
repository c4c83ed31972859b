"""What data sets are called: names of every script, one name for one folder, and `scenes` for the embedded benchmark alone."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.data import catalog, labels, load
from pytest_clip.models import names

HIGH = 'schema = 1\n[data.scenes.gates."accuracy/top1[clean]"]\nmin = 1.0\n[data."データ".gates."accuracy/top1[clean]"]\nmin = 0.5\n'


def pets(root: Path) -> Path:
    for k in range(6):
        painted.save(root / f"class {k % 2}" / f"{k}.png", k % 2 if k else 1, (30 + k, 30))
    return root


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("データ", "データ"), ("日本語", "日本語"), ("模型", "模型"), ("данные", "данные"), ("हिन्दी", "हिन्दी"),
        ("café", "café"), ("cafe\u0301", "café"), ("my pets", "my-pets"), ("a/b::c[1]@2", "a-b-c-1-2"), ("\u202eabc", "abc"),
        ("-x-", "x"), ("x" * 99, "x" * 60), ("a_b.c,d+e=f-g", "a_b.c,d+e=f-g"), ("a--b", "a--b"),
    ],
)  # fmt: skip
def test_labels_keep_letters_of_every_script(name: str, label: str) -> None:
    assert labels.safe(name) == label
    assert unicodedata.is_normalized("NFC", labels.safe(name))


def test_names_without_a_letter_are_told_apart() -> None:
    assert labels.safe("🐈") != labels.safe("🐕")
    assert labels.safe("🐈").startswith("data-")
    assert names.unique(["a", "a", "a-2", "b"]) == ["a", "a-2", "a-2-2", "b"]


def test_one_folder_is_one_data_set_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pets(tmp_path / "pets"), pets(tmp_path / "b" / "pets")
    (tmp_path / "link").symlink_to(one)
    monkeypatch.chdir(tmp_path)
    same = [str(one), f"{one}/", "pets", "./pets/", "b/../pets", "link"]
    assert labels.chosen(same) == [("pets", str(one))]
    assert labels.chosen([*same, str(other)]) == [("pets", str(one)), ("pets-2", str(other))]
    assert labels.chosen(["scenes", "scenes"]) == [("scenes", "scenes")]
    monkeypatch.chdir(one)
    assert labels.chosen(["."]) == [("pets", ".")]


def test_own_data_called_scenes_is_not_the_embedded_benchmark(tmp_path: Path, measure: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    root = pets(tmp_path / "scenes")
    rows, result = measure(root, suites="accuracy", rules='schema = 1\n[data.own-scenes.gates."accuracy/top1[clean]"]\nmin = 0.5\n')
    assert {row["data"] for row in rows.values()} == {"own-scenes"}
    row = rows["accuracy/top1[clean]"]
    assert (row["verdict"], row["rule"]["source"].endswith("thresholds.toml:3")) == ("pass", True)
    told = result.stdout.str()
    assert (
        told.count("the name scenes is that of the embedded benchmark, for which rules are shipped; this data set is called own-scenes")
        == 1
    )
    assert load(str(root)).name == load(str(root)).images("clean").data == "own-scenes"
    painted.save(root / "x.png", 1)
    (root / "manifest.csv").write_text("path,label\nclass 0/0.png,a\nclass 1/1.png,b\n")
    assert [label for _, label in catalog.expand(str(root))] == ["own-scenes"]
    monkeypatch.chdir(tmp_path)
    from pytest_clip.data import doctor

    (said,) = doctor.quick("scenes")
    assert said.what == "the embedded benchmark is measured; the folder scenes here is another: --clip-data=./scenes"


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_a_name_of_another_script_through_a_whole_run(tmp_path: Path, measure: Callable, workers: tuple[str, ...]) -> None:
    junit = tmp_path / "junit.xml"
    rows, result = measure(
        pets(tmp_path / "データ"), *workers, f"--junitxml={junit}", "-v", suites="accuracy", rules=HIGH
    )  # fmt: skip
    assert {row["data"] for row in rows.values()} == {"データ"}, result.outlines
    assert rows["accuracy/top1[clean]"]["verdict"] == "pass"
    assert rows["accuracy/top1[clean]"]["value"] == 5 / 6
    ids = {word for line in result.outlines for word in line.split() if "::test_top1[" in word}
    assert ids == {r"suites/test_accuracy.py::test_top1[ViT-B-32-\u30c7\u30fc\u30bf-accuracy/top1[clean]]"}  # pytest's own way
    assert "データ" in junit.read_text(encoding="utf-8")
