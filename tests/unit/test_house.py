"""The house of docs/architecture.md stands as it is drawn: imports go down only, in no circle, and pytest is known in plugin/ alone."""

import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "docs" / "house"
sys.path.insert(0, str(HERE))
import picture  # noqa: E402
import rooms  # noqa: E402

sys.path.remove(str(HERE))

AT_THE_TOP = {"__init__.py", "store.py"}
MOST_ROOMS = 18


@pytest.fixture(scope="module")
def files():
    return rooms.read()


def climbing(files):
    """Every import of a room that does not lie below: `FILE imports NAME`."""
    return sorted(
        f"{file.name} imports {name}"
        for file in files.values()
        for name in file.imports & files.keys()
        if file.room and rooms.room(name) not in ("", file.room) and rooms.FLOOR[rooms.room(name)] <= rooms.FLOOR[file.room]
    )


def circle(files):
    """Files that import each other in a circle when they run, or None."""
    try:
        TopologicalSorter({name: (file.runs & files.keys()) - {name} for name, file in files.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def knowing_pytest(files):
    return sorted(f.name for f in files.values() if f.room != "plugin" and {n.split(".")[0] for n in f.imports} & {"pytest", "_pytest"})


def test_the_picture_is_what_the_imports_say(files):
    drawn = picture.draw(rooms.arrows(files))
    assert picture.PICTURE.read_text(encoding="utf-8") == drawn, "run python docs/house/picture.py, and look at docs/house.svg"


def test_every_arrow_is_drawn_or_named_in_its_box(files):
    graph = rooms.arrows(files)
    drawn = picture.draw(graph)
    steps = sum(b not in rooms.below(graph, a, without=b) for a in graph for b in graph[a])
    named = " ".join(line.split(">")[1].split("<")[0] for line in drawn.splitlines() if line.startswith('<text class="also"'))
    assert drawn.count('class="arrow"') == steps
    assert sum(map(len, graph.values())) == steps + len(named.replace("also imports", "").replace(",", " ").split())


def test_every_room_has_its_floor_and_nothing_lies_loose(files):
    assert {file.room for file in files.values()} - {""} == set(rooms.FLOOR)
    assert len(rooms.FLOOR) <= MOST_ROOMS
    package = rooms.ROOT / rooms.PACKAGE
    assert {path.name for path in package.glob("*.py")} == AT_THE_TOP
    assert all((path / "__init__.py").is_file() for path in package.iterdir() if any(path.glob("*.py")))


def test_no_arrow_climbs(files):
    assert climbing(files) == []


def test_no_circle_of_files(files):
    assert circle(files) is None


def test_only_the_plugin_knows_pytest(files):
    assert knowing_pytest(files) == []


def test_the_ground_floor_imports_nothing_of_ours_but_errors(files):
    ground = {name for name, _, _ in rooms.FLOORS[-1]}
    for file in files.values():
        if file.room in ground:
            ours = {name for name in file.imports if name.split(".")[0] == rooms.PACKAGE and rooms.room(name) not in (file.room, "")}
            assert ours <= {"pytest_clip.ClipError", "pytest_clip.CacheError", "pytest_clip.ClipWarning"}, file.name


# The checks see what they are there for


HOUSE = {
    "__init__": "",
    "cli/__init__": "",
    "cli/main": "from pytest_clip.gates import rules",
    "gates/__init__": "",
    "gates/rules": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pytest_clip.gates.verdicts import Verdict",
    "gates/verdicts": "from .rules import Rule",
    "metrics/__init__": "",
}


@pytest.fixture
def house(tmp_path):
    """A house that stands, and one with another file in it."""

    def build(**changed):
        for name, text in {**HOUSE, **{each.replace("__", "/", 1): text for each, text in changed.items()}}.items():
            path = tmp_path / rooms.PACKAGE / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return rooms.read(tmp_path)

    return build


def test_a_house_that_stands(house):
    files = house()
    assert rooms.arrows(files)["cli"] == {"gates"}
    assert (climbing(files), circle(files), knowing_pytest(files)) == ([], None, [])


@pytest.mark.parametrize(
    "text",
    [
        "from pytest_clip.cli import main",
        "def late():\n    from ..cli.main import run",
        "if TYPE_CHECKING:\n    import pytest_clip.cli.main",
    ],
)
def test_an_import_of_a_higher_room_is_seen(house, text):
    assert climbing(house(gates__rules=text))[-1] == "pytest_clip.gates.rules imports pytest_clip.cli.main"


def test_an_import_on_the_same_floor_is_seen(house):
    assert climbing(house(store="", metrics__accuracy="from .. import store")) == ["pytest_clip.metrics.accuracy imports pytest_clip.store"]


def test_a_circle_is_seen_where_functions_import(house):
    assert set(circle(house(gates__rules="def late():\n    from .verdicts import judge"))) == {
        "pytest_clip.gates.rules",
        "pytest_clip.gates.verdicts",
    }


@pytest.mark.parametrize("text", ["import pytest", "def late():\n    from _pytest import nodes"])
def test_who_else_knows_pytest_is_seen(house, text):
    assert knowing_pytest(house(gates__rules=text)) == ["pytest_clip.gates.rules"]
