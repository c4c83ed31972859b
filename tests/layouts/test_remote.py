"""Shards behind a URL, and Hugging Face data sets on disk."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import painted
import pytest
import test_webdataset

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load, remote
from pytest_clip.data.layouts import huggingface

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def bucket(tmp_path: Path) -> str:
    """The colours of the tests of shards, on a file system of its own in memory."""
    files = fsspec.filesystem("memory")
    root = test_webdataset.classification(tmp_path / "wds_colours")
    files.put(str(root), "/bucket/wds_colours", recursive=True)
    shutil.rmtree(root)
    return "memory://bucket/wds_colours"


def test_a_url_through_the_whole_path(bucket: str, measure: Callable, tmp_path: Path) -> None:
    rows, result = measure(bucket, f"--clip-cache-dir={tmp_path / 'cache'}", suites="accuracy")
    assert (rows["accuracy/top1[clean]"]["value"], rows["accuracy/top1[clean]"]["data"]) == (6 / 7, "colours"), result.outlines


def test_only_what_changed_is_copied_again(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = remote.fetch(bucket, cache=tmp_path / "cache")
    assert sorted(p.name for p in (home / "test").iterdir() if not p.name.startswith(".")) == ["0.tar", "1.tar", "nshards.txt"]
    files, copied = fsspec.filesystem("memory"), []
    monkeypatch.setattr(
        type(files), "get_file", lambda self, source, target, **_: (copied.append(source), Path(target).write_bytes(self.cat(source)))
    )
    assert remote.fetch(bucket, cache=tmp_path / "cache") == home
    assert copied == []
    (home / "test" / "1.tar").write_bytes(b"cut")
    files.pipe("/bucket/wds_colours/classnames.txt", b"class 0\nclass 1\nclass 2\nclass 3\n")
    remote.fetch(bucket, cache=tmp_path / "cache")
    assert [Path(source).name for source in copied] == ["classnames.txt", "1.tar"]
    assert load(str(home)).classes[3] == "class 3"


def test_what_is_wrong_behind_a_url(bucket: str, tmp_path: Path) -> None:
    files = fsspec.filesystem("memory")
    files.rm("/bucket/wds_colours/test/1.tar")
    with pytest.raises(ClipError, match=r"wds_colours/test/1\.tar is missing there; the data set is not whole"):
        remote.fetch(bucket, cache=tmp_path)
    files.pipe("/bucket/wds_colours/test/nshards.txt", b"many")
    with pytest.raises(ClipError, match=r"test/nshards\.txt says 'many', no number of shards; correct it there"):
        remote.fetch(bucket, cache=tmp_path)
    with pytest.raises(ClipError, match=r"no test/nshards\.txt and no val/nshards\.txt .* there; a URL must name the folder of a data set"):
        remote.fetch("memory://bucket/nothing", cache=tmp_path)
    with pytest.raises(ClipError, match=r"--clip-data=nonsense://x: .*install what it names"):
        remote.fetch("nonsense://x", cache=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ClipError, match=r"cannot be fetched into .*; a copy of it can be named instead: --clip-data=DIR"):
        remote.fetch(bucket, cache=tmp_path / "file")


@pytest.mark.parametrize(
    ("text", "url"),
    [("s3://b/x", True), ("simplecache::s3://b", True), ("data::imagenet", False), ("C:/x", False), ("scenes", False), ("x://", False)],
)
def test_what_is_a_url(text: str, url: bool) -> None:
    assert remote.is_url(text) == url


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Five pictures of two classes, saved as the split of a dictionary; the last shows another class."""
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"picture": datasets.Image(), "label": datasets.ClassLabel(names=["class 0", "class 1"])})
    pictures = [{"bytes": painted.encoded(shown, "JPEG"), "path": None} for shown in (0, 1, 0, 1, 1)]
    table = datasets.Dataset.from_dict({"picture": pictures, "label": [0, 1, 0, 1, 0]}, features=features)
    datasets.DatasetDict({"test": table, "train": table}).save_to_disk(str(tmp_path / "colours"))
    forget()
    return tmp_path / "colours"


def forget() -> None:
    huggingface._table.cache_clear()
    huggingface._read.cache_clear()


def test_a_stored_data_set_through_the_whole_path(stored: Path, measure: Callable) -> None:
    rows, result = measure(stored, suites="accuracy")
    assert (rows["accuracy/top1[clean]"]["value"], rows["accuracy/top1[clean]"]["n"]) == (4 / 5, 5), result.outlines
    images = load(str(stored), limit=3).images("clean")
    assert (images.ids, images.labels.tolist()) == (("row-0", "row-1", "row-2"), [0, 1, 0])
    assert images.where(1) == f"{stored}/test: row 1"


def test_what_a_stored_data_set_holds_is_its_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"picture": datasets.Image(), "label": datasets.ClassLabel(names=["class 0", "class 1"])})
    monkeypatch.chdir(tmp_path)
    named = [painted.save(tmp_path / f"{k}.png", k).name for k in (0, 1)]
    inside = {"bytes": painted.encoded(5), "path": None}
    cells = [{"bytes": None, "path": each} for each in named] + [inside]
    plain = features | {"picture": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}}
    datasets.Dataset.from_dict({"picture": cells, "label": [0, 1, 0]}, features=datasets.Features(plain)).save_to_disk("stored")
    info = tmp_path / "stored" / "dataset_info.json"  # `save_to_disk` would copy the pictures of an image column into the table
    told = json.loads(info.read_text())
    info.write_text(json.dumps(told | {"features": told["features"] | {"picture": {"_type": "Image"}}}))

    def fingerprint(place: str) -> str:
        forget()
        return load(place).images("clean").fingerprint

    before = fingerprint("stored")
    shutil.copytree("stored", "copy", copy_function=shutil.copyfile)
    for path in (tmp_path / "copy").iterdir():
        os.utime(path, (1, 1))
    assert fingerprint("copy") == before
    times = (tmp_path / "1.png").stat()
    data = bytearray((tmp_path / "1.png").read_bytes())
    data[-20] ^= 1  # of the same size, at the same time
    (tmp_path / "1.png").write_bytes(data)
    os.utime(tmp_path / "1.png", ns=(times.st_atime_ns, times.st_mtime_ns))
    changed = fingerprint("stored")
    assert changed != before
    (tmp_path / "0.png").unlink()
    assert fingerprint("stored") not in (before, changed)
    with pytest.raises(ClipError, match=r"1 of 3 images cannot be read \(0 allowed\)"):
        load("stored", max_unreadable=0).images("clean")


def test_a_stored_data_set_that_cannot_be_measured(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    table = datasets.load_from_disk(str(stored / "test"))

    def refused(some: object, says: str) -> None:
        shutil.rmtree(stored)
        some.save_to_disk(str(stored))  # type: ignore[attr-defined]
        forget()
        with pytest.raises(ClipError, match=says):
            catalog.sets(str(stored))

    refused(table.remove_columns("label"), r"it has picture, but no column label and none caption; rename one")
    refused(table.cast_column("label", datasets.Value("int64")), r"the column label has no class names; cast it to ClassLabel, or write")
    refused(table.remove_columns("picture"), r"it has label, but no column of images; cast it with datasets\.Image")
    secret = table.remove_columns("label").add_column("label", [-1] * 5).cast_column("label", datasets.ClassLabel(names=["a", "b"]))
    refused(secret, r"row 0: label -1, but labels of this split are kept secret; measure another split")
    refused(datasets.DatasetDict({"train": table}), r"none of the splits test, validation, val; name the folder of the one")
    arrow = next((stored / "train").glob("*.arrow"))
    arrow.write_bytes(arrow.read_bytes()[: arrow.stat().st_size // 2])
    forget()
    with pytest.raises(ClipError, match=r"train: cannot be read \(.*\); save it again"):
        catalog.sets(str(stored / "train"))
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    forget()
    with pytest.raises(ClipError, match=r"a data set of Hugging Face; pip install pytest-clip\[shards\]"):
        catalog.sets(str(stored / "train"))


def test_captions_of_a_stored_data_set(tmp_path: Path, measure: Callable) -> None:
    datasets = pytest.importorskip("datasets")
    forget()
    features = datasets.Features({"image": datasets.Image(), "sentences": datasets.Sequence(datasets.Value("string"))})
    pictures = [{"bytes": painted.encoded(k), "path": None} for k in (1, 2)]
    datasets.Dataset.from_dict({"image": pictures, "sentences": [["a 1", "so 1"], ["a 2", "no, 1"]]}, features=features).save_to_disk(
        str(tmp_path / "told")
    )
    rows, result = measure(tmp_path / "told", suites="retrieval")
    row = rows["retrieval/image_retrieval_recall_at_1[test]"]
    assert (row["value"], row["n"]) == (3 / 4, 4), result.outlines
    (found,) = layouts.find(str(tmp_path / "told"))
    assert huggingface.problems(found) == []
