"""The table of published figures: the rules that cleaned it find the same rows again, and what they find is said."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pytest_clip.data import published as answers
from pytest_clip.models.published import build, rules, table
from pytest_clip.models.published.rules import Row


def rows():
    """Kept and left out, as in the source."""
    return [
        Row(each.architecture, each.pretrained, each.mean, each.figures)
        for each in sorted([*table.checkpoints(), *(one.row for one in table.left_out())], key=lambda each: -each.mean)
    ]


def test_every_row_of_the_source_is_kept_or_left_out_for_a_reason():
    kept, out = table.checkpoints(), table.left_out()
    assert (len(kept), len(out)) == (111, 10)
    assert len({each.text for each in [*kept, *(one.row for one in out)]}) == 121
    assert Counter(one.why.partition(":")[0] for one in out) == {"activation": 5, "same_weights": 4, "broken": 1}


def test_the_rules_find_the_same_rows_again():
    found = rules.left_out(rows(), build.wrong_activation)
    assert found == {(one.row.architecture, one.row.pretrained): one.why for one in table.left_out()}


def test_no_two_kept_rows_are_the_same_weights():
    figures = Counter(tuple(each.figures.values()) for each in table.checkpoints())
    assert max(figures.values()) == 1


def test_the_known_answers_of_this_package_are_in_it():
    """data/published.json is taken from the same source by hand."""
    by_name = {(each.architecture.removesuffix(rules.QUICK), each.pretrained): each.figures for each in table.checkpoints()}
    document = json.loads(Path(answers.__file__).with_suffix(".json").read_text(encoding="utf-8"))
    checked = 0
    for row in document["top1"] + document["recall"]:
        figures = by_name[row["model"].removesuffix(rules.QUICK), row["pretrained"]]
        flat = dict(row.get("top1", {})) | {f"{name}/{k}": v for name, each in row.get("recall", {}).items() for k, v in each.items()}
        for name, value in flat.items():
            assert figures[name] == value, (row, name)
            checked += 1
    assert checked > 150


def test_source_and_licence_are_said():
    source, licence = table.source()
    assert "mlfoundations/open_clip" in source
    assert licence.startswith("MIT; Copyright")


def test_architectures_have_size_and_cost():
    found = table.profile("ViT-B-32-quickgelu")
    assert found == table.profile("ViT-B-32") == table.Profile(224, 151_280_000, 14.78)
    assert table.profile("mine") is None


def made(name, tag, mean, *figures):
    return Row(name, tag, mean, {f"set{k}": value for k, value in enumerate(figures)})


@pytest.mark.parametrize(
    ("table_of", "wrong", "out"),
    [
        ([made("A", "t", 0.5, 0.1), made("A", "mscoco_finetuned_t", 0.24, 0.2)], (), {("A", "mscoco_finetuned_t"): "broken"}),
        ([made("A", "t", 0.5, 0.1), made("A", "mscoco_finetuned_t", 0.26, 0.2)], (), {}),
        ([made("A", "t", 0.5, 0.1), made("A-quickgelu", "t", 0.5, 0.1)], ("A",), {("A", "t"): "same_weights"}),
        ([made("A", "t", 0.5, 0.1), made("A-quickgelu", "t", 0.5, 0.2)], ("A",), {("A", "t"): "activation"}),
        ([made("A", "t", 0.5, 0.1)], ("A",), {("A", "t"): "activation_unknown"}),
        ([made("A", "openai", 0.5, 0.1)], ("A",), {}),
        ([made("A", "t", 0.5, 0.1), made("B", "u", 0.5, 0.1), made("C", "u", 0.5, 0.3)], (), {("B", "u"): "same_weights"}),
    ],
)
def test_each_rule_alone(table_of, wrong, out):
    found = rules.left_out(table_of, lambda name, tag: name in wrong)
    assert {key: why.partition(":")[0] for key, why in found.items()} == out


def test_columns_have_the_names_of_this_package():
    assert build.figure("ImageNet 1k") == "imagenet"
    assert build.figure("ImageNet-A") == "imagenet-a"
    assert build.figure("MSCOCO text retr. R@5") == "coco/text_retrieval_recall_at_5"
    assert build.figure("Flickr image retr. R@10") == "flickr30k/image_retrieval_recall_at_10"
    assert build.figure("WinoGAViL jaccard score 5-6") == "winogavil/jaccard_score_5-6"
