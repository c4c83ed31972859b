"""CounterAnimal as published, in small: the gap between common and counter backgrounds, and what is said of wrong trees."""

from pathlib import Path

import family
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, doctor, layouts, load
from pytest_clip.data.layouts import counteranimal

ANIMALS = {
    9: ("ostrich", "ground", "water"),
    10: ("brambling", "grass", "sky"),
    296: ("ice bear", "snow", "grass"),
    357: ("mink", "g", "w"),
}


def tree(root: Path, *, wrong: int = 2, inner: str = "LAION-final") -> Path:
    """Four common and three counter pictures of each animal; `wrong` of the latter show another class."""
    for label, (name, common, counter) in ANIMALS.items():
        folder = root / inner / f"{label} {name}"
        for k in range(4):
            family.draw(folder / f"common-{common}" / f"{k}.jpg", label)
        for k in range(3):
            family.draw(folder / f"counter-{counter}" / f"{k}.jpg", label if k >= wrong else 100 + label)
    (root / inner / "imagenet_names.txt").write_text("a\n")
    return root


RULES = 'schema = 1\n[gates."factors/background_gap"]\nmax = 0.1\n'


@pytest.mark.parametrize("inner", ["LAION-final", "."])
def test_the_gap_through_the_whole_path(project, measure, tmp_path, inner):
    project.makeconftest(family.CONFTEST)
    root = tree(tmp_path / "CounterAnimal", inner=inner)
    rows, result = measure(root, "--clip-prompts=single", suites="factors", rules=RULES)
    row = rows["factors/background_gap"]
    assert row["value"] == pytest.approx(1 - 1 / 3), result.outlines
    assert (row["n"], row["verdict"], row["conventions"]["classes"]) == (12, "fail", 1000)
    assert row["conventions"]["paired"] == "no: two samples"
    assert row["conventions"]["measured"] == {"common": 1.0, "counter": pytest.approx(1 / 3, abs=1e-6)}
    low, high = row["ci"]
    assert 0.2 < low < row["value"] < high <= 1
    assert result.ret == 1


def test_a_model_without_the_shortcut_passes(project, measure, tmp_path):
    project.makeconftest(family.CONFTEST)
    rows, result = measure(tree(tmp_path / "a", wrong=0), "--clip-prompts=single", suites="factors", rules=RULES)
    assert (rows["factors/background_gap"]["value"], rows["factors/background_gap"]["verdict"]) == (0.0, "pass")
    assert result.ret == 0


def test_sets_and_places(tmp_path):
    root = tree(tmp_path / "CounterAnimal")
    assert [(each.name, each.role, each.n) for each in catalog.sets(str(root))] == [("common", "backdrop", 16), ("counter", "backdrop", 12)]
    images = load(str(root)).images("counter")
    assert images.labels.tolist()[:5] == [9, 10, 296, 357, 9]
    assert images.attributes["background"][:3] == ("water", "sky", "grass")
    (found,) = layouts.find(str(root))
    assert counteranimal.facts(found)["imagenet"]
    told = [each.what for each in doctor.quick(str(root))]
    assert told == [
        f"{root / 'LAION-final'}: 4 animals, 16 common and 12 counter images, published are 45, 7174 and 5926; "
        f"unpack it again from {counteranimal.PAGE}"
    ]


def test_an_animal_with_one_half_is_refused(tmp_path):
    root = tree(tmp_path / "CounterAnimal")
    for file in (root / "LAION-final" / "357 mink" / "counter-w").iterdir():
        file.unlink()
    with pytest.raises(
        ClipError, match=r"357 mink: holds no image in counter-BACKGROUND/, so the two halves would be of different animals"
    ):
        catalog.sets(str(root))


@pytest.mark.parametrize("names", [["1000 unicorn", "1001 gryphon"], ["ostrich", "brambling"], ["9 ostrich"]])
def test_other_folders_are_none(tmp_path, names):
    for name in names:
        family.draw(tmp_path / name / "common-snow" / "1.jpg", 1)
        family.draw(tmp_path / name / "counter-grass" / "1.jpg", 1)
    assert [each for each in layouts.find(str(tmp_path)) if each.layout == "counteranimal"] == []
