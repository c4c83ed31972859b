"""The suites' files of the catalog: each is whole, and the docs tell every gate of it."""

import importlib.util
import re
from pathlib import Path
from typing import get_args

import pytest

from pytest_clip.gates.catalog import CATALOG, SUITES, Better, Unit
from pytest_clip.gates.catalog import mutants as damages
from pytest_clip.gates.catalog import table as tables
from pytest_clip.gates.ids import GateId
from pytest_clip.mutants.catalog import MUTANTS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "suites.md"
ONLY_AS_ASKED = {"mutants"}  # its gates belong to no file of suites/: --clip-mutants makes them
WORDS = {"higher": "higher", "lower": "lower", "none": "neither"}


def documented():
    """What docs/suites.md says: the direction of each metric of each suite, from its tables with a column `better`."""
    found, suites, columns = {}, [], []
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        if line.startswith(("## ", "### ")):  # the second where a gate is of one suite of a section only
            suites, columns = line.lstrip("# ").split(" and "), []
        elif not line.startswith("|"):
            columns = []
        elif not columns:
            columns = [cell.strip() for cell in line.strip("|").split("|")]
        elif "better" in columns and not line.startswith("|---"):
            cells = dict(zip(columns, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
            for name in re.findall(r"`(\w+)(?:\[[^`]*\])?`", cells["gate"]):
                found.update({f"{suite}/{name}": cells["better"] for suite in suites})
    return found


@pytest.mark.parametrize("suite", tables._SUITES, ids=lambda suite: suite.name)
def test_every_metric_of_a_suite_is_whole(suite):
    """An id of the suite, a unit, a direction and a title that fits on a line of the listing."""
    assert suite.metrics
    assert suite.asks
    for key, metric in suite.metrics.items():
        gate = GateId.parse(key)
        assert (gate.suite, gate.slice, str(gate)) == (suite.name, None, key)
        assert metric.unit in get_args(Unit)
        assert metric.better in get_args(Better)
        assert metric.title
        assert not metric.title.endswith(".")
    for need in suite.needs:
        assert need.metrics.startswith(f"{suite.name}/"), "what data must have is said in the file of the suite that needs it"


def test_no_file_of_the_catalog_is_forgotten():
    here = Path(tables.__file__).parent
    files = {path.stem for path in here.glob("*.py") if "SUITE = " in path.read_text(encoding="utf-8")}
    assert files == set(SUITES) == {suite.name for suite in tables._SUITES}
    assert len(tables._SUITES) == len(SUITES)
    assert list(CATALOG) == [key for suite in tables._SUITES for key in suite.metrics]


def marked(path):
    """The metrics with which the tests of a suite's file are marked."""
    spec = importlib.util.spec_from_file_location(f"_read_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    marks = (mark for name, test in vars(module).items() if name.startswith("test_") for mark in getattr(test, "pytestmark", ()))
    return {mark.args[0] for mark in marks if mark.name == "clip_gate"}


@pytest.mark.parametrize("suite", sorted(set(SUITES) - ONLY_AS_ASKED))
def test_a_suite_measures_what_the_catalog_has_of_it(suite):
    assert marked(ROOT / "suites" / f"test_{suite}.py") == {key for key in CATALOG if key.startswith(f"{suite}/")}


def test_every_file_of_suites_has_a_file_in_the_catalog():
    assert {path.stem.removeprefix("test_") for path in (ROOT / "suites").glob("test_*.py")} == set(SUITES) - ONLY_AS_ASKED


def test_the_docs_tell_every_gate_and_its_direction():
    said, known = documented(), {key: WORDS[metric.better] for key, metric in CATALOG.items()}
    assert not sorted(known.keys() - said.keys()), "these have no line in docs/suites.md"
    assert not sorted(said.keys() - known.keys()), "docs/suites.md tells of these, which there are not"
    assert said == known


def test_the_docs_tell_the_suites_in_their_order():
    titles = re.findall(r"^## (.*)$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [name for title in titles for name in title.split(" and ")] == list(SUITES)


def test_the_names_of_the_damages_are_those_that_mutants_knows():
    """`gates` may not look up to `mutants`, so the names are in both: a new damage has its name in gates/catalog/mutants.py too."""
    assert tuple(MUTANTS) == damages.NAMES
