"""No text that comes from elsewhere becomes a line of a thresholds file."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip.gates import first, layers, thresholds
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.gates.toml_text import comment, header, quoted

HOSTILE = 'x"]\n[gates."accuracy/top1"]\nmin = 0.0\nwhy = "planted"\n#'
ROW = {
    "gate": "accuracy/top1[clean]", "suite": "accuracy", "metric": "top1", "slice": "clean", "model": "m", "data": "d", "value": 0.5,
    "ci": [0.4, 0.6], "n": 100, "verdict": "unjudged", "reason": None, "message": None, "conventions": {},
}  # fmt: skip


def whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@given(st.text())
def test_a_text_reads_back_as_it_was(text):
    assert tomllib.loads(f"a = {quoted(text)}") == {"a": whole(text)}
    assert tomllib.loads(header(("data", text, "gates"))) == {"data": {whole(text): {"gates": {}}}}
    assert len(quoted(text).splitlines()) == 1


@given(st.text())
def test_a_comment_is_one_line_and_says_nothing(text):
    line = comment(f"# {text}")
    assert len(line.splitlines()) == 1
    assert tomllib.loads(line) == {}


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["value", "reason", "data", "model"]))
def test_a_first_file_says_what_was_meant_whatever_the_names_are(name, reason, where):
    names = {"data": "d", "model": "m"} | ({where: name} if where in ("data", "model") else {})
    rows = [ROW | names, ROW | names | {"gate": "accuracy/top5[clean]", "metric": "top5", "value": None, "reason": reason, "n": None}]
    try:
        text = first.text(rows, models=[{"name": names["model"], "fingerprint": name}], today="2026-11-30")
    except ValueError:
        assert whole(names["data"]) != names["data"]  # half a character; no file can hold it
        return
    [(data, held)] = tomllib.loads(text)["data"].items()
    assert (data, list(held["gates"])) == (names["data"], ["accuracy/top1[clean]"])
    book = thresholds.check([layers.parse(text, "t.toml")], today=date(2026, 11, 30), extra_gates=None)
    assert [(str(entry.gate), entry.data) for entry in book.entries] == [("accuracy/top1[clean]", names["data"])]


@pytest.mark.parametrize("where", ["data", "model", "reason"])
def test_a_name_with_a_line_in_it_plants_no_rule(where):
    rows = [ROW | {where: HOSTILE}, ROW | {"gate": "accuracy/top5[clean]", "metric": "top5", "value": None, where: HOSTILE}]
    text = first.text(rows, models=[{"name": HOSTILE}], today="2026-11-30")
    assert "gates" not in tomllib.loads(text)
