"""What a test shows behind its gate, in runs of own data: asked for only where it is wanted, and no verdict depends on it."""

import base64
import io
import json
import textwrap

import numpy as np
import painted
import pytest
import torch
import torchvision.transforms.v2.functional  # noqa: F401 - its operators cannot be registered twice, and inner runs forget what they import
from PIL import Image

from pytest_clip.runs import shape
from pytest_clip.views import corrupt


@pytest.fixture
def pets(tmp_path):
    for k in range(24):
        painted.save(tmp_path / "pets" / f"class {k % 2}" / f"{k}.png", 1 if k in (2, 4) else k % 2, size=(48, 40))
    return tmp_path / "pets"


def of(project, kind):
    record = shape.record(json.loads((project.path / "report.json").read_text("utf-8")))
    held = record.get("evidence", {})
    return [each for each in held.get("figures", ()) if each["kind"] == kind], held.get("pictures", {})


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)


def seen(file, kind, severity):
    """The mean colour of a picture under a corruption."""
    raw = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None]
    changed = corrupt(raw, kind, severity, [f"{file.parent.name}/{file.name}"]) if severity else raw
    return changed.double().mean((0, 2, 3)).numpy()


def read(colour):
    """The class that the stub takes a colour for."""
    number = int(sum(digit // painted.STEP * 16**k for k, digit in enumerate(colour)))
    return int(torch.stack([painted.direction(k) @ painted.direction(number) for k in (0, 1)]).argmax())


CORRUPTED = ("-o", "clip_corruptions=brightness\ncontrast", "-k", "brightness or accuracy")


def test_one_image_is_shown_as_the_model_saw_it_at_each_severity(measure, project, pets):
    rows, _ = measure(pets, *CORRUPTED, "--clip-report=html:page.html", suites="corruptions")
    found, pictures = of(project, "example")
    assert [each["gate"] for each in found] == ["corruptions/accuracy[brightness]", "corruptions/accuracy[contrast]"]
    for told in found:
        assert told["truth"] in ("class 0", "class 1")
        assert [step["severity"] for step in told["steps"]] == [0, 1, 2, 3, 4, 5]
        assert told["steps"][0]["right"]
        kind = told["gate"].partition("[")[2].rstrip("]")
        for step in told["steps"]:
            number = seen(pets / told["id"], kind, step["severity"])
            assert np.abs(pixels(pictures[step["picture"]]).mean((0, 1)) - number).max() < 3
            assert step["right"] == (step["answer"] == told["truth"])
            assert step["answer"] == f"class {read(number)}"
    bright = [pixels(pictures[step["picture"]]).mean() for step in found[0]["steps"]]
    assert bright == sorted(bright)
    assert bright[5] > bright[0] + 30
    assert len({told["id"] for told in found}) == 1
    wrong = [step for step in found[0]["steps"] if not step["right"]]
    text = (project.path / "page.html").read_text("utf-8")
    assert text.count('class="framed"') == sum(not step["right"] for told in found for step in told["steps"])
    assert wrong
    assert rows["corruptions/accuracy[brightness]"]["value"] < 1


def test_mistakes_at_a_severity_are_shown_where_somebody_has_to_look(measure, project, pets):
    measure(pets, *CORRUPTED, suites="corruptions")
    assert of(project, "mistakes")[0] == []
    rules = "schema = 1\n[gates.'corruptions/accuracy[brightness-5]']\nmin = 0.999\nwhy = 'x'\n"
    measure(pets, *CORRUPTED, suites="corruptions", rules=rules)
    found, pictures = of(project, "mistakes")
    assert [each["gate"] for each in found] == ["corruptions/accuracy[brightness-5]"]
    assert len(found[0]["images"]) == 3
    for each in found[0]["images"]:
        assert each["truth"] == each["id"].split("/")[0]
        assert each["answer"] != each["truth"]
        assert each["picture"] in pictures
    sure = [each["confidence"] for each in found[0]["images"]]
    assert sure == sorted(sure, reverse=True)


def test_nothing_of_it_with_none_and_less_with_one(measure, project, pets):
    full, _ = measure(pets, *CORRUPTED, suites="corruptions,metamorphic")
    kinds = {kind: of(project, kind)[0] for kind in ("example", "counterexamples")}
    assert all(kinds.values())
    assert max(len(each["images"]) for each in kinds["counterexamples"]) > 1
    one, _ = measure(pets, *CORRUPTED, "--clip-evidence=1", suites="corruptions,metamorphic")
    assert {len(each["images"]) for each in of(project, "counterexamples")[0]} == {1}
    none, _ = measure(pets, *CORRUPTED, "--clip-evidence=0", suites="corruptions,metamorphic")
    assert "evidence" not in json.loads((project.path / "report.json").read_text("utf-8"))
    assert full == one == none


def test_counterexamples_are_before_and_after(measure, project, pets):
    measure(pets, "-k", "brightness", suites="metamorphic")
    found, pictures = of(project, "counterexamples")
    told = next(each for each in found if each["gate"] == "metamorphic/smallest_break[brightness]")
    rows = {row["gate"]: row for row in json.loads((project.path / "report.json").read_text("utf-8"))["gates"]}
    assert told["of"] == rows[told["gate"]]["n"]
    assert told["changed"] > 0.1 * told["of"]
    strength = rows[told["gate"]]["value"]
    assert told["what"] == f"images are answered otherwise after brightness {strength:g} (change of the factor 1)"
    for each in told["images"]:
        before, after = (pixels(pictures[each[key]]).mean((0, 1)) for key in ("before", "after"))
        assert before[0] // painted.STEP == int(each["was"].split()[1])
        assert abs(abs(after[0] / before[0] - 1) - strength) < 0.2
        assert each["was"].split()[1] != each["now"].split()[1:2]


OWN = """
import numpy as np
import pytest
from pytest_clip.gates.evidence import Counterexample, Counterexamples, Picture

def shows(wanted):
    with open("asked", "a") as out:
        out.write(f"{wanted.most} {wanted.green}\\n")
    if SHOWN == "error":
        raise OSError("a file is gone")
    if SHOWN == "hostile":
        return Counterexamples("<script>", 1, 2, [Counterexample("<b>" + "x" * 10_000, "\\u202ebefore", "after", "'\\"")])
    return Counterexamples("things", 1, 2, [Counterexample("a", "b", "c", before=Picture(np.zeros((9, 9, 3), np.uint8)))])

@pytest.mark.clip_gate("own/share")
def test_share(gate, clip_model):
    gate.share("own/share", np.array([True, False]), shows=shows)

@pytest.mark.clip_gate("own/number")
def test_number(gate, clip_model):
    gate("own/number", 0.5, n=2, better="higher", shows=shows)
"""
RULE = "schema = 1\n[gates.'own/share']\nmin = 0.9\n[gates.'own/number']\nmin = 0.1\n"


@pytest.fixture
def own(project):
    """Runs the project's own two gates, of which one fails."""

    def run(*options, shown="picture"):
        (project.path / "thresholds.toml").write_text(RULE)
        project.makepyfile(test_own=textwrap.dedent(OWN).replace("SHOWN", repr(shown)))
        (project.path / "asked").unlink(missing_ok=True)
        always = ("-p", "clip", "-p", "no:cacheprovider", "--clip-model=x", "--clip-no-cache")
        result = project.runpytest_inprocess(*always, *options, "test_own.py")
        asked = (project.path / "asked").read_text() if (project.path / "asked").exists() else ""
        return asked.splitlines(), result

    return run


@pytest.mark.parametrize("options", [[], ["--clip-report=md"], ["--clip-report=github:x.md"], ["--clip-report=html", "--clip-evidence=0"]])
def test_a_test_is_not_asked_where_nothing_is_shown(own, options):
    asked, result = own(*options)
    assert asked == []
    result.assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize("options", [["--clip-report=html"], ["--clip-report=json:report.json", "--clip-report=md"]])
def test_a_test_is_asked_once_where_something_is(own, options):
    asked, result = own(*options, "--clip-evidence=2")
    assert asked == ["2 False", "2 True"]
    result.assert_outcomes(passed=1, failed=1)


def test_a_test_that_cannot_show_anything_has_its_verdict_all_the_same(own, project):
    _, result = own("--clip-report=json:report.json", "--clip-report=html:page.html", shown="error")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*own/share: 0.5000 < min 0.9000*"])
    found, _ = of(project, "unshown")
    assert [each["reason"] for each in found] == ["OSError: a file is gone"] * 2
    assert "none could be made: OSError: a file is gone" in (project.path / "page.html").read_text("utf-8")


def test_workers_send_what_is_shown(own, project):
    own("--clip-report=json:report.json")
    alone = of(project, "counterexamples")
    own("--clip-report=json:report.json", "-p", "xdist", "-n1")
    assert of(project, "counterexamples") == alone


def test_hostile_words_of_a_test_stay_words_in_every_report(own, project):
    own("--clip-report=json:report.json", "--clip-report=html:page.html", "--clip-report=md:page.md", shown="hostile")
    found, _ = of(project, "counterexamples")
    assert found[0]["images"][0]["id"].endswith("xx… (10,003 characters)")
    text = (project.path / "page.html").read_text("utf-8")
    assert "1 of 2 &lt;script&gt;" in text
    assert "<script>" not in text.replace("<script>", "", 1)
    assert "<b>x" not in text
    assert "base64" not in (project.path / "page.md").read_text("utf-8")


def test_pictures_of_own_data_are_in_html_and_json_alone(measure, project, pets):
    measure(
        pets, *CORRUPTED, "--clip-report=md:page.md", "--clip-report=github:hub.md", "--clip-report=html:page.html", "--junitxml=x.xml",
        suites="corruptions,metamorphic",
    )  # fmt: skip
    _, pictures = of(project, "example")
    some = next(iter(pictures.values()))[:200]
    assert some in (project.path / "page.html").read_text("utf-8")
    for name in ("page.md", "hub.md", "x.xml"):
        text = (project.path / name).read_text("utf-8")
        assert some not in text
        assert "base64" not in text
