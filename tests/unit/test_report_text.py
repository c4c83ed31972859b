"""Markdown and annotations of a run: functions of the record, within their limits, in which every name stays a text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pytest_clip.report import github, md, order, terminal
from pytest_clip.report.html.page import render as rendered_page
from pytest_clip.report.plain import code, columns, cut, padded, plain

HOSTILE = [
    "<script>alert(1)</script>",
    "]]>",
    "a|b",
    "a\\|b\\",
    "`tick` ``two``",
    "`",
    "two\nlines\r\nthree",
    "\u202egnirts",
    "👩‍👩‍👧 emoji",
    "x" * 10_000,
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "![pixel](https://example.org/p.png)",
    "::error file=a,line=1::b",
    "%0A::set-output name=a::b",
    "@everyone #1 https://example.org www.example.org a@example.org",
    "</details><h1>",
    "*bold* _it_ ~~gone~~ **x**",
    "\x1b[31mred\x00",
    "\ud800",
    "---\n# title",
    "&lt;b&gt; &#64;",
]
ALLOWED = {"<details><summary>Passed</summary>", "</details>"}


def row(gate="accuracy/top1[clean]", verdict="fail", value=0.5, *, model="m", data="scenes", **more):
    suite, _, rest = gate.partition("/")
    metric, _, part = rest.rstrip("]").partition("[")
    told = {"min": 0.7, "why": "because", "source": "thresholds.toml:4"}
    message = f"{gate}: {value} < min 0.7\n  why          because\n  rerun        pytest -k x"
    return {
        **{"gate": gate, "suite": suite, "metric": metric, "slice": part or None, "model": model, "data": data, "value": value},
        **{"n": 100, "verdict": verdict, "rule": told, "message": message},
        **more,
    }  # fmt: skip


def record(rows, **session):
    names = dict.fromkeys(each["model"] for each in rows)
    return {
        "schema": 1,
        "session": {"exit_status": 1, "versions": {"pytest-clip": "0.1.0"}, **session},
        "models": [{"name": name, "fingerprint": "0123456789abcdef"} for name in names],
        "data": [{"name": name, "fingerprint": None} for name in dict.fromkeys(each["data"] for each in rows)],
        "gates": list(rows),
    }


def parsed(text):
    """What a reader of GitHub's dialect makes of it: all tokens, those inside of lines too."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [inner for token in reader.parse(text) for inner in [token, *(token.children or ())]]


def cells(text):
    """The code spans of a text, as a reader shows them."""
    return [token.content for token in parsed(text) if token.type == "code_inline"]


@pytest.mark.parametrize("name", HOSTILE)
def test_every_name_stays_a_text(name):
    one = row(model=name, data=name, message=f"{name}: {name}\n  why {name}", rule={"min": 0.7, "why": name, "source": f"{name}:4"})
    text = md.text(record([one, row("corruptions/accuracy[fog-1]", "pass", 0.9, model=name, data="d")], commit=name))
    text.encode("utf-8")
    tokens = parsed(text)
    assert not {token.type for token in tokens} & {"link_open", "image", "em_open", "strong_open", "s_open", "hr", "fence", "code_block"}
    assert {token.content.strip() for token in tokens if token.type.startswith("html")} <= ALLOWED
    assert sum(token.type == "heading_open" for token in tokens) == text.count("\n## ") + text.startswith("## ") + text.count("\n### ")
    assert "thresholds.toml:4" in cells(text)  # the last cell is there: no bar of a name has begun another
    assert plain(name, 80).strip(" ") in [each.replace("\\x7c", "|").replace("\\x5c", "\\") for each in cells(text)]


@given(st.text(st.characters(codec=None, categories=["L", "N", "P", "S", "Z", "C"]), max_size=60))
@settings(max_examples=150, deadline=None)
def test_a_code_span_holds_any_text(text):
    for inside in (text, f"`{text}", f"{text}`", f"|{text}\\"):
        span = code(inside)
        table = f"| a | b |\n| --- | --- |\n| {span} | end |\n"
        assert [token.content for token in parsed(table) if token.type == "code_inline"] != []
        [shown, _] = [token.children for token in parsed(table) if token.type == "inline"][2:]
        assert [token.type for token in shown] == ["code_inline"]
        [held] = [token.content for token in shown]
        expected = plain(inside).strip(" ") or "(empty)"
        assert re.sub(r"\s", "", held.replace("\\x7c", "|").replace("\\x5c", "\\")) == re.sub(
            r"\s", "", expected.replace("\\x7c", "|").replace("\\x5c", "\\")
        )


def held(gate, drop):
    """A gate that fails its bound by 0.1 of 0.7, and whose drop is so far from what is allowed."""
    told = {"run": "run base", "value": 0.8, "drop": drop, "allowed": 0.02, "ci": [0, 1], "p": 0.01, "status": "fail"}
    return row(gate, "fail", 0.6, baseline=told, ci=[0.5, 0.65])


def test_every_report_has_the_same_order():
    """A drop counts like a bound; what has no value comes before all of its verdict."""
    values = {"a": ("pass", 0.9), "b": ("fail", 0.5), "c": ("fail", None), "f": ("pass", 0.75)}
    rows = [row(f"ood/auroc[{name}]", verdict, value, ci=[0.1, 0.9]) for name, (verdict, value) in values.items()]
    rows += [held("ood/auroc[d]", 0.5), held("ood/auroc[e]", 0.05)]
    wanted = ["c", "d", "b", "e", "f", "a"]
    told = record(rows)
    named = re.compile(r"ood/auroc\[(\w)\]")
    page = rendered_page(told)
    assert list(dict.fromkeys(named.findall(page.partition('<ul class="gates">')[2].partition("</ul>")[0]))) == wanted
    assert list(dict.fromkeys(named.findall(page.partition('<section id="worst"')[2].partition("</section>")[0]))) == wanted[:5]
    assert list(dict.fromkeys(named.findall(md.text(told).partition("What is not green")[2]))) == wanted
    assert list(dict.fromkeys(named.findall("\n".join(github.commands(told))))) == wanted[:4]
    assert list(dict.fromkeys(named.findall("\n".join(terminal.summary_lines(rows)[:4])))) == wanted[:4]


def test_the_page_begins_with_the_verdict_and_what_failed_worst_first():
    rows = [
        row("accuracy/top1[clean]", "pass", 0.9),
        row("accuracy/top1[near]", "fail", 0.6),
        row("ood/auroc[far]", "fail", 0.1),
        row("ood/auroc[near]", "fail", None, message="ood/auroc[near]: no value: no images"),
        row("ood/aupr_in[near]", "unjudged", 0.4, rule=None, message="ood/aupr_in[near]: 0.4: unjudged, no rule"),
        row("ood/aupr_in[far]", "warn", 0.4),
    ]
    text = md.text(record(rows))
    lines = text.splitlines()
    assert lines[0] == "## pytest-clip: ❌ 3 of 6 gates failed"
    assert [cells(line)[0] for line in lines if line.startswith("| ") and "`" in line] == [
        *("ood/auroc[near]", "ood/auroc[far]", "accuracy/top1[near]", "ood/aupr_in[far]"),
        *("accuracy", "ood", "ood/aupr_in[near]", "accuracy/top1[clean]"),
    ]
    assert "| ❌ failed | `ood/auroc[far]` | 0.1 &lt; min 0.7 | `thresholds.toml:4` |" in lines
    assert md.text(record(rows[::-1])) == text  # whatever the order of the tests


@pytest.mark.parametrize(
    ("rows", "status", "title"),
    [
        ([], 1, "❓ no gate was measured"),
        ([row(verdict="pass", value=0.9)], 0, "✅ 1 gate: 1 passed"),
        (
            [row(verdict="unjudged"), row(verdict="not_measured", value=None, model="b")],
            0,
            "❓ nothing was judged: 2 gates: 1 unjudged, 1 not measured",
        ),
        ([row(verdict="pass", value=0.9)], 1, "❌ exit status 1, though no gate failed: the log of the run says why"),
        ([row(), row(verdict="insufficient", model="b")], 1, "❌ 2 of 2 gates failed"),
        ([row(), row(role="baseline", model="b")], 1, "❌ 1 of 1 gate failed"),
    ],
)
def test_the_title_says_how_it_ended(rows, status, title):
    assert md.text(record(rows, exit_status=status)).splitlines()[0] == f"## pytest-clip: {title}"


def test_severities_are_a_line_of_text():
    values = {1: 1.0, 2: 0.75, 3: 0.5, 5: 0.0}
    rows = [row(f"corruptions/accuracy[fog-{k}]", "pass", v) for k, v in values.items()]
    assert order.severities([*rows, row("corruptions/accuracy[snow-1]", "pass", 0.4), row("corruptions/accuracy[fog]", "pass", 0.4)]) == [
        ("corruptions", "fog", "m", "scenes", [1.0, 0.75, 0.5, None, 0.0])
    ]
    assert "| `fog` | █▆▅·▁ | 1.0000 | 0.0000 |" in md.text(record(rows)).splitlines()


@pytest.mark.parametrize("limit", [md.COMMENT, 3000, md.RESERVE])
def test_what_does_not_fit_is_counted(limit):
    rows = [row(f"accuracy/top1[s{k}]", "fail" if k % 2 else "pass", k / 2000, message=f"é: {'é' * 90}") for k in range(1000)]
    text = md.text(record(rows), limit=limit)
    assert len(text.encode()) <= limit
    assert len(text) < 65_536
    said = re.search(r"\*\*([\d,]+) rows cut\*\*: no more fit here; the JSON record has all of them\.", text)
    shown = sum(line.startswith(("| ❌", "| ✅")) for line in text.splitlines())
    assert said is not None
    if limit > md.RESERVE:
        assert int(said[1].replace(",", "")) + shown == 1000 + (limit == 3000)  # the row of the one suite did not fit either
    assert text.count("<details>") == text.count("</details>")
    assert md.text(record(rows[:3])).count("cut") == 0


def test_a_thousand_gates_fit_into_the_summary_of_a_step():
    rows = [row(f"accuracy/top1[s{k}]", "fail", k / 2000) for k in range(1000)]
    assert "cut" not in github.summary(record(rows))
    many = [row(f"accuracy/top1[s{k}]", "fail", k / 2000, message="é" * 400) for k in range(5000)]
    assert 2**20 - 3000 < len(github.summary(record(many)).encode()) < 2**20
    assert len(github.summary(record(many), taken=2**20 - 5000).encode()) < 5000
    assert len(github.summary(record(many), taken=2**21).encode()) < 1000


COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def unescaped(text):
    for code_, letter in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code_, letter)
    return text


def commands(lines):
    """As the runner reads them: a line each, properties split at commas, then unescaped."""
    out = []
    for line in lines:
        assert re.search("[\r\n]", line) is None
        level, facts, text = COMMAND.fullmatch(line).groups()
        out.append((level, {k: unescaped(v) for k, _, v in (each.partition("=") for each in facts.split(","))}, unescaped(text)))
    return out


def test_annotations_stand_at_the_line_of_the_rule():
    rows = [row(), row("ood/auroc[near]", "warn", rule={"min": 0.7, "source": "rules/own.toml:12"}), row("ood/auroc[far]", "pass", 0.9)]
    one, two = commands(github.commands(record(rows, repository={"root": "/w/repo", "folder": "sub"})))
    assert one == (
        "error",
        {"file": "sub/thresholds.toml", "line": "4", "title": "accuracy/top1[clean]"},
        "accuracy/top1[clean]: 0.5 < min 0.7\nwhy          because\nrerun        pytest -k x",
    )
    assert two[:2] == ("warning", {"file": "sub/rules/own.toml", "line": "12", "title": "ood/auroc[near]"})


@pytest.mark.parametrize(
    ("source", "repository", "place"),
    [
        ("thresholds.toml:4", None, ("thresholds.toml", 4)),
        ("thresholds.toml:4", {"root": "/w", "folder": ""}, ("thresholds.toml", 4)),
        ("../thresholds.toml:4", {"root": "/w", "folder": "a/b"}, ("a/thresholds.toml", 4)),
        ("../../../t.toml:4", {"root": "/w", "folder": "a/b"}, None),
        ("/w/a/t.toml:4", {"root": "/w", "folder": "b"}, ("a/t.toml", 4)),
        ("/elsewhere/t.toml:4", {"root": "/w", "folder": "b"}, None),
        ("/elsewhere/t.toml:4", None, None),
        ("pytest_clip/thresholds.toml:610", {"root": "/w", "folder": ""}, None),
        ("javascript:alert(1)", None, None),
        ("", None, None),
        ("t.toml:²", None, None),
    ],
)
def test_paths_count_from_the_root_of_the_repository(source, repository, place):
    assert github.location({"rule": {"source": source}}, repository) == place


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_become_a_command(name):
    one = row(gate=name, model=name, message=f"{name}\n  why          {name}", rule={"min": 1, "source": f"{name}:4"})
    [(level, facts, text)] = commands(github.commands(record([one])))
    assert level == "error"
    assert facts.keys() == {"file", "line", "title"}
    assert (facts["line"], facts["title"]) == ("4", plain(name, 255))
    assert len(text) < 2500
    text.encode("utf-8")


def test_what_github_would_drop_is_said():
    rows = [row(f"accuracy/top1[s{k}]", value=k / 100) for k in range(25)] + [row(f"ood/auroc[s{k}]", "warn") for k in range(11)]
    told = commands(github.commands(record(rows)))
    assert [level for level, _, _ in told] == ["error"] * 10 + ["warning"] * 10 + ["notice"]
    assert told[0][1]["title"] == "accuracy/top1[s0]"  # the worst
    assert told[-1][2] == "10 annotations of a kind are shown; not shown: 15 errors more, 1 warning more"


def test_widths_of_texts():
    assert [columns(text) for text in ("abc", "漢字", "e\u0301", "👍")] == [3, 4, 1, 2]
    assert cut("漢字漢字", 5) == "漢字…"
    assert cut("abc", 3) == "abc"
    assert columns(cut("a漢字b" * 9, 20)) <= 20
    assert padded("漢", 4) == "漢  "
