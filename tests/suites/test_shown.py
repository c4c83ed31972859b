"""What the shipped suites show behind their gates, in a small run of the bundled model: each kind, and that it is true."""

import base64
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pytest_clip.data.scenes.load import image_set
from pytest_clip.data.scenes.render import render_rgb
from pytest_clip.extract.thumbnails import small
from pytest_clip.runs import shape

LIMIT, MANY = 57, 380
SUITES = "correspondence,metamorphic,corruptions,corruptions_3d,corruptions_laion_c,factors"
CHOSEN = "viewpoint-30 or instances or agreement or accuracy or drop or worst or background"
RULES = "schema = 1\n[gates.'factors/drop']\nmax = -0.5\nwhy = 'so that it fails'\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory, cache):
    """Measure suites on some images; the record, evidence by kind and gate, pictures, and the page."""

    def measured(suites, limit, *options):
        folder = tmp_path_factory.mktemp("run")
        (folder / "pytest.ini").write_text("[pytest]\nclip_corruptions = fog\nclip_corruptions_3d = fog_3d\nclip_unjudged = allow\n")
        (folder / "rules.toml").write_text(RULES)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "--clip-model=scenes-rn", f"--clip-suite={suites}", f"--clip-limit={limit}"),
                *options,
                *("--clip-thresholds=rules.toml", "--clip-report=json:r.json", "--clip-report=html:r.html", f"--clip-cache-dir={cache}"),
            ],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        record = shape.record(json.loads((folder / "r.json").read_text("utf-8")))
        figures = {(each["kind"], each["gate"]): each for each in record["evidence"]["figures"]}
        assert not [each for each in figures if each[0] == "unshown"]
        return record, figures, record["evidence"]["pictures"], (folder / "r.html").read_text("utf-8")

    return measured


@pytest.fixture(scope="module")
def shown(run):
    """Of few images."""
    return run(SUITES, LIMIT, "-k", CHOSEN)


@pytest.fixture(scope="module")
def retrieved(run):
    """Of so many that some captions are not found."""
    return run("retrieval", MANY, "-k", "recall_at_1 or compositionality")


def of(figures, kind, start):
    return {gate: told for (each, gate), told in figures.items() if each == kind and gate.startswith(start)}


@pytest.fixture(scope="module")
def drawn():
    """The set and row of an id, and the key of its picture, rendered anew."""
    known = {}

    def find(name):
        place, _, _ = name.rpartition("-")
        if place not in known:
            known[place] = image_set(place, role="clean" if place == "clean" else "pairs" if place == "pairs" else "other", limit=MANY)
        images = known[place]
        row = images.ids.index(name)
        return images, row, small(render_rgb((images.scenes[row],)).numpy()[0])[0]

    return find


def test_queries_are_shown_with_what_was_found(retrieved, drawn):
    record, figures, _, text = retrieved
    found = of(figures, "queries", "retrieval/image_retrieval_recall_at_1")
    assert found
    rows = {row["gate"]: row for row in record["gates"]}
    for gate, told in found.items():
        assert len(told["queries"]) <= 3
        for query in told["queries"]:
            assert 1 < query["rank"] <= query["of"] == MANY
            assert query["asked"]["text"] == query["wanted"]["text"]
            for seen in (*query["found"], query["wanted"]):
                images, row, picture = drawn(seen["id"])
                assert images.captions[row] == seen["text"]
                assert seen["picture"] == picture
            assert all(seen["text"] != query["asked"]["text"] for seen in query["found"])
        assert rows[gate]["value"] < 1
    assert "Captions that find their image latest: clean" in text


def test_a_caption_that_beat_the_true_one_is_that_of_its_image(retrieved, drawn):
    _, figures, _, _ = retrieved
    found = of(figures, "queries", "retrieval/compositionality")
    assert len(found) > 1
    for gate, told in found.items():
        kind = gate.partition("[")[2].rstrip("]")
        for query in told["queries"]:
            images, row, picture = drawn(query["asked"]["id"])
            assert query["asked"]["picture"] == picture
            assert query["wanted"]["text"] == images.captions[row]
            assert [each["text"] for each in query["found"]] == [images.foils[kind][row]]
    assert any(len({query["wanted"]["text"] for query in told["queries"]}) > 1 for told in found.values())


def test_matches_are_right_where_they_land_near(shown, drawn):
    record, figures, _, text = shown
    found = of(figures, "pairs", "correspondence/recall_px")
    assert found
    rows = {row["gate"]: row for row in record["gates"]}
    for gate, told in found.items():
        values = [pair["value"] for pair in told["pairs"]]
        assert values == sorted(values)
        assert values[0] <= rows[gate]["value"] <= values[-1]
        for pair in told["pairs"]:
            images, row, second = drawn(pair["id"])
            _, _, first = drawn(f"clean-{images.pairs[row]:05d}")
            assert pair["first"] == first
            assert pair["second"] == second
            for match in pair["matches"]:
                far = np.hypot(*np.subtract(match["second"], match["true"])) * 128
                assert match["right"] == (far <= 8) or abs(far - 8) < 0.05
    assert of(figures, "pairs", "correspondence/pck_per_image")
    assert "Matches, right and wrong" in text


def test_an_image_is_shown_under_each_corruption(shown, drawn):
    _, figures, pictures, _ = shown
    clean = set()
    for suite, kind in (("corruptions", "fog"), ("corruptions_3d", "fog_3d")):
        [told] = of(figures, "example", f"{suite}/accuracy").values()
        assert told["gate"] == f"{suite}/accuracy[{kind}]"
        images, row, _ = drawn(told["id"])
        assert told["truth"] == images.classes[images.labels[row]]
        assert len({step["picture"] for step in told["steps"]}) == 6
        clean.add(told["steps"][0]["picture"])
        assert told["steps"][0]["right"]
    [key] = clean
    seen = Image.open(io.BytesIO(base64.b64decode(pictures[key]))).resize((16, 16))
    rendered = Image.fromarray(render_rgb((images.scenes[row],)).numpy()[0]).resize((16, 16))
    assert np.abs(np.asarray(seen).astype(int) - np.asarray(rendered)).mean() < 8


def test_a_kind_of_one_severity_has_its_example_too(shown):
    record, figures, _, text = shown
    found = of(figures, "example", "corruptions_laion_c/accuracy")
    cells = {row["gate"]: row for row in record["gates"] if row["gate"].startswith("corruptions_laion_c/accuracy")}
    assert found.keys() == cells.keys()
    assert len(found) > 3
    for told in found.values():
        assert [step["severity"] for step in told["steps"]] == [0, 1]
        assert told["steps"][0]["picture"] != told["steps"][1]["picture"]
    [without] = {row["conventions"]["measured"]["without"] for row in cells.values()}
    clean = next(row for row in record["gates"] if row["gate"] == "corruptions/accuracy[fog-3]")
    assert clean["conventions"]["measured"]["without"] == without  # the same images
    assert "Accuracy at severity 1" in text
    assert "Below each curve the image" in text.partition("Accuracy at severity 1")[2]


def test_what_another_background_loses_is_shown_before_and_after(shown, drawn):
    record, figures, _, _ = shown
    row = next(row for row in record["gates"] if row["gate"] == "factors/background_gap")
    found = of(figures, "counterexamples", "factors/background_gap")
    assert len(found) == 1 or row["value"] <= 0
    for told in found.values():
        assert told["changed"] >= round(row["value"] * row["n"])
        for each in told["images"]:
            assert each["after"] == drawn(each["id"])[2]
            assert each["before"] == drawn(each["id"].replace("foreign", "typical"))[2]


def test_what_a_factor_loses_is_shown_before_and_after(shown, drawn):
    _, figures, _, _ = shown
    found = of(figures, "counterexamples", "factors/drop")
    assert found
    for gate, told in found.items():
        factor = gate.partition("[")[2].rstrip("]")
        assert told["what"] == f"scenes are right without {factor} and wrong with it"
        for each in told["images"]:
            images, row, after = drawn(each["id"])
            _, _, before = drawn(f"clean-{images.pairs[row]:05d}")
            assert each["before"] == before
            assert each["after"] == after
            assert each["was"].rpartition(" ")[0] == each["truth"] != each["now"].rpartition(" ")[0]


def test_a_change_that_flips_an_answer_is_shown_before_and_after(shown, drawn):
    record, figures, _, _ = shown
    rows = {row["gate"]: row for row in record["gates"]}
    found = of(figures, "counterexamples", "metamorphic/agreement")
    assert set(found) == {gate for gate, row in rows.items() if gate.startswith("metamorphic/agreement") and row["value"] < 1}
    for gate, told in found.items():
        assert told["changed"] == round((1 - rows[gate]["value"]) * told["of"])
        for each in told["images"]:
            assert each["was"].rpartition(" ")[0] != each["now"].rpartition(" ")[0] or each["now"] == "undecided"
            assert each["before"] != each["after"]
