"""`like:NAME`: published numbers of a public checkpoint as rules on published data, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

import pytest
import test_captioned
import test_webdataset

from pytest_clip import ClipError
from pytest_clip.cli.main import main
from pytest_clip.data import published
from pytest_clip.gates import layers
from pytest_clip.models.published.table import checkpoints
from pytest_clip.session import like


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ViT-B-32,openia", "near: ViT-B-32,openai"),
        ("", "like: needs the name of a checkpoint, such as like:ViT-B-32,openai"),
        ("ours", "no numbers of that checkpoint are published"),
        ("coca_ViT-B-32,mscoco_finetuned_laion2b_s13b_b90k", "its published numbers are left out (broken"),
    ],
)
def test_a_name_without_numbers_is_one_sentence(name, says):
    with pytest.raises(ClipError) as told:
        like.checkpoint(name)
    assert says in str(told.value)


def test_quickgelu_in_the_name_or_not_is_one_checkpoint():
    assert like.checkpoint("ViT-B-32,openai") == like.checkpoint("ViT-B-32-quickgelu,openai")
    assert like.checkpoint("RN50,yfcc15m").architecture == "RN50-quickgelu"  # the row with the other activation is left out


def test_the_bound_is_the_number_less_the_error_of_both():
    assert like.bound(0.6332, 50_000, 50_000) == 0.6272  # 0.6332 - 1.96 * sqrt(2 * 0.6332 * 0.3668 / 50000) = 0.62723
    assert like.bound(0.6332, 50_000, 100) < 0.54
    assert like.bound(0.01, 10, 10) == 0.0


def test_a_model_is_held_against_the_published_numbers(tmp_path: Path, measure: Callable):
    """The stub names 6 of 7 rightly: above ViT-B/32, whose bound on 7 images is 0.28."""
    root = test_webdataset.classification(tmp_path / "wds_imagenet1k")
    rows, result = measure(root, "--clip-thresholds=like:ViT-B-32,openai", suites="accuracy")
    row = rows["accuracy/top1[clean]"]
    assert row["verdict"] == "pass", result.outlines
    assert row["rule"]["min"] == pytest.approx(like.bound(0.6332, 50_000, 7))
    assert row["rule"]["source"].startswith("like:ViT-B-32,openai:")


def test_recalls_are_rules_too(tmp_path: Path):
    root = test_captioned.flickr(tmp_path / "x")
    assert main(["init", str(root), "--like", "ViT-B-32,openai", "--out", str(tmp_path / "t.toml")]) == 0
    text = (tmp_path / "t.toml").read_text()
    layer = layers.parse(text, "t.toml")
    (own,) = layer.content["data"].values()
    row = next(each for each in checkpoints() if each.architecture == "ViT-B-32-quickgelu" and each.pretrained == "openai")
    gate = own["gates"]["retrieval/text_retrieval_recall_at_1[test]"]
    n = published.images()["flickr30k"]
    assert gate["min"] == like.bound(row.figures["flickr30k/text_retrieval_recall_at_1"], n, 3)
    assert gate["why"].startswith("ViT-B-32-quickgelu,openai has ")


def test_on_data_that_nobody_published_numbers_of_it_is_refused():
    with pytest.raises(ClipError, match="none of the data of this run has published numbers"):
        like.text("ViT-B-32,openai", {})
