"""The margin rule, and bounds written into a file without a trace elsewhere in it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.gates import margins
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.gates.update import Change, Place
from pytest_clip.gates.update_file import NEW_FILE, SIGNED, edited, header

# margins


@pytest.mark.parametrize(
    ("value", "ci", "key", "unit", "bound"),
    [
        (0.9, (0.887, 0.911), "min", "share", 0.887),
        (0.9, (0.8999, 0.9), "min", "share", 0.89),  # at least 0.01
        (0.9, (0.8871, 0.911), "min", "share", 0.887),  # outward
        (0.1, (0.08, 0.1231), "max", "share", 0.124),
        (0.995, None, "max", "share", 1.0),  # not above what a share can be
        (0.005, None, "min", "share", 0.0),
        (-0.995, None, "min", "points", -1.0),
        (1.2, (1.19, 1.3), "max", "ratio", 1.3),
        (1.2, (1.19, 1.21), "max", "ratio", 1.25),
        (1.2, (1.19, None), "max", "ratio", 1.25),  # an open end says nothing
        (1.2, (1.19, float("inf")), "max", "nats", 1.25),
        (1234.5, None, "min", None, 1200.0),  # 2 %, three digits
        (0.00123456, None, "max", None, 0.00126),
        (0.02, (0.018, 0.0234), "max", None, 0.0234),
        (0.0, None, "max", None, 0.0),
        (-5.0, None, "min", None, -5.1),
    ],
)
def test_the_margin_rule(value, ci, key, unit, bound):
    assert margins.bound(value, ci, key=key, unit=unit) == bound


def test_a_number_found_by_a_search_may_move_two_of_its_steps():
    assert margins.bound(15.0, None, key="min", unit="amount", step=1.0) == 13.0
    assert margins.bound(0.3, (0.1, 0.5), key="max", unit="amount", step=0.05) == 0.4


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(numbers, numbers, numbers, st.sampled_from([None, "share", "points", "nats"]), st.sampled_from(["min", "max"]))
def test_the_measured_value_itself_always_passes(value, a, b, unit, key):
    low, high = margins.RANGES.get(unit, (-1e6, 1e6))
    value, ci = min(max(value, low), high), tuple(sorted((a, b)))
    bound = margins.bound(value, ci, key=key, unit=unit)
    assert bound <= value if key == "min" else bound >= value
    assert json.loads(repr(bound)) == bound
    tighter = margins.bound(value, (value, value), key=key, unit=unit)
    assert bound <= tighter if key == "min" else bound >= tighter


def test_chance_inside_the_interval():
    assert margins.at_chance((0.4, 0.6), {"chance": 0.5})
    assert not margins.at_chance((0.51, 0.6), {"chance": 0.5})
    assert not margins.at_chance((0.4, 0.6), {"chance": "1 / classes"})
    assert not margins.at_chance(None, {"chance": 0.5})


# the file


def change(gate, key, new, *, old=None, data=None, model=None, basis="measured 0.5"):
    return Change("fix", Place(GateId.parse(gate), data, model), key, old, new, basis)


def test_a_new_file_begins_with_the_schema():
    text = edited(None, [change("a/b[c]", "min", 0.5, data="my data", model="ViT-B-32,x")])
    assert text.startswith(NEW_FILE)
    assert tomllib.loads(text) == {
        "schema": 1,
        "data": {"my data": {"model": {"ViT-B-32,x": {"gates": {"a/b[c]": {"min": 0.5, "why": f"measured 0.5{SIGNED}"}}}}}},
    }
    assert '[data."my data".model."ViT-B-32,x".gates."a/b[c]"]' in text


def test_keys_that_a_table_lacks_stand_with_its_own():
    before = 'schema = 1\n[gates."a/b"]  # a\nmin_n = 5 # five\n\n# about c\n[gates."c/d"]\nmax = 1\n'
    after = edited(before, [change("a/b", "min", 0.25), change("c/d", "max", 2.0, old=1.0)])
    assert after == (
        f'schema = 1\n[gates."a/b"]  # a\nmin_n = 5 # five\nmin = 0.25\nwhy = "measured 0.5{SIGNED}"\n\n# about c\n'
        f'[gates."c/d"]\nmax = 2.0\nwhy = "measured 0.5{SIGNED}"\n'
    )


def test_the_reason_that_a_person_gave_stays():
    before = 'schema = 1\n[gates."a/b"]\nmin = 0.9\nmax = 1.0\nwhy = "the last release"\n'
    once = edited(before, [change("a/b", "min", 0.8, old=0.9), change("a/b", "max", 0.95, old=1.0)])
    assert tomllib.loads(once)["gates"]["a/b"]["why"] == f"the last release; min was 0.9 and max was 1.0: measured 0.5{SIGNED}"
    twice = edited(once, [change("a/b", "min", 0.7, old=0.8, basis="measured 0.4")])
    assert tomllib.loads(twice)["gates"]["a/b"]["why"] == f"the last release; min was 0.8: measured 0.4{SIGNED}"


@pytest.mark.parametrize(
    ("before", "gate"),
    [
        ('schema = 1\ngates."a/b".min = 0.5\n', "a/b"),
        ('schema = 1\n[gates]\n"a/b" = { min = 0.5 }  # inline\n', "a/b"),
        ('schema = 1\n[gates."a/b"]\nmin = 0.5\n[data.x.gates."a/b"]\nmin = 1\n[gates."c/d"]\nmin = 1\n[gates."e/f"]\nmin=1', "c/d"),
        ('schema = 1\n[gates."a/b"]\nmin = 0.5\n[model.m.gates."c/d"]\nmin = 1\n[[waiver]]\ngate = "a/b"\n# end', "z/z"),
    ],
)
def test_however_it_is_written_only_that_gate_changes(before, gate):
    after = edited(before, [change(gate, "min", 0.125)])
    found, was = tomllib.loads(after), tomllib.loads(before)
    assert found["gates"].pop(gate)["min"] == 0.125
    was["gates"].pop(gate, None)
    assert found == was
    assert re.findall("#.*", after) == re.findall("#.*", before)


def test_a_table_that_may_not_follow_an_inline_one_is_left_to_the_user():
    with pytest.raises(ClipError, match=r"cannot be edited safely .*; make the changes by hand"):
        edited('schema = 1\ngates = { "a/b" = { min = 0.5 } }\n', [change("x/y", "min", 0.125)])


def test_what_the_editor_gets_wrong_is_not_written(monkeypatch):
    import tomlkit

    monkeypatch.setattr(tomlkit, "dumps", lambda document: 'schema = 1\n[gates."a/b"]\nmin = 0.25\n')
    with pytest.raises(ClipError, match="cannot be edited safely"):
        edited('schema = 1\n[gates."a/b"]\nmin = 0.5\nmax = 1\n', [change("a/b", "min", 0.25)])


GATES = ("a/b", "a/b[c]", "d/e")
SCOPES = ((), ("data", "s"), ("model", "m"), ("data", "s", "model", "m"))
comments = st.sampled_from(["", "# one\n", "\n\n# two [x] = 3\n\n"])
tables = st.lists(
    st.tuples(st.sampled_from(SCOPES), st.sampled_from(GATES), comments, st.booleans(), st.sampled_from(["", "  # at the end"])),
    unique_by=lambda each: each[:2], max_size=8,
)  # fmt: skip
wishes = st.lists(
    st.tuples(st.sampled_from(SCOPES), st.sampled_from(GATES), st.sampled_from(["min", "max"]), st.floats(-1, 1)),
    unique_by=lambda each: each[:3], min_size=1, max_size=5,
)  # fmt: skip


@given(tables, wishes, st.booleans())
def test_only_the_wished_for_keys_change_and_every_other_line_stays(written, wished, windows):
    parts = ["# top\nschema = 1 # s\n"]
    for scope, gate, comment, has_min, trailing in written:
        body = "".join(f"{key} = 0.5{trailing}\n" for key in (["min", "min_n"] if has_min else ["max"]))
        parts.append(f"{comment}{header((*scope, 'gates', gate))}{trailing}\n{body}")
    before = "".join(parts)
    changes = []
    for scope, gate, key, new in wished:
        named = dict(zip(scope[::2], scope[1::2], strict=True))
        changes.append(change(gate, key, new, data=named.get("data"), model=named.get("model")))
    after = edited(before.replace("\n", "\r\n") if windows else before, changes)
    assert ("\r\n" in after) is windows
    after = after.replace("\r\n", "\n")
    lines = iter(after.splitlines())
    touched = {(change.place.path, change.key) for change in changes}
    path = ()
    for line in before.splitlines():  # in order, each found behind the one before
        if line.startswith("["):
            path = next(p for p in ((*scope, "gates", gate) for scope, gate, *_ in written) if header(p) == line.partition("  #")[0])
        key, _, rest = line.partition(" = 0.5")
        if (path, key) in touched:
            value = next(each for each in lines if each.startswith(f"{key} = "))
            assert value.endswith(rest)
        else:
            assert line in lines
