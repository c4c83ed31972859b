"""The line finder against tomllib: the same paths for any valid document, and the right lines for nasty ones."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip.gates.toml_lines import Lines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NASTY = '''\
# schema = 9
schema = 1 # [gates]
title = "a # b = [c]"
"quoted \\u0041.key" = 'raw \\ # text'
long = """
[gates."fake/one"]
min = 0.1 \\""" still
"" """"
raw = \'\'\'
[[waiver]]
' '' \'\'\'\'\'
empty = ""
empty_long = """"""
list = [ # comment ]
    1, [2, "]"],
    { gate = "x", "until" = 1979-05-27 07:32:00 },  # }
]
time = 07:32:00.5

gates."accuracy/top1".min = 0.5
gates . 'accuracy/top1' . max = +0.9e0

[gates."ood/auroc[near]"]	# tab
  min=0.7

  max_drop   =   "5%"
[model."ViT-B-32".gates]
"a/b" = { min = 1, why = "}" }
'c/d' = { nested.key = 2, deep = { x = [ { y = 1 } ] } }

[[waiver]]
gate = "a/b"
[waiver.extra]
k = 1

[[ waiver ]]
gate = "c/d"
until = 2027-03-01
[ data . imagenet . gates."a/b" ]
min = 1
[data]
x = 1
'''


def paths_of(value, path=()):
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths_of(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from paths_of(each, (*path, position))


def test_every_path_of_a_nasty_file_and_no_other():
    assert set(Lines(NASTY).found) == set(paths_of(tomllib.loads(NASTY)))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "starts"),
    [
        (("schema",), "schema = 1"),
        (("quoted A.key",), '"quoted'),
        (("long",), "long ="),
        (("raw",), "raw ="),
        (("empty_long",), "empty_long"),
        (("list",), "list ="),
        (("list", 0), "    1, [2"),
        (("list", 1, 1), "    1, [2"),
        (("list", 2, "until"), "    { gate"),
        (("time",), "time ="),
        (("gates",), 'gates."acc'),
        (("gates", "accuracy/top1", "min"), 'gates."acc'),
        (("gates", "accuracy/top1", "max"), "gates . 'acc"),
        (("gates", "ood/auroc[near]"), '[gates."ood'),
        (("gates", "ood/auroc[near]", "min"), "  min=0.7"),
        (("gates", "ood/auroc[near]", "max_drop"), "  max_drop"),
        (("model", "ViT-B-32"), "[model."),
        (("model", "ViT-B-32", "gates", "a/b", "min"), '"a/b" ='),
        (("model", "ViT-B-32", "gates", "c/d", "deep", "x", 0, "y"), "'c/d' ="),
        (("waiver", 0), "[[waiver]]\ngate"),
        (("waiver", 0, "gate"), 'gate = "a/b"'),
        (("waiver", 0, "extra", "k"), "k = 1"),
        (("waiver", 1), "[[ waiver ]]"),
        (("waiver", 1, "gate"), 'gate = "c/d"'),
        (("waiver", 1, "until"), "until = 2027"),
        (("data", "imagenet", "gates", "a/b", "min"), "min = 1\n[data]"),
        (("data",), "[data]"),
        (("data", "x"), "x = 1\n"),
        (("data", "imagenet"), "[ data"),
    ],
)
def test_the_line_of_a_key(path, starts, ending):
    line = NASTY.index("\n" + starts) + 1
    assert Lines(NASTY.replace("\n", ending)).at(*path) == NASTY[:line].count("\n") + 1


def test_an_unknown_key_gets_the_line_of_its_table():
    lines = Lines('schema = 1\n\n[gates."a/b"]\nmin = 1\n')
    assert lines.at("gates", "a/b", "missing") == 3
    assert lines.at("nothing") == 1
    assert lines.at() == 1


def test_what_the_scanner_cannot_read_keeps_what_it_found():
    lines = Lines("a = 1\nb = 2\n???\nc = 3\n")
    assert (lines.at("a"), lines.at("b"), lines.at("c")) == (1, 2, 1)


keys = st.from_regex(r"[A-Za-z0-9_-]{1,5}", fullmatch=True) | st.sampled_from(
    ['"a/b[c]"', "'a b'", '"x.y"', '"#"', '" = "', '"\\""', "'['", '""', '"\\u00e9"']
)
scalars = st.sampled_from(
    ['"#"', "'['", '"""\n[x]\n"""', "'''\n# \n''''", "1", "-0.5e3", "true", "2027-03-01", "1979-05-27 07:32:00Z", "nan", '"\\\\"', '""']
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: "[ # ]\n" + ",\n ".join(each) + "\n]")
        | st.dictionaries(keys, inner, max_size=3).map(lambda each: "{ " + ", ".join(f"{k} = {v}" for k, v in each.items()) + " }")
    ),
    max_leaves=5,
)
pairs = st.builds(lambda parts, value: f"{' . '.join(parts)} = {value}", st.lists(keys, min_size=1, max_size=3), values)
headers = st.builds(
    lambda parts, double: ("[[{}]]" if double else "[{}]").format(".".join(parts)), st.lists(keys, min_size=1, max_size=3), st.booleans()
)
documents = st.lists(pairs | headers | st.sampled_from(["", "# [x] = 1", "  \t"]), max_size=8).map("\n".join)


@given(documents)
def test_the_same_paths_as_tomllib(text):
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = Lines(text).found
    assert set(found) == set(paths_of(content))
    assert all(1 <= line <= text.count("\n") + 1 for line in found.values())
