"""What README, CONTRIBUTING and docs/ name is there: files, functions, modules, other pages and their sections."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pytest_clip.gates.catalog import CATALOG

ROOT, PACKAGE = Path(__file__).parents[2], "pytest_clip"
PAGES = [path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md")]


def defines(path, name):
    """Whether a file, or a package, has this function, class or name at its top."""
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path).read_text(encoding="utf-8"))
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return name in found


def unknown(text):
    """What a page names in backticks as `room/file.py`, `room/file.py::name` or `room/`, and that there is not."""
    wrong = []
    for path, name in re.findall(r"`((?:[a-z_0-9.]+/)+(?:[a-z_0-9]+\.(?:py|toml|md))?)(?:::(\w+))?`", text):
        places = [ROOT / path, ROOT / PACKAGE / path]
        there = next((each for each in places if each.exists()), None)
        if there is None or (name and not defines(there, name)):
            wrong.append(f"{path}::{name}" if name else path)
    return wrong


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_what_the_page_names_is_there(page):
    assert unknown((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_name_that_is_gone_is_seen():
    told = "`session/judge.py::judge`, `session/judge.py::gone`, `session/gone.py`, `gates/`, `gone/`, `suites/test_ood.py`, `DIR/CLASS/`"
    assert unknown(told) == ["session/judge.py::gone", "session/gone.py", "gone/"]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_modules_that_a_page_names_are_there(page):
    """`pytest_clip.metrics.intervals`, `from pytest_clip.metrics.intervals import wilson`, `pytest_clip/views/frost.py`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    imported = [
        f"{name}.{each}" for name, names in re.findall(r"from (pytest_clip[\w.]*) import ([\w, ]+)", text) for each in names.split(", ")
    ]
    for name in [*re.findall(r"pytest_clip(?:\.\w+)+", text), *imported]:
        parts = name.split(".")
        path = ROOT
        while parts and ((path / parts[0]).is_dir() or (path / f"{parts[0]}.py").is_file()):
            path = path / parts[0] if (path / parts[0]).is_dir() else path / f"{parts[0]}.py"
            parts = parts[1:]
        assert not parts or (len(parts) == 1 and defines(path, parts[0])), f"{page} names {name}"
    for name in re.findall(r"pytest_clip/[\w/]+\.\w+", text):
        in_the_wheel = ROOT / name.removeprefix(f"{PACKAGE}/")  # suites and shipped rules
        assert (ROOT / name).exists() or in_the_wheel.exists(), f"{page} names {name}"


LINKED = re.compile(r"(?:\]\(|src=\"|srcset=\")([^)\s\"]+)[)\"]")


def sections(path):
    """The anchors of a page, as GitHub makes them of its titles."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_has_its_end(page):
    for link in LINKED.findall((ROOT / page).read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        name, _, section = link.partition("#")
        there = (ROOT / page).parent / name if name else ROOT / page
        assert there.exists(), link
        assert not section or section in sections(there), link


def test_the_rules_that_the_readme_shows_stand_at_these_lines():
    """`FAILED factors/drop[darker]: ... > max 0.2680 (...)  [pytest_clip/thresholds.toml:1422]`."""
    lines = (ROOT / "thresholds.toml").read_text(encoding="utf-8").splitlines()
    shown = re.findall(
        r"^FAILED (\S+): .*?(min|max) ([\d.]+) .*thresholds\.toml:(\d+)\]$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert shown
    for gate, key, bound, line in shown:
        said, _, value = lines[int(line) - 1].partition(" = ")
        assert (said, float(value)) == (key, float(bound))
        assert lines[int(line) - 2].endswith(f'.gates."{gate}"]')


def test_every_metric_has_its_kind_in_the_table_of_statistics():
    """Which estimator and which interval: `accuracy/top1`, `top5` (of the same suite), `retrieval/*_mean_rank`."""
    text = (ROOT / "docs/statistics.md").read_text(encoding="utf-8").partition("## By kind of gate")[2]
    patterns, suite = [], ""
    for line in text.splitlines():
        for named in re.findall(r"`([a-z0-9_*/]+)`", line.split("|")[2] if line.startswith("| ") else ""):
            suite = named.partition("/")[0] if "/" in named else suite
            patterns.append(named if "/" in named else f"{suite}/{named}")
    assert [metric for metric in CATALOG if not any(fnmatch(metric, each) for each in patterns)] == []
    assert [each for each in patterns if not any(fnmatch(metric, each) for metric in CATALOG)] == []
