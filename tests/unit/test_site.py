"""mkdocs.yml: every page has its place, every place its page, and the reference names what there is. `mkdocs build --strict` sees more."""

from __future__ import annotations

import importlib
import os
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import yaml
from test_pages import LINKED

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.report.html import docs

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
PLACES = re.findall(r"^\s+- (?:\w+: )?([\w/]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_page_has_one_place_and_every_place_a_page():
    assert sorted(PLACES) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
    assert len(PLACES) == len(set(PLACES))
    assert [next(iter(each)) for each in SITE["nav"]] == ["Home", "Start", "Measure", "Decide", "Run", "Statistics", "Extend"]


def test_the_site_fetches_nothing():
    assert SITE["theme"]["font"] is False
    assert not {"extra_css", "extra_javascript", "extra"} & set(SITE)


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=lambda path: path.name)
def test_the_reference_names_what_there_is_and_it_has_docstrings(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"^::: ([\w.]+)(?:\n    options: .*members: \[([\w, ]+)\])?", text, re.MULTILINE)
    assert named
    for name, members in named:
        try:
            there = importlib.import_module(name)
        except ModuleNotFoundError:
            room, _, last = name.rpartition(".")
            there = getattr(importlib.import_module(room), last)
        for each in (there, *(getattr(there, member) for member in members.split(", ") if member)):
            assert each.__doc__, f"{name}: {each}"


@pytest.mark.parametrize("page", PLACES)
def test_no_link_of_the_site_leaves_it(page):
    """`[rules](../thresholds.toml)` is a link on GitHub; the site has the name of the file instead."""
    hook = runpy.run_path(str(DOCS / "site_hooks.py"))["on_page_markdown"]
    text = hook((DOCS / page).read_text(encoding="utf-8"), SimpleNamespace(file=SimpleNamespace(src_uri=page)))
    for link in LINKED.findall(text):
        if not link.startswith(("https://", "#")):
            assert (DOCS / page).parent.joinpath(link.partition("#")[0]).resolve().is_relative_to(DOCS), link


def anchors(text):
    return re.findall(r'id="(\w+/\w+)"', text)


def test_every_metric_of_suites_has_its_anchor_and_reports_lead_there():
    hook = runpy.run_path(str(DOCS / "site_hooks.py"))["on_page_markdown"]
    found = [
        anchors(hook((DOCS / name).read_text(encoding="utf-8"), SimpleNamespace(file=SimpleNamespace(src_uri=name))))
        for name in ("suites.md", "gates.md")
    ]
    assert sorted(found[0]) == sorted(CATALOG)
    assert found[1] == []
    assert [docs.link(name) for name in CATALOG] == [f"{SITE['site_url']}suites.html#{name}" for name in CATALOG]
    assert docs.link("shop/top1") is None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == SITE["site_url"]


@pytest.mark.skipif("CLIP_BUILT_SITE" not in os.environ, reason="CLIP_BUILT_SITE is not set to the folder of mkdocs build")
def test_the_built_site_has_the_places_that_reports_lead_to():
    """`.ci/run` builds the site and asks."""
    built = Path(os.environ["CLIP_BUILT_SITE"])
    pages = {
        name: (built / name).read_text(encoding="utf-8")
        for name in {str(docs.link(each)).removeprefix(docs.SITE).partition("#")[0] for each in CATALOG}
    }
    for metric in CATALOG:
        name, _, anchor = str(docs.link(metric)).removeprefix(docs.SITE).partition("#")
        assert f'id="{anchor}"' in pages[name], metric


def test_a_link_that_leaves_the_site_is_told_as_a_name():
    hook = runpy.run_path(str(DOCS / "site_hooks.py"))["on_page_markdown"]
    page, below = (SimpleNamespace(file=SimpleNamespace(src_uri=uri)) for uri in ("gates.md", "api/models.md"))
    told = hook("the [rules](../thresholds.toml#a), [`a.py`](../a.py), [x](data.md)", page)
    assert told == "the rules (`thresholds.toml`), `a.py`, [x](data.md)"
    assert hook("[up](../data.md), [out](../../LICENSE)", below) == "[up](../data.md), out (`LICENSE`)"


@pytest.mark.parametrize("path", sorted((DOCS / "pictures").glob("*.svg")), ids=lambda path: path.name)
def test_pictures_are_small_and_ask_nothing_of_others(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) <= 60_000
    ElementTree.fromstring(text)
    assert not re.findall(r"(?:href|src)=\"(?!#)|url\((?!#)|@import", text)


def test_the_package_index_shows_no_link_that_leads_nowhere():
    hook = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in hook["substitutions"]:
        text, count = re.subn(each["pattern"], each["replacement"], text)
        assert count, each
    assert not re.findall(r"\]\((?!https://)|<img|<picture", text)
    assert "docs/gates.md" in text
    assert "arxiv.org/abs/2410.01534)" in text
    assert "## Your own checkpoint" in text
