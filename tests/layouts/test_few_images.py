"""Data of one or two images: a number without an interval says so, and nothing ends in an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import painted
import pytest
import torch._inductor.test_operators  # noqa: F401 - cannot be imported twice, as the runs in this process would

SIZE = (64, 48)
SUITES = "accuracy,calibration,checkpoint,corruptions,factors,metamorphic,ood,prompts,retrieval"


def folder(path: Path, *, classes: int, each: int, unknown: int, wrong: int = 0) -> Path:
    for label in range(classes):
        for image in range(each):
            painted.save(path / f"class {label}" / f"{image}.png", label, SIZE)
    for image in range(wrong):
        painted.save(path / "class 0" / f"{image}.png", 1, SIZE)
    for image in range(unknown):
        painted.save(path / "ood" / "odd" / f"{image}.png", 100 + image, SIZE)
    return path


def table(path: Path) -> Path:
    """The two lines of docs/own_data.md."""
    lines = ["path,label,caption,negative_caption,scanner"]
    for number, label in enumerate(("benign 0", "malignant 1")):
        painted.save(path / f"{number}.png", number, SIZE)
        lines.append(f"{number}.png,{label},a picture of {number},a picture of {number + 5},{'ab'[number]}")
    (path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return path


DATA = {
    "one a class": lambda path: folder(path, classes=2, each=1, unknown=1),
    "one a class and no others": lambda path: folder(path, classes=3, each=1, unknown=0),
    "two a class, one other": lambda path: folder(path, classes=2, each=2, unknown=1),
    "three a class, two others": lambda path: folder(path, classes=2, each=3, unknown=2),
    "one of six wrong": lambda path: folder(path, classes=2, each=3, unknown=2, wrong=1),
    "a table of two": table,
}


FAST = ("one a class", "a table of two")


@pytest.mark.parametrize("name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in DATA])
def test_few_images_end_in_no_error(name: str, tmp_path: Path, measure: Callable) -> None:
    data = DATA[name](tmp_path / "few")
    rows, result = measure(data, "-o", "clip_unjudged=allow", "-o", "clip_corruptions=fog", suites=SUITES)
    failed = [row["message"] for row in rows.values() if row["verdict"] == "fail"]
    assert failed == []
    assert result.ret == 0
    if name == "one a class":
        assert rows["ood/auroc[odd]"]["reason"] == "no interval: an AUROC interval needs at least 2 ID and 2 OOD scores; got 2 and 1"
        assert "(n = 1, no interval: an AUROC interval needs" in rows["ood/auroc[odd]"]["message"]
        assert (rows["ood/auroc[odd]"]["value"], rows["ood/auroc[odd]"]["ci"]) == (1.0, None)
