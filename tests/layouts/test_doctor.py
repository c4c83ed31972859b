"""The data doctor: what it finds in small trees with one thing wrong each, on the command line and before a run."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.cli import main as cli
from pytest_clip.data import doctor, folder, naming


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes of three images, all different."""
    for i in range(6):
        painted.save(tmp_path / "pets" / ("cat" if i < 3 else "dog") / f"{i}.png", i)
    return tmp_path / "pets"


def said(root: Path, **how: int) -> list[str]:
    return [f"{each.level}: {each.what}" for each in doctor.examine(str(root), **how).problems]


def one(root: Path, level: str, *parts: str, **how: int) -> None:
    (finding,) = said(root, **how)
    assert finding.startswith(f"{level}: ")
    for part in parts:
        assert part in finding


def test_nothing_is_said_about_sound_data(pets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--data", str(pets)]) == 0
    assert capsys.readouterr().out == "data pets: 1 image sets, 6 images, no findings\n"


def test_unreadable_images_are_named_and_counted_up_to_a_limit(pets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("cat/1.png", "dog/4.png"):
        (pets / name).write_bytes((pets / name).read_bytes()[:60])
    one(pets, "refuse", "2 of 6 images cannot be read (allowed: 0)", f"{pets}/cat/1.png: not a readable image", "dog/4.png: not a")
    one(pets, "warn", "2 of 6 images cannot be read (allowed: 2)", max_unreadable=2)
    assert cli.main(["doctor", "--data", str(pets)]) == 1
    assert cli.main(["doctor", "--data", str(pets), "--max-unreadable", "2"]) == 0
    assert cli.main(["doctor", "--data", str(pets), "--quick"]) == 0
    capsys.readouterr()
    assert cli.main(["doctor", "--data", str(pets), "--json"]) == 1
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["name"], record["images"], record["well"], record["problems"][0]["level"]) == ("pets", 6, False, "refuse")


def test_an_empty_file_and_many_unreadable_ones(pets: Path) -> None:
    for i in range(12):
        (pets / "cat" / f"x{i}.jpg").write_bytes(b"")
    one(pets, "refuse", "12 of 18 images cannot be read", "x0.jpg: not a readable image (no picture in a known format)", "\n    and 2 more")


def test_the_same_image_under_two_labels_in_one_class_and_among_the_unknown(pets: Path) -> None:
    copy = (pets / "cat" / "0.png").read_bytes()
    (pets / "dog" / "copy.png").write_bytes(copy)
    one(pets, "warn", "1 images are there under different labels; keep each under the right one", "cat/0.png (cat) = ", "copy.png (dog)")
    (pets / "dog" / "copy.png").rename(pets / "cat" / "copy.png")
    one(pets, "warn", "1 images are there more than once; keep one of each", "cat/0.png (cat) = ")
    (pets / "ood" / "near").mkdir(parents=True)
    (pets / "cat" / "copy.png").rename(pets / "ood" / "near" / "copy.png")
    one(pets, "warn", "1 images are both known and unknown; remove them from the unknown ones")


def test_images_at_the_size_of_the_input(pets: Path) -> None:
    for i in range(6):
        painted.save(pets / ("cat" if i < 3 else "dog") / f"{i}.png", i, (224, 224))
    one(pets, "warn", "6 of 6 images of clean are 224 x 224 already: they were resized and cropped before", "use the originals")


def test_turned_pictures(pets: Path) -> None:
    picture = painted.picture(9)
    exif = picture.getexif()
    exif[doctor.TURNED] = 6
    picture.save(pets / "cat" / "9.jpg", exif=exif)
    one(pets, "note", "1 images carry an EXIF orientation that models do not see, the first one", "9.jpg")


def test_loose_images_empty_folders_and_names_that_differ_in_case(pets: Path) -> None:
    painted.save(pets / "loose.png", 9)
    (pets / "empty").mkdir()
    painted.save(pets / "horse" / "brown" / "1.png", 8)
    painted.save(pets / "Cat" / "1.png", 7)
    findings = said(pets)
    assert "1 images lie in no class folder and are not measured" in findings[0]
    assert "empty: the folder has no image, so it is no class" in findings[1]
    assert "the classes Cat and cat differ in case alone; join them" in findings[2]
    assert folder.image_set(str(pets)).ids[-1] == "dog/5.png"
    assert "horse/brown/1.png" in folder.image_set(str(pets)).ids


def test_numbers_and_wordnet_ids_as_class_names(tmp_path: Path) -> None:
    for i in range(12):
        painted.save(tmp_path / "v2" / str(i) / "x.png", i)
        painted.save(tmp_path / "v2" / str(i) / "y.png", 20 + i)
    one(
        tmp_path / "v2",
        "warn",
        "the classes are called 0, 1 ..., and so say the prompts; sorted as text 10 comes before 2",
        "classnames.txt",
    )
    (finding,) = naming.of_codes(str(tmp_path), ["n99000000", "n99000001"], cure="write")
    assert "the classes are called n99000000 ... (WordNet), and so say the prompts; write" in finding.what


def test_names_without_a_folder(tmp_path: Path) -> None:
    for k in (0, 2):
        painted.save(tmp_path / "gap" / str(k) / "x.png", k)
        painted.save(tmp_path / "gap" / str(k) / "y.png", 20 + k)
    (tmp_path / "gap" / "classnames.txt").write_text("cat\ndog\ncow\n")
    one(tmp_path / "gap", "warn", "no folder with images for 1 of the 3 classes of classnames.txt (dog); is a part of the data missing?")


def sizes(**named: int) -> list[str]:
    return [each.what.removeprefix("x: ") for each in naming.of_sizes("x", {name.replace("_", " "): n for name, n in named.items()})]


def test_typing_errors_codes_and_what_is_no_class() -> None:
    assert sizes(cat=5, catt=1, dog=3, horse=2) == [
        "'catt' occurs once and is one letter from 'cat', which occurs 5 times; if it is a typing error, correct it: it is a class of its "
        "own now",
        "1 of 4 classes have a single image (catt); their accuracy is 0 or 1: add images, or leave them out of what you gate",
    ]
    assert not any("typing error" in each for each in sizes(cat=1, bat=1, rat=1))  # nobody is more usual
    assert not any("typing error" in each for each in sizes(class_1=1, class_2=9))
    assert any("'act' occurs once and is one letter from 'cat'" in each for each in sizes(act=1, cat=3))
    assert sizes(cat=2, dog=2, cow=2, n1234=2) == [
        "n1234 is no word beside classes with names of words, and so say the prompts; name what it shows"
    ]
    assert sizes(cat=2, dog=2, New_Folder=2) == ["New Folder is asked for as a class; remove it, or rename it"]
    assert sizes(**{"747": 2, "F16": 2, "A300": 2, "Cessna": 2}) == []  # aircraft
    assert sizes(**{"猫": 2, "犬": 2, "馬": 2, "牛": 2, "é": 2}) == []
    alike = "the classes guinea pig and Guinea-Pig differ in spelling alone; join them, or give them other names"
    assert sizes(guinea_pig=2, **{"Guinea-Pig": 2}) == [alike]
    (told,) = naming.of_codes("x", ["class_0", "class_1"], cure="write names")
    assert told.what == "x: the classes are called class_0, class_1 ..., and so say the prompts; write names"


def test_all_that_is_wrong_is_told_at_once(pets: Path) -> None:
    (pets / "classnames.txt").write_text("cat\n\ndog\n")
    (pets / "metadata.csv").write_text("path,label\n1\n")
    painted.save(pets / "ood" / "clean" / "1.png", 9)
    painted.save(pets / "loose.png", 9)
    (pets / "cat" / "x.heic").write_bytes(b"x")
    told = [f"{each.level}: {each.what}" for each in doctor.quick(str(pets))]
    assert [each.partition(": ")[0] for each in told] == ["refuse", "refuse", "refuse", "warn", "warn"]
    for each, part in zip(told, ("metadata.csv:2", "classnames.txt:2", "ood/clean", "loose|lie in no class", ".heic"), strict=True):
        assert any(some in each for some in part.split("|"))


def test_typing_errors_in_a_table(pets: Path) -> None:
    rows = "".join(f"cat/{k}.png,cat\n" for k in range(3)) + "dog/3.png,dog\ndog/4.png,dog\ndog/5.png,catt\n"
    (pets / "manifest.csv").write_text("path,label\n" + rows)
    told = [each.what for each in doctor.quick(str(pets)) if each.level == "warn"]
    assert len(told) == 1
    assert told[0].startswith(f"{pets}/manifest.csv: 'catt' occurs once and is one letter from 'cat', which occurs 3 times")


def test_very_uneven_classes(pets: Path) -> None:
    for i in range(40):
        painted.save(pets / "cat" / f"y{i}.png", 20 + i)
    one(pets, "note", "43 images of cat, 3 of dog; accuracy/top1 is mostly about the former: gate accuracy/mean_per_class, too")


def test_what_a_run_refuses_the_doctor_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    painted.save(tmp_path / "x" / "val" / "cat" / "1.png", 1)
    painted.save(tmp_path / "x" / "val" / "dog" / "1.png", 2)
    one(tmp_path / "x", "refuse", "needs at least two class folders with images", f"; did you mean --clip-data={tmp_path / 'x' / 'val'}?")
    assert cli.main(["doctor", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert cli.main(["doctor", "--data", "scenes"]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(pets: Path) -> None:
    (pets / "cat" / "0.png").chmod(0)
    one(pets, "refuse", "0.png: not a readable image (Permission denied)")


def test_doubts_are_in_the_summary_and_the_record_of_a_run(pets: Path, measure: Callable) -> None:
    painted.save(pets / "loose.png", 9)
    (pets / "classnames.txt").write_text("picture 0\npicture 3\n")
    rows, result = measure(pets, suites="accuracy")
    assert rows["accuracy/top1[clean]"]["n"] == 6
    result.stdout.fnmatch_lines(["*data pets: *pets: 1 images lie in no class folder and are not measured; move them into one*"])
    (data,) = json.loads((Path.cwd() / "report.json").read_text())["data"]
    assert "lie in no class folder" in data["doubts"][0]
