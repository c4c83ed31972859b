"""docs/cost.md: its tables are those that benchmarks/cost.py computes, and what it computes is what the page says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cost():
    spec = importlib.util.spec_from_file_location("cost", ROOT / "benchmarks" / "cost.py")
    sys.modules["cost"] = module = importlib.util.module_from_spec(spec)  # dataclasses look for their module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["cost"]


def test_the_tables_are_written_by_the_script(cost):
    text = cost.PAGE.read_text(encoding="utf-8")
    assert text == cost.page(text), "run python benchmarks/cost.py"
    assert text.count("\n| ImageNet |") == 6
    assert all(tower.core > 0 for tower in cost.TOWERS.values())


def test_what_is_counted(cost):
    count = {(work.what, work.suites): work for work in cost.works()}
    clean = count["ImageNet", "accuracy, calibration"]
    assert (clean.pictures, clean.passes, clean.views) == (50_000, 50_000, 0)
    assert clean.texts == 998 * 80, "two pairs of ImageNet's classes have one name, and each distinct text goes through once"
    whole = count["ImageNet", "corruptions of all images"]
    assert (whole.passes, whole.views) == (50_000 * 76, 50_000 * 75)
    assert count["ImageNet-C, its files", "corruptions"].pictures == 50_000 * 75
    shifts = count["ImageNet, V2, Sketch, R, A", "accuracy, calibration"]
    assert shifts.passes == 50_000 + 3 * 10_000 + 50_889 + 30_000 + 7_500


def test_what_is_computed(cost):
    work = cost.Work("", "", pictures=100, passes=1000, views=900, texts=10)
    tower = cost.Tower(image=8.0, text=4.0, core=0.1)
    assert cost.core_seconds(work, tower) == pytest.approx(100 * 0.0052 + 900 * 0.0015 + 1000 * 0.1 + 10 * 0.05)
    assert cost.card_seconds(work, tower) == pytest.approx(100 * 0.0052), "the core beside the card decodes longer than the card computes"
    many = cost.Work("", "", pictures=1, passes=10**6, views=0, texts=0)
    assert cost.card_seconds(many, tower) == pytest.approx(10**6 * 8e9 / cost.CARD)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.994, "0.99 s"), (119, "120 s"), (120, "2 min"), (5400, "90 min"), (9000, "2.5 h"), (5 * 86400, "5 days")]
)
def test_times_are_told_in_the_unit_that_a_person_would_use(cost, seconds, told):
    assert cost.told(seconds) == told


def test_operations_of_the_towers_are_those_of_their_layers(cost):
    """By hand for a vision transformer: patches, then in each layer 12 w^2 t + 2 t^2 w multiply-adds of t tokens of width w; 2 each."""
    shapes = {"ViT-B-32": (12, 768, 32), "ViT-B-16": (12, 768, 16), "ViT-L-14": (24, 1024, 14), "ViT-H-14": (32, 1280, 14)}
    assert set(shapes) == set(cost.TOWERS)
    for name, (layers, width, patch) in shapes.items():
        patches = (224 // patch) ** 2
        tokens = patches + 1
        adds = patches * 3 * patch**2 * width + layers * (12 * width**2 * tokens + 2 * tokens**2 * width)
        assert cost.TOWERS[name].image == pytest.approx(2 * adds / 1e9, rel=0.02), name
