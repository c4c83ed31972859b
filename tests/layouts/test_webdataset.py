"""Shards as CLIP_benchmark lays them: the known answer through the whole path, and the sentence for each wrong tree."""

import io
import tarfile
from pathlib import Path

import painted
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load


def shard(path: Path, samples: list[tuple[str, dict[str, bytes]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for key, parts in samples:
            for suffix, data in parts.items():
                info = tarfile.TarInfo(f"{key}.{suffix}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


LABELS = [0, 2, 1, 2, 2, 0, 1]
SHOWN = [0, 2, 1, 2, 1, 0, 1]
"""The fifth shows another class than its label says: 6 of 7 are right."""


def classification(root: Path) -> Path:
    """Seven samples of three classes in two shards, in three formats."""
    kinds = [("webp", "WEBP"), ("png", "PNG"), ("jpg", "JPEG")]
    samples = [
        (f"s{i:07d}", {kinds[i % 3][0]: painted.encoded(shown, kinds[i % 3][1]), "cls": f"{label}\n".encode()})
        for i, (label, shown) in enumerate(zip(LABELS, SHOWN, strict=True))
    ]
    shard(root / "test" / "0.tar", samples[:4])
    shard(root / "test" / "1.tar", samples[4:])
    (root / "test" / "nshards.txt").write_text("2\n")
    (root / "classnames.txt").write_text("class 0\nclass 1\nclass 2\n")
    (root / "zeroshot_classification_templates.txt").write_text("a photo of a {c}\nthe {c}\n")
    return root


def test_classification_through_the_whole_path(tmp_path: Path, measure) -> None:
    rows, result = measure(classification(tmp_path / "wds_colours"), suites="accuracy,checkpoint")
    top1 = rows["accuracy/top1[clean]"]
    assert (top1["value"], top1["n"], top1["data"]) == (6 / 7, 7, "colours"), result.outlines
    assert top1["conventions"]["templates"] == 2
    assert rows["accuracy/mean_per_class[clean]"]["value"] == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert rows["checkpoint/tokenizer"]["value"] == 1.0


def test_a_limit_keeps_the_balance(tmp_path: Path) -> None:
    images = load(str(classification(tmp_path / "wds_colours")), limit=4).images("clean")
    assert images.labels.tolist() == [0, 1, 2, 0]
    assert images.ids == ("0/s0000000", "0/s0000002", "0/s0000001", "1/s0000005")
    assert images.read is not None
    assert images.where(3) == f"{tmp_path}/wds_colours/test/1.tar: s0000005.jpg"


def test_captions_through_the_whole_path(tmp_path: Path, measure) -> None:
    """Three images with two captions each. The second caption of the second image is about the third, and ties with that one's own."""
    root = tmp_path / "pictures"
    captions = ["it is 1\nseen: 1", "it is 2\nseen: 3", "it is 3\n\nall 3 \n"]
    shard(
        root / "test" / "0.tar",
        [(f"s{i}", {"webp": painted.encoded(i + 1, "WEBP"), "txt": text.encode()}) for i, text in enumerate(captions)],
    )
    (root / "test" / "nshards.txt").write_text("1")
    (root / "dataset_type.txt").write_text("retrieval\n")
    rows, result = measure(root, suites="retrieval")
    image, text = (rows[f"retrieval/{way}_retrieval_recall_at_1[test]"] for way in ("image", "text"))
    assert (image["value"], image["n"]) == (5 / 6, 6), result.outlines
    assert (text["value"], text["n"]) == (pytest.approx(2 / 3), 3)  # ties count against the right answer
    assert image["ci"][0] < 5 / 6 <= image["ci"][1]
    assert (image["conventions"]["gallery"], text["conventions"]["gallery"]) == (3, 6)


def test_the_folder_of_shards_itself_and_a_folder_of_several(tmp_path: Path) -> None:
    classification(tmp_path / "wds_a")
    classification(tmp_path / "wds_b")
    assert [text for text, _ in catalog.expand(str(tmp_path))] == [f"{tmp_path}::a", f"{tmp_path}::b"]
    for name in ("classnames.txt", "zeroshot_classification_templates.txt"):
        (tmp_path / "wds_a" / name).rename(tmp_path / "wds_a" / "test" / name)
    assert [each.n for each in catalog.sets(str(tmp_path / "wds_a" / "test"))] == [7]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:560])


WRONG = {
    "a shard is missing": (lambda r: (r / "test/1.tar").unlink(), r"test: 1 of 2 shards are missing \(1\.tar\); fetch them"),
    "a shard too many": (lambda r: shard(r / "test/2.tar", []), r"nshards\.txt says 2 shards, but 2\.tar is there, too; remove it"),
    "no number": (lambda r: (r / "test/nshards.txt").write_text("two"), r"nshards\.txt:1: 'two' is no number of shards; write 2"),
    "a truncated shard": (lambda r: cut(r / "test/1.tar"), r"1\.tar: .* ends behind the end of the file; the shard is truncated"),
    "labels from 1": (
        lambda r: (r / "classnames.txt").write_text("a\nb\n"),
        r"0\.tar: s0000001\.png: label 2, but .*classnames\.txt names 2 classes",
    ),
    "an empty line": (lambda r: (r / "classnames.txt").write_text("a\n\nb\nc"), r"classnames\.txt:2: an empty line shifts the labels"),
    "no names": (lambda r: (r / "classnames.txt").unlink(), r"classnames\.txt is missing; write one class name a line"),
    "multilabel": (
        lambda r: (r / "dataset_type.txt").write_text("multilabel\n"),
        r"dataset_type\.txt:1: images with several labels each are measured by the mean average precision over classes, which no suite "
        r"has; "
        r"supported are classification \(one class an image, a number in \.cls\) and retrieval \(captions in \.txt\): name another",
    ),
    "multilabel without saying so": (
        lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x", "npy": b"\x93NUMPY"})]),
        r"1\.tar: s9\.png: the sample has no label in \.cls, but an array in \.npy: images with several labels each",
    ),
    "no label": (lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x"})]), r"s9\.png: the sample has no label in \.cls; if these are"),
    "another kind": (lambda r: (r / "dataset_type.txt").write_text("boxes"), r"dataset_type\.txt:1: 'boxes' is not supported; there is"),
    "no captions": (lambda r: (r / "dataset_type.txt").write_text("retrieval"), r"s0000000\.webp: the sample has no caption in \.txt"),
    "template": (
        lambda r: (r / "zeroshot_classification_templates.txt").write_text("a {c}\nphoto"),
        r"zeroshot_classification_templates\.txt:2: no \{c\} in 'photo'; every class would be the same text",
    ),
    "a word as label": (
        lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x", "cls": b"cat"})]),
        r"1\.tar: s9\.png: the label 'cat' is no whole number",
    ),
    "no picture": (
        lambda r: shard(r / "test/1.tar", [("s9", {"cls": b"1"})]),
        r"1\.tar: the sample s9 has no picture \(webp, png, jpg, jpeg\)",
    ),
    "two pictures": (
        lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x", "jpg": b"x", "cls": b"1"})]),
        r"the sample s9 has 2 pictures \(png, jpg\)",
    ),
    "a split sample": (
        lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x"}), ("s8", {"png": b"x", "cls": b"1"}), ("s9", {"png": b"1"})]),
        r"the sample 1/s9 is there twice; its two parts must stand together",
    ),
    "twice": (lambda r: shard(r / "test/1.tar", [("s9", {"png": b"x"}), ("s9", {"png": b"x"})]), r"1\.tar: s9\.png is there twice"),
    "no sample": (lambda r: [shard(r / f"test/{i}.tar", []) for i in (0, 1)], r"test: the 2 shards hold no sample"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_trees_are_refused(tmp_path: Path, case: str) -> None:
    root = classification(tmp_path / "wds_colours")
    break_it, says = WRONG[case]
    break_it(root)
    with pytest.raises(ClipError, match=says):
        print(load(str(root)).templates)
    (found,) = layouts.find(str(root))
    if case != "template":
        assert layouts.problems(found)[0].level == "refuse"


def test_a_missing_count_or_template_is_said(tmp_path: Path) -> None:
    root = classification(tmp_path / "wds_colours")
    (root / "test/nshards.txt").unlink()
    (root / "zeroshot_classification_templates.txt").unlink()
    (found,) = layouts.find(str(root))
    said = [each.what for each in layouts.layout("webdataset").problems(found)]
    assert "no nshards.txt, so a missing last shard is not noticed; write the number of shards into it" in said[0]
    assert "no zeroshot_classification_templates.txt; 'a photo of a {c}' is used" in said[1]


def test_a_damaged_picture_is_named_by_shard_and_member(tmp_path: Path, measure) -> None:
    root = classification(tmp_path / "wds_colours")
    shard(root / "test/1.tar", [("s9", {"png": painted.encoded(1)[:60], "cls": b"1"})])
    _, result = measure(root, suites="accuracy")
    result.stdout.fnmatch_lines(["*test/1.tar: s9.png: not a readable image (*); replace or remove the file*"])


def test_the_fingerprint_follows_shards_and_names(tmp_path: Path) -> None:
    root = classification(tmp_path / "wds_colours")
    prints = {load(str(root), limit=n).images("clean").fingerprint for n in (None, 3, 4)}
    assert len(prints) == 3
