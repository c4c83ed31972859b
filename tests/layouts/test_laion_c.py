"""LAION-C as published, in small: 16 answers by mean probability, six kinds at five levels, and what is said of wrong trees."""

from pathlib import Path

import family
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, doctor, layouts, load
from pytest_clip.data.layouts import laion_c

GROUPS = laion_c.superclasses()
FIRST = {name: members[0] for name, members in GROUPS.items()}
NAMES = list(GROUPS)


def tree(root: Path, kinds=("geometric_shapes", "stickers"), *, wrong: int = 4) -> Path:
    """Two pictures a superclass; at level s `wrong` x (s - 1) / 4 superclasses show another. The first dog could be a car truck."""
    for kind in kinds:
        for level in range(1, 6):
            for k, name in enumerate(NAMES):
                for j in range(2):
                    shown = FIRST[name] if k >= wrong * (level - 1) / 4 else FIRST[NAMES[(k + 1) % 16]]
                    suffix = {"stickers": "sticker", "luminance_checkerboard": "luminance"}.get(kind, kind)
                    family.draw(root / kind / f"intensity_level_{level}" / name / f"{j}_{suffix}_{level}.JPEG", shown)
    return root


RULES = "schema = 1\n" + "".join(f'[gates."corruptions_laion_c/accuracy[stickers-{s}]"]\nmin = 0.9\n' for s in (1, 5))


def test_the_published_files_through_the_whole_path(project, measure, tmp_path):
    project.makeconftest(family.CONFTEST)
    root = tree(tmp_path / "laion-c")
    rows, result = measure(root, "--clip-prompts=single", suites="corruptions_laion_c", rules=RULES)
    got = {gate: row["value"] for gate, row in rows.items() if row["value"] is not None}
    for kind in ("geometric_shapes", "stickers"):
        each = [1 - level / 16 for level in range(5)]
        assert [got[f"corruptions_laion_c/accuracy[{kind}-{s}]"] for s in range(1, 6)] == pytest.approx(each), result.outlines
        assert got[f"corruptions_laion_c/accuracy[{kind}]"] == pytest.approx(sum(each) / 5)
        assert got[f"corruptions_laion_c/largest_rise[{kind}]"] == 0
    assert got["corruptions_laion_c/mce_unnormalised"] == pytest.approx(0.125)
    assert "corruptions_laion_c/relative_mce_unnormalised" not in got  # the pictures without distortion are not among the files
    row = rows["corruptions_laion_c/accuracy[stickers-5]"]
    assert row["conventions"]["answers"] == "16 from 285 of 1000 classes: mean probability of its members, softmax over all classes"
    assert (row["n"], row["verdict"], rows["corruptions_laion_c/accuracy[stickers-1]"]["verdict"]) == (32, "fail", "pass")
    assert result.ret == 1


def test_the_mean_of_members_and_not_the_best_one_answers(project, measure, tmp_path):
    """A breed of dog may be likelier than any of six chairs; in the mean of 109 breeds it is not."""
    project.makeconftest(family.CONFTEST)
    root = tree(tmp_path / "laion-c", ("stickers",), wrong=0)
    for file in (root / "stickers" / "intensity_level_1" / "chair").iterdir():
        family.draw(file, GROUPS["dog"][5], FIRST["chair"])
    rows, _ = measure(root, "--clip-prompts=single", suites="corruptions_laion_c", model="cool")
    assert rows["corruptions_laion_c/accuracy[stickers-1]"]["value"] == 1.0


def test_sets_and_names(tmp_path):
    root = tree(tmp_path / "laion-c", ("luminance_checkerboard", "mosaic"))
    there = [each for each in catalog.sets(str(root)) if not each.absent]
    assert [each.name for each in there] == [f"{kind}-{s}" for kind in ("luminance_checkerboard", "mosaic") for s in range(1, 6)]
    absent = next(each for each in catalog.sets(str(root)) if each.name == "stickers-2")
    assert absent.absent.startswith(f"{root} has no stickers/intensity_level_2 of LAION-C (")
    images = load(str(root)).images("mosaic-4")
    assert images.ids[:2] == ("ball/0", "bird/0")
    assert images.ids == load(str(root)).images("luminance_checkerboard-1").ids
    assert images.merge == "mean"
    assert doctor.quick(str(root)) == []


def test_the_superclasses_are_those_of_the_paper():
    assert len(GROUPS) == 16
    assert sum(map(len, GROUPS.values())) == 285 == len({k for members in GROUPS.values() for k in members})
    assert (len(GROUPS["dog"]), len(GROUPS["bird"]), GROUPS["ball"][:2]) == (109, 49, (429, 430))


def test_a_missing_superclass_is_refused(tmp_path):
    root = tree(tmp_path / "laion-c", ("stickers",))
    for file in (root / "stickers" / "intensity_level_3" / "snakes").iterdir():
        file.unlink()
    with pytest.raises(ClipError, match=r"intensity_level_3: 15 of the 16 superclasses of LAION-C hold images, snakes has none"):
        catalog.sets(str(root))
    assert [each.level for each in doctor.quick(str(root))] == ["refuse"]


def test_fewer_images_are_told(tmp_path):
    root = tree(tmp_path / "laion-c", ("stickers",))
    next((root / "stickers" / "intensity_level_3" / "snakes").iterdir()).unlink()
    assert [each.what for each in doctor.quick(str(root))] == [f"{root}: most sets have 32 images, but stickers-3 31; unpack them again"]


def test_other_folders_are_none(tmp_path):
    family.draw(tmp_path / "stickers" / "intensity_level_1" / "sheep" / "1.JPEG", 1)
    assert not [each for each in layouts.find(str(tmp_path)) if each.layout == "laion_c"]
