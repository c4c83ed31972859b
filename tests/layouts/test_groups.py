"""Groups of own data and of FairFace: the known answer through the whole path, and what is said of columns without groups."""

from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.cli import main as cli
from pytest_clip.data import catalog, doctor, groups, layouts
from pytest_clip.gates.catalog import expand

AGES, RACES, GENDERS = ("0-2", "20-29", "more than 70"), ("Black", "East Asian", "Latino_Hispanic", "White"), ("Female", "Male")
COLOUR = {"class_1": 1, "class_2": 2}


def own(root: Path, rows: list[dict[str, str]], name: str = "manifest.csv") -> Path:
    """A table; `shows` says what a picture means, and is none of its columns. Two files serve all rows by links."""
    for number in (1, 2):
        painted.save(root / f"seen{number}.png", number)
    lines = [",".join(["path", *(key for key in rows[0] if key != "shows")])]
    for k, row in enumerate(rows):
        (root / f"{k}.png").symlink_to(f"seen{row['shows']}.png")
        lines.append(",".join([f"{k}.png", *(value for key, value in row.items() if key != "shows")]))
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def scanners(sizes: dict[str, tuple[int, int]]) -> list[dict[str, str]]:
    """By scanner how many pictures, and how many of them show the other class; every second one is of class 2."""
    rows = []
    for scanner, (n, wrong) in sizes.items():
        for k in range(n):
            label = f"class_{k % 2 + 1}"
            shows = COLOUR[label] if k >= wrong else 3 - COLOUR[label]
            rows.append({"label": label, "scanner": scanner, "site": "ab"[k % 2], "shows": str(shows)})
    return rows


SIZES = {"Old": (120, 30), "New": (150, 3), "Rare": (40, 40), "": (10, 0)}
RULES = """schema = 1
[gates."groups/worst_accuracy[scanner]"]
min = 0.9
why = "every scanner"
[gates."groups/gap[site]"]
max = 0.1
"""


def test_a_bad_group_fails_and_the_others_pass(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(own(tmp_path / "scans", scanners(SIZES)), suites="groups,accuracy", rules=RULES)
    assert rows["accuracy/top1[clean]"]["value"] == pytest.approx(247 / 320), result.outlines
    worst, gap = rows["groups/worst_accuracy[scanner]"], rows["groups/gap[scanner]"]
    assert (worst["value"], worst["verdict"], worst["n"]) == (0.75, "fail", 270)
    assert worst["conventions"]["worst"] == "old"
    assert worst["conventions"]["groups"] == {"new": 150, "old": 120}
    assert worst["conventions"]["left_out"] == {"rare": 40}
    assert worst["conventions"]["without_value"] == 10
    assert gap["value"] == pytest.approx(147 / 150 - 90 / 120)
    low, high = gap["ci"]
    assert 0.1 < low < gap["value"] < high
    assert rows["groups/gap[site]"]["verdict"] == "pass"
    assert rows["groups/worst_ece[scanner]"]["value"] == pytest.approx(0.25, abs=1e-3), "the stub is sure of all"
    assert "old" in " ".join(result.outlines)


def test_columns_are_crossed_and_named_by_the_doctor(tmp_path: Path) -> None:
    seen = scanners({"Old": (260, 0), "New": (250, 0), "Rare": (4, 0)})
    rows = [row | {"patient": f"p{k}", "hand": "left"} for k, row in enumerate(seen)]
    root = own(tmp_path / "scans", rows)
    (clean, *_) = catalog.sets(str(root))
    assert clean.columns == ("scanner", "site", "scanner-x-site")
    assert [str(each) for each in expand("groups/gap", catalog.sets(str(root)))] == [f"groups/gap[{name}]" for name in clean.columns]
    told = [problem.what for problem in doctor.quick(str(root))]
    table = root / "manifest.csv"
    assert f"{table}: groups by scanner, site, scanner-x-site are held against each other (suite groups)" in told
    assert f"{table}: no groups by patient, hand: it takes two values of 100 images or more" in told


def test_without_groups_there_is_a_reason(tmp_path: Path, measure: Callable) -> None:
    root = own(tmp_path / "scans", scanners({"Old": (60, 0), "New": (50, 0)}))
    rows, result = measure(root, "-rs", suites="groups")
    assert {row["value"] for row in rows.values()} == {None}
    assert f"write a column with two values of 100 images or more into {root}/manifest.csv" in " ".join(result.outlines)


def test_a_limit_that_leaves_no_groups_is_told(tmp_path: Path, measure: Callable) -> None:
    root = own(tmp_path / "scans", scanners({"Old": (130, 0), "New": (130, 0)}))
    rows, result = measure(root, "--clip-limit=150", "-rs", suites="groups", rules=RULES)
    assert result.ret == 0, "a rule for what the limit leaves out is not broken"
    assert rows["groups/gap[scanner]"]["value"] is None
    assert "--clip-limit=150 leaves no two groups of scanner 100 images; raise it" in " ".join(result.outlines)


def faces(root: Path, *, table: bool = True) -> Path:
    """The published layout: fairface_label_val.csv, fairface_label_train.csv, val/, train/."""
    lines, many = ["file,age,gender,race,service_test"], 0
    for race in RACES:
        for k in range(110):
            many += 1
            age, gender = AGES[k % 3], GENDERS[k % 2]
            wrong = race == "East Asian" and k % 4 == 0
            number = GENDERS.index(gender) if not wrong else 1 - GENDERS.index(gender)
            link = root / "val" / f"{many}.jpg"
            link.parent.mkdir(parents=True, exist_ok=True)
            source = root / "faces" / f"{number + 1}.jpg"
            if not source.exists():
                painted.save(source, number + 1)
            link.symlink_to(source)
            lines.append(f"val/{many}.jpg,{age},{gender},{race},{bool(k % 2)}")
    (root / "train").mkdir()
    (root / "fairface_label_train.csv").write_text("file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,East Asian,True\n")
    if table:
        (root / "fairface_label_val.csv").write_text("\n".join(lines) + "\n")
    return root


def test_fairface_asks_three_questions_and_holds_groups_against_each_other(tmp_path: Path) -> None:
    root = faces(tmp_path / "fair")
    found = layouts.find(str(root))
    assert [each.name for each in found] == ["fairface_age", "fairface_gender", "fairface_race"]
    columns = {each.name: catalog.sets(f"{root}::{each.name}")[0].columns for each in found}
    assert columns == {
        "fairface_age": ("gender", "race"), "fairface_gender": ("age", "race"), "fairface_race": ("age", "gender"),
    }  # fmt: skip
    told = [problem.what for problem in doctor.quick(f"{root}::fairface_race")]
    assert any("groups by age, gender are held against each other" in each for each in told), told


def test_fairface_through_the_whole_path(tmp_path: Path, measure: Callable, project) -> None:
    root = faces(tmp_path / "fair")
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "    \n\n_number = {'Female': 1, 'Male': 2}\n"
            "_old = painted.Reader.encode_text\n"
            "def _texts(self, texts):\n"
            "    return _old(self, [next(str(n) for word, n in _number.items() if word in text) for text in texts])\n"
            "painted.Reader.encode_text = _texts\n"
        )
    rules = 'schema = 1\n[gates."groups/gap[race]"]\nmax = 0.1\n[gates."groups/gap[age]"]\nmax = 0.2\n'
    try:
        rows, result = measure(f"{root}::fairface_gender", suites="groups", rules=rules)
    finally:
        painted.Reader.encode_text = ORIGINAL
    assert rows["groups/gap[race]"]["value"] == pytest.approx(28 / 110), result.outlines
    assert (rows["groups/gap[race]"]["verdict"], rows["groups/gap[age]"]["verdict"]) == ("fail", "pass")
    assert rows["groups/worst_accuracy[race]"]["conventions"]["worst"] == "east_asian"


ORIGINAL = painted.Reader.encode_text


def test_a_table_like_fairface_is_own_data(tmp_path: Path) -> None:
    """`file,age,gender,race` as manifest.csv, one column called label."""
    root = faces(tmp_path / "fair", table=False)
    text = ["file,age,label,race", *(f"val/{k}.jpg,{AGES[k % 3]},{GENDERS[k % 2]},{RACES[k % 4]}" for k in range(1, 441))]
    (root / "manifest.csv").write_text("\n".join(text) + "\n")
    assert catalog.sets(str(root))[0].columns == ("age", "race")
    assert not layouts.find(str(root))[0].name.startswith("fairface_")


def test_the_command_says_which_columns_qualify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`pytest-clip doctor` on FairFace's layout and on a table like it, as the gates are then named."""
    root = faces(tmp_path / "fair")
    assert cli.main(["doctor", "--data", f"{root}::fairface_race", "--quick"]) == 0
    assert "groups by age, gender are held against each other (suite groups)" in " ".join(capsys.readouterr().out.split())
    own(tmp_path / "scans", [row | {"hand": "left"} for row in scanners({"Old": (260, 0), "New": (250, 0)})])
    assert cli.main(["doctor", "--data", str(tmp_path / "scans"), "--quick"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "groups by scanner, site, scanner-x-site are held against each other (suite groups)" in told
    assert "no groups by hand: it takes two values of 100 images or more" in told


@pytest.mark.parametrize(
    ("facts", "columns", "note"),
    [
        ({"A": ["x"] * 100 + ["y"] * 100}, ("a",), None),
        ({"A": ["x"] * 101 + ["y"] * 99}, (), "no groups by A: it takes two values of 100 images or more"),
        ({"A": ["x"] * 100 + ["y"] * 99}, (), None),
        ({"A": ["x", "X "] * 50 + ["y"] * 100}, ("a",), None),
        ({"A": ["x"] * 100 + [""] * 500}, (), "no groups by A: it takes two values of 100 images or more"),
        (
            {"A b": ["x"] * 100 + ["y"] * 100, "a B": ["x"] * 100 + ["y"] * 100},
            ("a_b",),
            "no groups by a B: it reads as another column does (a_b); rename it",
        ),
        ({"A": [f"v{k}" for k in range(65)] * 100}, (), "no groups by A: 65 values of 100 images or more, at most 64 are held"),
    ],
)
def test_what_makes_a_column_of_groups(facts, columns, note):
    found, notes = groups.columns(facts)
    assert found == columns
    assert (note is None and not notes) or any(each.startswith(note) for each in notes)


def test_a_column_may_hold_the_cross_in_its_own_name():
    facts = {"a-x-b": ["p", "q"] * 200, "c": ["r", "r", "s", "s"] * 100}
    names, _ = groups.columns(facts)
    assert names == ("a-x-b", "c", "a-x-b-x-c")
    assert groups.values(facts, "a-x-b")[:2] == ("p", "q")
    assert groups.values(facts, "a-x-b-x-c")[:3] == ("p,r", "q,r", "p,s")
    rows, small = groups.split(["x"] * 100 + ["y"] * 3 + [""])
    assert ({name: len(each) for name, each in rows.items()}, dict(small)) == ({"x": 100}, {"y": 3})
