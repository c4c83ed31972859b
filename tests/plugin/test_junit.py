"""`--junitxml`: what GitLab and Jenkins read of a gate, and the schema of Jenkins' xUnit plugin."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from pytest_clip.plugin import written
from pytest_clip.report import junit
from pytest_clip.session.settings import ReportRequest

# The structure of junit-10.xsd of Jenkins' xUnit plugin, the strictest of its versions: attributes that are allowed (with those that are
# required) and children. An element of the file that is not in here, or holds what is not, makes the plugin skip the whole file.
SCHEMA = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"time", "classname", "group"},
        {"name"},
        {"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": (set(), {"name", "value"}, set()),
    **dict.fromkeys(("failure", "error", "skipped"), ({"type", "message"}, set(), set())),
    **dict.fromkeys(("system-out", "system-err"), (set(), set(), set())),
}
TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
RULES = "schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\n"
HOSTILE = ["<script>", "]]>", "\\x1b[31m \\x00 \\x08", "\\u202e", "x" * 10_000, "\\U0001f469", "two\\nlines", "[[ATTACHMENT|/etc/passwd]]"]


def faults(element):
    """What the schema says against an element and all below it."""
    if element.tag not in SCHEMA:
        return [f"no element {element.tag}"]
    optional, required, children = SCHEMA[element.tag]
    told = [f"{element.tag} has {name}" for name in element.attrib.keys() - optional - required]
    told += [f"{element.tag} lacks {name}" for name in required - element.attrib.keys()]
    told += [f"{child.tag} in {element.tag}" for child in element if child.tag not in children]
    if element.tag in ("testsuite", "testsuites") and not TIME.fullmatch(element.get("time", "")):
        told.append(f"time {element.get('time')}")
    return told + [fault for child in element for fault in faults(child)]


def read(world, *args, run=None):
    (run or world.clip)("--junitxml=junit.xml", *args)
    return ElementTree.parse(world.pytester.path / "junit.xml").getroot()


def case_of(root, name):
    return next(case for case in root.iter("testcase") if name in case.get("name", ""))


def properties_of(case):
    return {each.get("name"): each.get("value") for each in case.iter("property")}


def test_a_gate_has_its_numbers_as_properties_and_the_place_of_its_rule(world):
    world.project(RULES)
    root = read(world, "-W", "error")
    case = case_of(root, "top1[stub-scenes-accuracy/top1[shift_far]]")
    told = properties_of(case)
    assert (told["clip.value"], told["clip.ci_low"], told["clip.n"], told["clip.verdict"]) == ("0.6", "0.5", "100", "fail")
    assert (case.get("file"), case.get("line")) == ("thresholds.toml", "3")
    [failure] = case.findall("failure")
    assert failure.get("message") == "accuracy/top1[shift_far]: 0.6000 < min 0.7000 (n = 100, 95 % interval 0.5000..0.9500)"
    assert "rerun" in failure.text
    assert case_of(root, "top5").get("file") is None  # no rule


def test_only_the_properties_and_the_places_are_beyond_the_schema(world):
    world.project(RULES)
    assert set(faults(read(world))) == {"properties in testcase", "testcase has file", "testcase has line"}


def test_the_file_keeps_to_the_schema_where_it_is_asked_to(world):
    world.project(RULES)
    root = read(world, "-o", "clip_junit=schema")
    assert faults(root) == []
    case = case_of(root, "top1[stub-scenes-accuracy/top1[shift_far]]")
    lines = case.find("system-out").text.splitlines()
    assert lines[:2] == ["[[PROPERTY|clip.gate=accuracy/top1[shift_far]]]", "[[PROPERTY|clip.suite=accuracy]]"]
    assert "[[PROPERTY|clip.value=0.6]]" in lines
    assert case.find("failure").get("message").startswith("accuracy/top1[shift_far]: 0.6000 < min 0.7000")


def test_both_forms_hold_the_same_content(world):
    """There is none that is both: the schema's testcase has no properties, nor room for what it does not know."""
    world.project(RULES)
    told = [[(each.get("name"), each.get("value")) for each in case.iter("property")] for case in read(world).iter("testcase")]
    line = re.compile(r"\[\[PROPERTY\|(.*?)=(.*)\]\]")
    strict = [line.findall(case.findtext("system-out")) for case in read(world, "-o", "clip_junit=schema").iter("testcase")]
    assert told[0][0] == ("clip.gate", "accuracy/top1[clean]")
    assert strict == told


def test_under_xunit1_the_place_is_that_of_the_rule(world):
    world.project(RULES)
    case = case_of(read(world, "-o", "junit_family=xunit1"), "top1[stub-scenes-accuracy/top1[clean]]")
    assert (case.get("file"), case.get("line")) == ("thresholds.toml", "3")


def test_what_tests_print_stays_beside_the_properties(world):
    world.pytester.makepyfile(test_own="def test_own(gate): print('said'); gate('own/a', 1, n=1)")
    root = read(world, "test_own.py", "-o", "clip_junit=schema", "-o", "junit_logging=system-out")
    assert faults(root) == []
    [out] = [each.text for each in root.iter("system-out")]
    assert "said\n" in out
    assert "[[PROPERTY|clip.gate=own/a]]\n" in out


@pytest.mark.parametrize("kind", ["schema", "properties"])
def test_a_file_with_hostile_names_can_be_read(world, kind):
    world.project("schema = 1\n[gates.'own/*']\nmin = 1".replace("*", "a") + f'\nwhy = "{HOSTILE[0]} {HOSTILE[4]}"')
    world.pytester.makepyfile(
        test_own=f"""
        import pytest
        HOSTILE = {[each.encode().decode("unicode_escape") for each in HOSTILE]!r}
        @pytest.mark.parametrize("k", range({len(HOSTILE)}))
        def test_own(gate, k, request):
            name = HOSTILE[k]
            gate("own/a", 0.5, n=1, conventions={{"prompts": name, name: k}})
        @pytest.mark.parametrize("name", HOSTILE, ids=lambda name: name[:70])
        def test_skipped(name):
            pytest.skip(name)
        def test_error(name_of_no_fixture): ...
        """
    )
    root = read(world, "test_own.py", "-o", f"clip_junit={kind}")
    assert len(list(root.iter("testcase"))) == 2 * len(HOSTILE) + 1
    assert (
        set(faults(root)) - ({"properties in testcase", "testcase has file", "testcase has line"} if kind == "properties" else set())
        == set()
    )
    for out in root.iter("system-out"):
        assert not [line for line in out.text.splitlines() if line.startswith("[[ATTACHMENT|")]
    assert max(len(each.get("message", "")) for each in root.iter("failure")) <= junit.MESSAGE


def test_the_file_is_the_same_from_workers(world):
    world.project(RULES)
    root = read(world, "-p", "xdist", "-n", "1", "-o", "clip_junit=schema", run=lambda *a: world.run_process("--clip-model=stub", *a))
    assert faults(root) == []
    assert "[[PROPERTY|clip.value=0.6]]" in case_of(root, "accuracy/top1[shift_far]").find("system-out").text


def test_a_run_that_is_interrupted_has_a_whole_file(world):
    world.pytester.makepyfile(test_own="def test_a(gate): gate('own/a', 1, n=1)\ndef test_b(gate): raise KeyboardInterrupt")
    root = read(world, "test_own.py", "-o", "clip_junit=schema", run=lambda *a: world.run_process("--clip-model=stub", *a))
    assert faults(root) == []


def test_a_run_without_a_model_is_left_alone(world):
    world.pytester.makepyfile(test_own="def test_a(record_property): record_property('x', 1)")
    root = read(world, "test_own.py", "-o", "clip_junit=schema", "-o", "junit_family=xunit1", run=world.run)
    assert properties_of(next(root.iter("testcase"))) == {"x": "1"}


def test_pictures_that_lie_beside_the_run_are_attached(world):
    flips = world.pytester.path / "cache" / "flips"
    flips.mkdir(parents=True)
    for k in range(5):
        (flips / f"{k:03d}.png").touch()
    (world.pytester.path / ".git").mkdir()
    own = f"request.node.user_properties.append(('clip.flips', {str(flips)!r}))"
    world.pytester.makepyfile(test_own=f"def test_own(gate, request):\n    gate('own/a', 1, n=1)\n    {own}")
    for kind in ("schema", "properties"):
        [out] = [each.text for each in read(world, "test_own.py", "-o", f"clip_junit={kind}").iter("system-out")]
        assert re.findall(r"\[\[ATTACHMENT\|(.*)\]\]", out) == [f"cache/flips/{k:03d}.png" for k in range(3)]


def test_the_page_of_a_gate_is_linked():
    row = {"gate": "ood/auroc[near]", "value": 0.5}
    assert dict(junit.properties(row, html="out/a.html"))["clip.report"] == "out/a.html#gate=ood%2Fauroc%5Bnear%5D"
    assert "clip.report" not in dict(junit.properties(row))


def test_the_link_is_as_one_would_write_the_path(tmp_path):
    config = SimpleNamespace(invocation_params=SimpleNamespace(dir=tmp_path))
    asked = [
        ReportRequest("github", None),
        ReportRequest("html", tmp_path / "out" / "a b.html"),
        ReportRequest("html", tmp_path / "c.html"),
    ]
    assert written.of_type("html", config, asked) == "out/a b.html"
    assert written.of_type("html", config, [ReportRequest("html", Path("/elsewhere/a.html"))]) == "/elsewhere/a.html"
    assert written.of_type("html", config, asked[:1]) is None


@pytest.mark.parametrize("broken", ["testcase has line", "property in testcase"])
def test_the_schema_here_sees_what_it_is_there_for(broken):
    case = '<testcase name="a" line="3"/>' if "line" in broken else '<testcase name="a"><property name="a" value="b"/></testcase>'
    suite = f'<testsuite name="a" tests="1" failures="0" errors="0" time="1.0">{case}</testsuite>'
    assert faults(ElementTree.fromstring(suite)) == [broken]
