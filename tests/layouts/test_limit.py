"""--clip-limit that leaves a slice nothing: its gates are skipped before a model loads, say why, and are not green."""

from collections.abc import Callable
from pathlib import Path

import painted
import pytest

RULES = """schema = 1
[gates."factors/accuracy[scanner=ge]"]
min = 0.5
[gates."factors/accuracy[scanner=siemens]"]
min = 0.5
[gates."factors/worst_accuracy"]
min = 0.5
"""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Eight scans of two classes; the last two alone are from GE."""
    root = tmp_path / "scans"
    rows = [f"{k}.png,class_{k % 2},{'ge' if k > 5 else 'siemens'}" for k in range(8)]
    for k in range(8):
        painted.save(root / f"{k}.png", k % 2, (20 + k, 20))
    (root / "manifest.csv").write_text("\n".join(["path,label,scanner", *rows]) + "\n")
    return root


def test_a_rule_for_an_emptied_slice_is_a_skip_that_names_the_limit(scans: Path, measure: Callable) -> None:
    rows, result = measure(scans, "--clip-limit=4", "-rs", suites="factors", rules=RULES)
    assert result.ret == 0
    empty = rows["factors/accuracy[scanner=ge]"]
    assert (empty["verdict"], empty["value"], empty["partial"]) == ("not_measured", None, True)
    assert empty["reason"].endswith("--clip-limit=4 leaves no image of scanner=ge; raise it")
    assert empty["rule"]["min"] == 0.5
    assert rows["factors/accuracy[scanner=siemens]"]["verdict"] == "pass"
    assert rows["factors/worst_accuracy"]["message"].endswith("--clip-limit=4 leaves no factor 100 images; raise it")
    told = result.stdout.str()
    assert "NOT MEASURED 2 gates with a rule, skipped (-rs says why): factors/accuracy[scanner=ge], factors/worst_accuracy" in told
    assert "SKIPPED [1]" in told


def test_without_a_limit_the_rules_hold(scans: Path, measure: Callable) -> None:
    rows, result = measure(scans, suites="factors", rules=RULES)
    assert rows["factors/accuracy[scanner=ge]"]["verdict"] == "pass"
    assert rows["factors/worst_accuracy"]["verdict"] == "fail"
    assert "was never measured: no factor has 100 images" in result.stdout.str()


def test_a_part_of_captioned_pairs_that_is_emptied(tmp_path: Path, measure: Callable) -> None:
    root = tmp_path / "wino"
    for k in range(3):
        for side in (0, 1):
            painted.save(root / "images" / f"ex_{k}_img_{side}.png", 2 * k + side)
    lines = [
        f'{{"id": {k}, '
        f'"image_0": "ex_{k}_img_0", "image_1": "ex_{k}_img_1", "caption_0": "it is {2 * k}", "caption_1": "it is {2 * k + 1}", '
        f'"collapsed_tag": "{"Relation" if k == 2 else "Object"}"}}'
        for k in range(3)
    ]
    (root / "examples.jsonl").write_text("\n".join(lines) + "\n")
    rules = 'schema = 1\n[gates."retrieval/winoground_text[relation]"]\nmin = 0.5\n'
    rows, result = measure(root, "--clip-limit=4", suites="retrieval", rules=rules)
    assert result.ret == 0, result.outlines
    assert rows["retrieval/winoground_text[object]"]["n"] == 2
    assert "--clip-limit leaves no example of winoground/relation; raise it" in rows["retrieval/winoground_text[relation]"]["reason"]
