"""What a list of all gates looks up, it looks up once: 426 gates of 108 metrics asked for the same things two to ten times each."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace

import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog
from pytest_clip.gates import known, toml_lines
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.catalog.needs import needs_of, usable
from pytest_clip.gates.catalog.table import NEEDS
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.layers import DEFAULTS, parse
from pytest_clip.gates.rules import Rulebook
from pytest_clip.gates.thresholds import check
from pytest_clip.session import reach as reaching
from pytest_clip.session.reach import Reach


@pytest.fixture
def asked(monkeypatch):
    """The metrics that were expanded into gates."""
    import pytest_clip.gates.catalog as gates

    calls: list[str] = []

    def counted(metric_id, *args, expand=gates.expand, **options):
        calls.append(metric_id)
        return expand(metric_id, *args, **options)

    monkeypatch.setattr(gates, "expand", counted)
    monkeypatch.setattr(known, "expand", counted)
    return calls


def settings():
    from pytest_clip.views import catalog as views

    return SimpleNamespace(corruptions=views.IMAGENET_C, corruptions_3d=views.GEOMETRIC, corruptions_laion_c=(), depth_model=None)


def test_the_gates_of_a_metric_are_found_once(asked):
    reach, data = Reach(settings(), {"scenes": catalog.sets("scenes")}), SimpleNamespace(label="scenes", text="scenes")
    found = [(reach.gates(metric, data), reach.out(metric, data)) for metric in CATALOG]
    assert found == [(reach.gates(metric, data), reach.out(metric, data)) for metric in CATALOG]
    assert sorted(asked) == sorted(CATALOG)
    assert reaching.Reach(settings(), {"scenes": ()}).gates("accuracy/top1", data) == []  # of other data, other gates


def test_a_file_finds_the_slices_of_a_metric_once(asked):
    gates = known.KnownGates(None, {"scenes": catalog.sets("scenes"), "mine": catalog.sets("scenes")[:1]})
    for _ in range(3):
        for each in ("clean", "shift_far", "typical"):
            assert gates.find(f"accuracy/top1[{each}]", "scenes") == GateId("accuracy", "top1", each)
        with pytest.raises(ClipError, match="unknown slice 'shift_far'"):
            gates.find("accuracy/top1[shift_far]", "mine")
    assert asked == ["accuracy/top1"] * 2


def test_needs_of_a_metric_are_those_that_match():
    from fnmatch import fnmatchcase

    assert NEEDS
    for metric in CATALOG:
        assert needs_of(metric) == tuple(need for need in NEEDS if fnmatchcase(metric, need.metrics))
        assert usable(metric, ()) == []


def test_lines_of_plain_pairs_are_those_of_the_whole_scanner(monkeypatch):
    """The shipped rules, and pairs that are nearly plain."""
    odd = (
        "a = '''\nx = 1\n'''\nb=\"\"\"\ny = 2\n\"\"\"\n'' = 1\nc = \"\"\nd=2020-01-01 # x\ne = 2020-01-01 10:00:00\n[x.y]\nk = 'a' # foo\n"
        'z = 1\r\nw = "a\\"b"\nl = [\n1,\n 2 ]\n[[m]]\na=1\n[[m]]\na = true\nq.r = 2\n"s t" = -1e5\nlast = { u = 1, v = [1] }\nend = inf'
    )
    texts = (DEFAULTS.read_text("utf-8"), odd, 'only = "a"', "")
    quick = [list(toml_lines.Lines(text).found.items()) for text in texts]
    monkeypatch.setattr(toml_lines, "_PLAIN", re.compile(r"(?!)(x)"))
    assert [list(toml_lines.Lines(text).found.items()) for text in texts] == quick
    assert len(quick[0]) > 1000
    lines = odd.split("\n")
    assert lines[dict(quick[1])["x", "y", "w"] - 1].startswith("w =")


def test_quoted_keys_with_escapes_are_read_as_toml_reads_them():
    layer = parse('[a."b\\"c"]\n"d\\u0065" = 1\n"plain key" = 2\n', "x.toml")
    assert layer.source("a", 'b"c', "de") == "x.toml:2"
    assert layer.source("a", 'b"c', "plain key") == "x.toml:3"


def test_what_cannot_contradict_is_not_merged(monkeypatch):
    """The shipped rules hold no min above a max in any scope, and the bounds alone say so for nearly all metrics."""
    book = check([parse(DEFAULTS.read_text("utf-8"), "shipped")], today=date(2026, 1, 1), extra_gates=None)
    merged: list[GateId] = []

    def counted(self, gate, *args, merge=Rulebook._merged):
        merged.append(gate)
        return merge(self, gate, *args)

    monkeypatch.setattr(Rulebook, "_merged", counted)
    assert book.contradictions() == []
    assert len({gate.metric_id for gate in merged}) < 0.1 * len({entry.gate.metric_id for entry in book.entries})
