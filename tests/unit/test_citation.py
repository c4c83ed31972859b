"""CITATION.cff, by the Citation File Format 1.2.0: https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import pytest_clip
from pytest_clip.gates.toml_lines import tomllib

ROOT = Path(__file__).parents[2]
CITED = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
KEYS = {
    *(
        "abstract",
        "authors",
        "cff-version",
        "commit",
        "contact",
        "date-released",
        "doi",
        "identifiers",
        "keywords",
        "license",
        "license-url",
    ),
    *(
        "message",
        "preferred-citation",
        "references",
        "repository",
        "repository-artifact",
        "repository-code",
        "title",
        "type",
        "url",
        "version",
    ),
}
BOTH = {"address", "alias", "city", "country", "email", "fax", "orcid", "post-code", "region", "tel", "website"}
PERSON = BOTH | {"affiliation", "family-names", "given-names", "name-particle", "name-suffix"}
ENTITY = BOTH | {"name", "date-end", "date-start", "location"}


def is_author(one):
    """A person, of whom every key is optional, or an entity, which has a name."""
    keys = ENTITY if "name" in one else PERSON
    return bool(one) and set(one) <= keys and all(isinstance(each, str) for each in one.values())


def test_the_file_has_what_the_format_asks_for_and_nothing_else():
    assert {"authors", "cff-version", "message", "title"} <= set(CITED) <= KEYS
    assert CITED["cff-version"] == "1.2.0"
    assert CITED["type"] in ("software", "dataset")
    assert all(isinstance(CITED[key], str) for key in ("abstract", "license", "message", "title", "version"))
    assert len(set(CITED["keywords"])) == len(CITED["keywords"])
    for work in (CITED, *CITED["references"]):
        assert work["authors"]
        assert all(map(is_author, work["authors"]))
    for work in CITED["references"]:
        assert {"authors", "title", "type"} <= set(work)
        assert all(set(each) <= {"type", "value", "description"} for each in work["identifiers"])
        assert all(each["type"] in ("doi", "url", "swh", "other") for each in work["identifiers"])
        assert re.fullmatch(r"https://\S+", work["url"])


def test_it_says_what_the_package_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert CITED["version"] == pytest_clip.__version__
    assert (CITED["title"], CITED["license"]) == (project["name"], project["license"])
    assert CITED["authors"] == [{"name": each["name"]} for each in project["authors"]]


def test_the_study_is_that_of_the_readme():
    [study] = CITED["references"]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    names = ", ".join(each["family-names"] for each in study["authors"])
    assert f"*{study['title']}* ({names}, [arXiv 2410.01534]({study['url']})" in readme
