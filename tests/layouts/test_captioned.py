"""Flickr30k, COCO, SugarCrepe and Winoground: the known answer through the whole path, and the sentence for each wrong tree."""

import json
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load

TEXTS = {"100.jpg": ["a 1", "so, a 1", "a 2"], "7.jpg": ["a 2", "the 2"], "50.jpg": ["a 3", "a .jpg, 3", "x 9"]}
NUMBERS = {"100.jpg": 1, "7.jpg": 2, "50.jpg": 3}
# One caption of 100.jpg is about 7.jpg, which has the very same one, so each leaves the other out; nobody shows 9.


def flickr(root: Path) -> Path:
    lines = ["image,caption", *(f"{name},{text}" for name, texts in TEXTS.items() for text in texts)]
    root.mkdir()
    (root / "flickr30k_test_karpathy.txt").write_text("\n".join(lines) + "\n\n")
    for name, number in NUMBERS.items():
        painted.save(root / "flickr30k-images" / name, number)
    return root


def coco(root: Path) -> Path:
    images = [{"id": 90 - i, "file_name": name} for i, name in enumerate(TEXTS)]
    notes = [{"image_id": 90 - i, "id": 0, "caption": f"{text}\n"} for i, texts in enumerate(TEXTS.values()) for text in texts]
    (root / "val2014").mkdir(parents=True)
    (root / "coco_test_karpathy.json").write_text(json.dumps({"images": images, "annotations": notes[::-1]}))
    for name, number in NUMBERS.items():
        painted.save(root / "val2014" / name, number)
    return root


def karpathy(root: Path) -> Path:
    images = [{"filename": n, "split": "test", "sentences": [{"raw": text} for text in texts]} for n, texts in TEXTS.items()]
    root.mkdir()
    other = {"filename": "no.jpg", "split": "train", "sentences": [{"raw": "a 4"}]}
    (root / "dataset_flickr30k.json").write_text(json.dumps({"images": [other, *images]}))
    for name, number in NUMBERS.items():
        painted.save(root / "images" / name, number)
    return root


@pytest.mark.parametrize(("lay", "name"), [(flickr, "flickr30k"), (coco, "coco"), (karpathy, "flickr30k")])
def test_recalls_through_the_whole_path(tmp_path: Path, measure: Callable, lay: Callable, name: str) -> None:
    rows, result = measure(lay(tmp_path / "x"), suites="retrieval")
    image, text = (rows[f"retrieval/{way}_retrieval_recall_at_1[test]"] for way in ("image", "text"))
    assert (image["value"], image["n"], image["data"]) == (6 / 8, 8, name), result.outlines
    # that caption of 100.jpg leaves 7.jpg out, so 100.jpg is second to it and not third; x 9 finds 50.jpg second
    assert rows["retrieval/image_retrieval_mean_rank[test]"]["value"] == (6 * 1 + 2 + 2) / 8
    for row in (image, text):
        assert (row["conventions"]["shared_captions"], row["conventions"]["twins"]) == (2, "left out both ways")
    # of 3 pictures 2 of the 8 captions leave one out; of 8 captions each of the two pictures leaves one out
    assert image["conventions"]["chance"] == pytest.approx((6 / 3 + 2 / 2) / 8, abs=1e-6)
    assert text["conventions"]["chance"] == pytest.approx((3 / 7 + 2 / 7 + 3 / 8) / 3, abs=1e-6)
    assert (text["value"], text["n"]) == (1.0, 3)
    assert rows["retrieval/image_retrieval_recall_at_5[test]"]["value"] == 1.0
    assert rows["retrieval/text_retrieval_median_rank[test]"]["value"] == 1.0


def test_both_in_one_folder_and_a_small_split_is_said(tmp_path: Path) -> None:
    flickr(tmp_path / "flickr30k")
    coco(tmp_path / "coco")
    assert [label for _, label in catalog.expand(str(tmp_path))] == ["flickr30k", "coco"]
    (first, _) = layouts.find(str(tmp_path))
    (said,) = layouts.layout("karpathy").problems(first)
    assert said.level == "warn"
    assert "3 pictures with 8 captions; Karpathy's test split has 1000 with 5000" in said.what


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


WRONG = {
    "no header": (flickr, "flickr30k_test_karpathy.txt", "image,caption\n", "", r"karpathy\.txt:1: a picture where the header should be"),
    "a cut line": (flickr, "flickr30k_test_karpathy.txt", "7.jpg,a 2", "7.jpg", r"karpathy\.txt:5: '7\.jpg' is not PICTURE\.jpg,CAPTION"),
    "outside": (
        flickr, "flickr30k_test_karpathy.txt", "7.jpg,a 2", "../../7.jpg,a 2", r"'\.\./\.\./7\.jpg' points out of .*; do not use this file",
    ),
    "missing": (
        flickr, "flickr30k_test_karpathy.txt", "7.jpg,a 2", "8.jpg,a 2",
        r"1 of 4 pictures are not in .*flickr30k-images, the first one 8\.jpg; get the pictures from https://shannon",
    ),
    "no json": (coco, "coco_test_karpathy.json", '"annotations"', "annotations", r"karpathy\.json:1: no JSON \(.*\); fetch the file again"),
    "no id": (coco, "coco_test_karpathy.json", '"id": 90', '"id": 1', r"karpathy\.json: not in COCO's form \(.*missing: 90\)"),
    "no caption": (coco, "coco_test_karpathy.json", '"annotations": [', '"annotations": [], "x": [', r"100\.jpg has no caption"),
    "no test": (karpathy, "dataset_flickr30k.json", "test", "val", r"dataset_flickr30k\.json: names no picture of the test"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_caption_files_are_refused(tmp_path: Path, case: str) -> None:
    lay, name, old, new, says = WRONG[case]
    root = lay(tmp_path / "x")
    if case == "no test":
        (root / name).write_text((root / name).read_text().replace(old, new))
    else:
        edit(root / name, old, new)
    with pytest.raises(ClipError, match=says):
        load(str(root))
    (found,) = layouts.find(str(root))
    assert layouts.problems(found)[0].level == "refuse"


def test_pictures_that_are_not_there_name_page_and_licence(tmp_path: Path) -> None:
    root = coco(tmp_path / "x")
    (root / "val2014").rename(root / "elsewhere")
    with pytest.raises(
        ClipError, match=r"first picture 100\.jpg is in none of .*val2014.*https://cocodataset\.org/#download \(captions CC BY"
    ):
        load(str(root))


def sugarcrepe(root: Path) -> Path:
    """replace_obj: 2 of 3 right, a tie among the wrong ones; swap_att: none."""
    (root / "data").mkdir(parents=True)
    kinds = {
        "replace_obj": {"3": ("a.jpg", "it is 1", "it is 2"), "8": ("b.jpg", "it is 2", "it is 1"), "11": ("b.jpg", "it is 4", "not 4")},
        "swap_att": {"0": ("a.jpg", "it is 2", "it is 1")},
        "add_obj": {"0": ("b.jpg", "it is 2", "it is 1")},
    }
    for kind, rows in kinds.items():
        told = {k: {"filename": f, "caption": t, "negative_caption": n} for k, (f, t, n) in rows.items()}
        (root / "data" / f"{kind}.json").write_text(json.dumps(told))
    painted.save(root / "data" / "val2017" / "a.jpg", 1)
    painted.save(root / "data" / "val2017" / "b.jpg", 2)
    return root


def test_sugarcrepe_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(sugarcrepe(tmp_path / "x"), suites="retrieval")
    of = {kind: rows[f"retrieval/compositionality[{kind}]"] for kind in ("replace_obj", "swap_att", "add_obj")}
    assert {kind: (row["value"], row["n"]) for kind, row in of.items()} == {
        "replace_obj": (2 / 3, 3),
        "swap_att": (0, 1),
        "add_obj": (1, 1),
    }
    assert of["swap_att"]["data"] == "sugarcrepe", result.outlines
    absent = [each.absent for each in catalog.sets(str(tmp_path)) if each.name == "replace_rel"]
    assert "replace_rel.json is missing; get it from https://github.com/RAIVNLab/sugar-crepe" in absent[0]


def test_wrong_sugarcrepe_files(tmp_path: Path) -> None:
    root = sugarcrepe(tmp_path / "x")
    edit(root / "data" / "swap_att.json", '"negative_caption"', '"negative"')
    with pytest.raises(ClipError, match=r"swap_att\.json: entry 0 lacks 'negative_caption'; fetch the file again from https"):
        catalog.sets(str(root))
    (root / "data" / "swap_att.json").write_text("[]")
    layouts.layout("sugarcrepe")._told.cache_clear()  # type: ignore[attr-defined]
    with pytest.raises(ClipError, match=r"swap_att\.json: not in SugarCrepe's form"):
        catalog.sets(str(root))


QUADS = [(1, 2, "it is 1", "it is 2", "Object"), (3, 4, "it is 3", "it is 3!", "Relation"), (5, 5, "it is 5", "it is 6", "Object")]
# Right; a text for both images: image score only for nobody; one picture twice.


def winoground(root: Path) -> Path:
    lines = []
    for i, (first, second, one, other, tag) in enumerate(QUADS):
        names = [f"ex_{i}_img_{k}" for k in (0, 1)]
        lines.append({"id": i, "image_0": names[0], "image_1": names[1], "caption_0": one, "caption_1": other, "collapsed_tag": tag})
        for name, number in zip(names, (first, second), strict=True):
            painted.save(root / "data" / "images" / f"{name}.png", number)
    (root / "data" / "examples.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return root


def test_winoground_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(winoground(tmp_path / "x"), suites="retrieval")
    got = {gate: (row["value"], row["n"]) for gate, row in rows.items() if "winoground" in gate}
    assert got == {
        **{f"retrieval/winoground_{score}[all]": (1 / 3, 3) for score in ("text", "image", "group")},
        **{f"retrieval/winoground_{score}[object]": (1 / 2, 2) for score in ("text", "image", "group")},
        **{f"retrieval/winoground_{score}[relation]": (0, 1) for score in ("text", "image", "group")},
    }, result.outlines


def test_a_limit_keeps_whole_examples(tmp_path: Path) -> None:
    root = winoground(tmp_path / "x")
    assert load(str(root), limit=5).images("all").ids == ("ex_0_img_0", "ex_0_img_1", "ex_1_img_0", "ex_1_img_1")
    with pytest.raises(ClipError, match="--clip-limit leaves no example of winoground/relation; raise it"):
        load(str(root), limit=2).images("relation")


def test_wrong_winoground_trees(tmp_path: Path) -> None:
    root = winoground(tmp_path / "x")
    (found,) = layouts.find(str(root))
    assert "3 examples, Winoground has 400" in layouts.layout("winoground").problems(found)[0].what
    (root / "data" / "images" / "ex_1_img_1.png").unlink()
    with pytest.raises(ClipError, match=r"1 of 6 pictures are not in .*images, the first one ex_1_img_1\.png; get them from https://hugg"):
        catalog.sets(str(root))
    (root / "data" / "images").rename(root / "data" / "packed")
    (root / "data" / "images.zip").write_bytes(b"")
    assert "the pictures are still packed; unzip" in layouts.layout("winoground").problems(found)[0].what
    edit(root / "data" / "examples.jsonl", '"caption_1": "it is 3!"', '"caption": "x"')
    layouts.layout("winoground")._quads.cache_clear()  # type: ignore[attr-defined]
    with pytest.raises(ClipError, match=r"examples\.jsonl:2: not an example of Winoground \('caption_1'\)"):
        catalog.sets(str(root))
