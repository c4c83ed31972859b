"""With any number of workers a run measures the same, from a cold cache too, and nothing is done twice."""

from collections import Counter
from xml.etree import ElementTree

import projects
import pytest

SUITES = ("accuracy", "calibration", "corruptions", "ood", "own", "prompts")
STARTS = (*(f"{verdict} {suite}/" for verdict in ("FAILED", "INSUFFICIENT") for suite in SUITES), "UNJUDGED", "suite ", "model ")


def junit(root, name):
    """By test: whether it failed, and its properties."""
    found = {}
    for case in ElementTree.parse(root / f"{name}.xml").getroot().iter("testcase"):
        outcome = sorted(child.tag for child in case if child.tag != "properties")
        found[case.get("classname"), case.get("name")] = outcome, [(each.get("name"), each.get("value")) for each in case.iter("property")]
    return found


def summary(printed):
    return sorted(line for line in printed.partition("= clip gates =")[2].splitlines() if line.startswith(STARTS))


def measured(root, cache, n, *options):
    """What a run with `n` workers says, from a cold cache: status, rows, tests with their properties, summary."""
    name = f"n{n}"
    status, rows, printed = projects.measure(root, cache / name, *options, "-n", str(n), name=name)
    said = {"status": status, "rows": rows, "junit": junit(root, name), "summary": summary(printed)}
    assert rows
    assert {row["gate"] for row in rows} <= {value for _, pairs in said["junit"].values() for key, value in pairs if key == "clip.gate"}
    assert said["summary"]
    return said


def differences(one, two):
    """Keys under which two runs say different things, and the rows."""
    return [key for key in one if one[key] != two[key]] + [a for a, b in zip(one["rows"], two["rows"], strict=True) if a != b]


def test_a_folder_of_pictures_with_and_without_workers_and_everything_encoded_once(tmp_path):
    project, said, images, texts = projects.Project(tmp_path), {}, {}, {}
    for n in (0, 2):
        said[n] = measured(tmp_path, tmp_path / "caches", n, *project.options)
        lines = Counter((tmp_path / "noted").read_text().splitlines())
        (tmp_path / "noted").unlink()
        images[n] = sum(count for line, count in lines.items() if line.startswith("image "))
        texts[n] = {line: count for line, count in lines.items() if line.startswith("text ")}
    assert differences(said[0], said[2]) == []
    assert images == {0: 7 * projects.IMAGES, 2: 7 * projects.IMAGES}  # clean and six views
    assert texts[0] == texts[2]
    assert set(texts[2].values()) == {1}
    assert {row["gate"] for row in said[0]["rows"]} >= {"own/seen[contrast]", "own/prompts", "accuracy/top1[clean]"}


@pytest.mark.slow
def test_the_bundled_model_with_no_worker_one_two_and_four(tmp_path):
    """About five minutes of processor time."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nclip_corruptions =\n    fog\n    contrast\n")
    options = ("--clip-model=scenes-rn", "--clip-limit=190", "--clip-suite=accuracy,calibration,ood,prompts,corruptions")
    alone = measured(tmp_path, tmp_path / "caches", 0, *options)
    assert len(alone["rows"]) > 100
    for n in (1, 2, 4):
        assert differences(alone, measured(tmp_path, tmp_path / "caches", n, *options)) == [], f"-n {n}"
