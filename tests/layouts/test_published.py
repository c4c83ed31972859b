"""Known answers: a stub that bears a public checkpoint's name must score what is published for it, or say what is usually wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import painted
import pytest
import test_captioned
import test_webdataset

from pytest_clip.data import published

ONLY = ("-k", "published_gap")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The published table, as if it had been made on a handful of images."""
    table = json.loads(json.dumps(published._table()))
    table["images"] = dict.fromkeys(table["images"], 6) | {"flickr30k": 3}
    monkeypatch.setattr(published, "_table", lambda: table)
    return table


def of(table: dict, kind: str, model: str, tag: str) -> dict:
    return next(row[kind] for row in table[kind] if (row["model"], row["pretrained"]) == (model, tag))


def test_the_table_is_whole() -> None:
    table = published._table()
    assert (len(table["top1"]), len(table["recall"])) == (15, 7)
    for kind in ("top1", "recall"):
        for row in table[kind]:
            for data, value in row[kind].items():
                assert table["images"][data] > 0
                assert all(0 < each < 1 for each in (value.values() if isinstance(value, dict) else [value]))
    recall = of(table, "recall", "ViT-H-14", "laion2b_s32b_b79k")["coco"]
    assert (recall["image_retrieval_recall_at_5"], recall["text_retrieval_recall_at_10"]) == (0.7338, 0.9188)
    assert of(table, "top1", "ViT-L-14-quickgelu", "dfn2b")["imagenet-sketch"] == 0.6832


def test_a_miss_fails_and_names_the_usual_causes(tmp_path: Path, measure: Callable, small: dict) -> None:
    root = test_webdataset.classification(tmp_path / "wds_imagenet1k")
    small["images"]["imagenet"] = 7
    rows, result = measure(root, *ONLY, suites="accuracy", model="ViT-B-32-quickgelu,openai")
    row = rows["accuracy/published_gap[clean]"]
    assert (row["verdict"], row["value"]) == ("fail", pytest.approx(6 / 7 - 0.6332)), result.outlines
    assert row["conventions"]["measured"] == {"accuracy": round(6 / 7, 6), "published": 0.6332}
    assert "openclip_results.csv" in row["conventions"]["source"]
    result.stdout.fnmatch_lines(["*a wrong split, labels in another order, the wrong activation (QuickGELU or GELU), a second resize*"])


def test_a_hit_passes(tmp_path: Path, measure: Callable, small: dict) -> None:
    root = test_webdataset.classification(tmp_path / "wds_imagenet1k")
    small["images"]["imagenet"] = 7
    of(small, "top1", "ViT-B-32", "openai")["imagenet"] = 0.86
    rows, _ = measure(root, *ONLY, suites="accuracy", model="ViT-B-32,openai")
    assert rows["accuracy/published_gap[clean]"]["verdict"] == "pass"


def test_recalls_are_held_against_all_six(tmp_path: Path, measure: Callable, small: dict) -> None:
    root = test_captioned.flickr(tmp_path / "x")
    known = of(small, "recall", "ViT-B-32", "openai")["flickr30k"]
    known.update(dict.fromkeys(known, 1.0), image_retrieval_recall_at_1=0.75)
    rows, result = measure(root, *ONLY, suites="retrieval", model="ViT-B-32,openai")
    row = rows["retrieval/published_gap[test]"]
    assert (row["verdict"], row["value"]) == ("pass", 0.0), result.outlines
    known["text_retrieval_recall_at_5"] = 0.9
    rows, _ = measure(root, *ONLY, suites="retrieval", model="ViT-B-32,openai")
    row = rows["retrieval/published_gap[test]"]
    assert (row["verdict"], row["value"], row["conventions"]["measured"]["farthest"]) == (
        "fail",
        pytest.approx(0.1),
        "text_retrieval_recall_at_5",
    )


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        ("ViT-B-32", (), "no published number of ViT-B-32,None on imagenet is known to this version"),
        ("RN50,openai", ("--clip-limit=3",), "published for all 7 images of imagenet, and these are 3"),
        ("RN50,openai", ("--clip-prompts=single",), "published with OpenAI's 80 templates, and this run asks with --clip-prompts=single"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tmp_path: Path, measure: Callable, small: dict, model: str, options: tuple[str, ...], says: str
) -> None:
    root = test_webdataset.classification(tmp_path / "wds_imagenet1k")
    small["images"]["imagenet"] = 7
    rows, _ = measure(root, *ONLY, *options, suites="accuracy", model=model)
    row = rows["accuracy/published_gap[clean]"]
    assert (row["verdict"], row["value"]) == ("not_measured", None)
    assert says in row["message"]


def test_own_data_has_no_such_gate(tmp_path: Path, measure: Callable) -> None:
    for i in range(4):
        painted.save(tmp_path / "own" / f"class {i % 2}" / f"{i}.png", i % 2)
    rows, _ = measure(tmp_path / "own", suites="accuracy", model="ViT-B-32,openai")
    assert rows
    assert not any("published" in gate for gate in rows)
