"""What a person sees at the end of a run: numbers, in lines that fit, and what to do next."""

from __future__ import annotations

import shlex

import pytest

from pytest_clip.report import headlines, tables, terminal
from pytest_clip.report.plain import columns

NAMES = ["clean", "shift_far", "x" * 90]


def row(gate: str, verdict: str, value: float | None, *, model: str = "m", data: str = "d", ci=None, **rule) -> dict:
    suite, _, rest = gate.partition("/")
    return {
        "gate": gate, "suite": suite, "metric": rest.partition("[")[0], "slice": rest.rstrip("]").partition("[")[2] or None, "model": model,
        "data": data, "value": value, "ci": ci, "n": 100, "verdict": verdict, "rule": {**rule, "source": "t.toml:1"} if rule else None,
        "message": f"{gate}: {value}: what was found and why it matters to whoever reads this line in a narrow terminal\n  more",
    }  # fmt: skip


ROWS = [
    row("accuracy/top1[clean]", "pass", 0.9532, ci=[0.942, 0.9634], min=0.938),
    row("accuracy/top1[shift_far]", "fail", 0.2105, ci=[0.18, 0.25], min=0.249),
    row("accuracy/top1[typical]", "fail", 0.5, ci=None, min=0.6),
    row("accuracy/top1[odd]", "insufficient", 0.5, min=0.1),
    row("accuracy/top5[clean]", "unjudged", 0.99),
    row("checkpoint/alignment", "pass", 0.99996, ci=[0.99, None], min=0.99995),
    row("checkpoint/logit_scale", "warn", 4096.5, max=100.0),
    row("ood/auroc[near]", "not_measured", None),
]
TABLE = """\
verdict slice value [interval] bound; FEW: too few images, -: no rule, none: not measured
suite accuracy  5 gates: 2 failed, 1 insufficient, 1 unjudged, 1 passed
  top1
    FAIL typical   .500 >=.600             FAIL shift_far .210 [.18 .25] >=.249
    FEW  odd       .500 >=.100             ok   clean     .953 [.94 .96] >=.938
  top5
    - clean .990
suite checkpoint  2 gates: 1 warned, 1 passed
    WARN logit_scale 4096 <=100.00             ok   alignment   .99996 [.99 ?] >=.99995
suite ood  1 gate: 1 not measured
  auroc
    none near no value"""


def test_with_v_there_is_a_table_of_each_suite():
    assert "\n".join(tables.lines(ROWS, width=90)) == TABLE
    assert tables.lines(ROWS[::-1], width=90) == tables.lines(ROWS, width=90)  # whatever the order of the tests


def test_a_value_is_never_printed_like_a_bound_that_it_is_not():
    assert tables.numbers(row("a/b", "fail", 0.79996, min=0.8)) == ".79996 >=.80000"
    assert tables.numbers(row("a/b", "pass", 0.8, min=0.8)) == ".800 >=.800"
    assert tables.numbers(row("a/b", "pass", -0.25, max=0.1)) == "-.250 <=.100"
    assert tables.numbers(row("a/b", "pass", 1.0, min=0.5, max=1.1)) == "1.000 <=1.100"  # the nearer one
    told = row("a/b", "fail", 0.5, max_drop=0.02) | {"baseline": {"status": "fail", "drop": 0.05, "allowed": 0.02}}
    assert tables.numbers(told) == ".500 drop .050<=.020"


HARD = [
    *ROWS,
    row("accuracy/top1[clean]", "fail", 0.5, model="模型" * 20, data="e\u0301tude 👍 データ", min=0.6),
    row("own/" + "y" * 90, "fail", 0.5, model="x" * 10_000, min=0.6),
]


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_lines_fit_the_width(width, verbose):
    facts = {"models": [{"name": "模型" * 40, "fingerprint": "0" * 16, "warnings": ["the weights are RANDOM, because none were named"]}]}
    lines = terminal.summary_lines(HARD, verbose=verbose, width=width, notes=["wrote " + "z" * 300], **facts)
    assert max(map(columns, lines)) <= width
    whole = "".join("".join(lines).split())
    for text in ("0.5:whatwasfoundandwhyitmatters", "模型" * 10, "z" * 300, "theweightsareRANDOM"):
        assert text in whole  # broken, not lost
    assert terminal.summary_lines(HARD, verbose=verbose, width=None, **facts) != lines


def test_a_log_has_whole_lines():
    lines = terminal.summary_lines(ROWS)
    assert lines[0].startswith(
        "FAILED accuracy/top1[typical]: 0.5: what was found and why it matters to whoever reads this line in a narrow"
    )
    assert lines[0].endswith("[t.toml:1]")


@pytest.mark.parametrize(
    ("suite", "rows", "told"),
    [
        ("accuracy", ROWS[:3], "top1 0.9532 clean, worst 0.2105 shift_far"),
        ("calibration", [row(f"calibration/ece[{s}]", "pass", v) for s, v in (("clean", 0.02), ("a", 0.5), ("b", 0.1))], None),
        ("checkpoint", ROWS[5:7], "alignment 1.0000"),
        *(
            (metric.partition("/")[0], [row(f"{metric}[{s}]", "pass", v) for s, v in (("a", 0.2), ("b", 0.5), ("c", 0.3))], told)
            for metric, told in (
                ("ood/auroc", "auroc best 0.5000 b, worst 0.2000 a"),
                ("groups/gap", "gap best 0.2000 a, worst 0.5000 b"),
            )
        ),
        ("ood", [row("ood/auroc[a]", "pass", 0.2)], "auroc 0.2000 a"),
        ("ood", ROWS[7:], ""),
        ("own", [row("own/a", "unjudged", 0.1), row("own/b[x]", "unjudged", 0.2)], "a 0.1000; b 0.2000 x"),
    ],
)
def test_the_numbers_one_looks_at_first(suite, rows, told):
    assert headlines.headline(suite, rows) == (told if told is not None else "ece 0.0200 clean, worst 0.5000 a")


def test_every_shipped_suite_has_a_headline():
    from pytest_clip.gates.catalog import CATALOG, SUITES

    assert sorted(headlines.METRICS) == sorted(SUITES)
    assert all(f"{suite}/{name}" in CATALOG for suite, names in headlines.METRICS.items() for name in names)


def test_a_run_shows_numbers_and_unjudged_values(world):
    out = world.clip()
    out.stdout.fnmatch_lines(
        [
            "UNJUDGED 2 gates without a rule: accuracy/top5[[]clean[]] 1.0000, accuracy/top5[[]shift_far[]] 1.0000",
            "suite accuracy  4 gates: 2 unjudged, 2 passed; top1 0.9000 clean, 0.6000 shift_far; closest *",
        ]
    )
    world.clip("-v").stdout.fnmatch_lines(
        [
            "suite accuracy  4 gates: 2 unjudged, 2 passed",
            "  top1",
            "    ok shift_far .600 [[].50 .95[]] >=.500   ok clean     .900 [[].50 .95[]] >=.500",
        ]
    )


@pytest.mark.parametrize(
    "args", [["-q"], ["-qq"], ["--tb=no"], ["--tb=line", "-v"], ["-p", "no:terminal"], ["--no-header", "--no-summary"]]
)
def test_it_works_with_what_people_type(world, monkeypatch, args):
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("NO_COLOR", "1")
    result = world.clip(*args)
    assert result.ret == 0
    said = "clip gates" in result.stdout.str()
    assert said == (args not in (["-qq"], ["-p", "no:terminal"]))
    assert "\x1b" not in result.stdout.str()


def test_a_width_that_is_asked_for_is_kept(world, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.7")
    lines = world.clip("--tb=no").outlines
    at = next(k for k, line in enumerate(lines) if "clip gates" in line)
    ours = [line for line in lines[at + 1 : next(k for k, line in enumerate(lines) if "short test summary" in line)] if line]
    assert ours[:3] == [
        "FAILED accuracy/top1[shift_far]: 0.6000",
        "    < min 0.7000 (n = 100, 95 % interval",
        "    0.5000..0.9500)  [thresholds.toml:3]",
    ]
    assert max(map(len, ours)) <= 40


def own(world):
    """A folder of own data: what it holds is told by the stub."""
    (world.pytester.path / "my pets").mkdir()
    return world.clip("--clip-data=my pets", "--clip-suite=accuracy", "-o", "clip_unjudged=allow")


def commands(result):
    return [line.removeprefix("next: ").partition("  ")[0] for line in result.outlines if line.startswith("next: ")]


@pytest.fixture
def pets(world, monkeypatch):
    """Own data without rules; the labels of data sets are looked up in the folder itself."""
    from pytest_clip.data import labels

    monkeypatch.setattr(labels, "chosen", lambda texts: [(text.replace(" ", "-"), text) for text in texts])
    monkeypatch.setattr("pytest_clip.session.load.doubts", lambda data: {})
    monkeypatch.delenv("CI", raising=False)
    (world.pytester.path / "thresholds.toml").unlink()
    return world


def test_on_own_data_it_says_what_to_do_next(pets):
    assert commands(own(pets)) == [
        "pytest-clip init 'my pets' --model=stub --options=--clip-suite=accuracy",
        "pytest --clip-model=stub --clip-data='my pets' --clip-suite=accuracy --clip-save=base",
    ]
    assert commands(pets.clip("-o", "clip_unjudged=allow")) == []  # the embedded benchmark


def test_the_baseline_command_works_as_it_stands(pets):
    save = shlex.split(commands(own(pets))[1])[1:]
    result = pets.run(*save)
    assert result.ret == 0
    assert commands(result)[1:] == ["--clip-baseline=base holds the next checkpoint against it"]
    held = pets.run(*save[:-1], "--clip-baseline=base", "-o", "clip_unjudged=allow")
    held.stdout.fnmatch_lines(["against run base: *"])
    assert len(commands(held)) == 1  # rules; there is a baseline
    again = pets.run(*save[:-1], "-o", "clip_unjudged=allow")
    assert commands(again)[1].endswith("--clip-save=base-2")


def test_where_there_is_a_file_of_rules_the_command_adds_to_it(pets):
    pets.project("schema = 1\n")
    [rules, _] = commands(own(pets))
    assert rules == "pytest --clip-model=stub --clip-data='my pets' --clip-suite=accuracy --clip-update=create"
    result = pets.run(*shlex.split(rules)[1:])
    result.stdout.fnmatch_lines(["UPDATE changed thresholds.toml:"])
    assert (pets.pytester.path / "thresholds.toml").stat().st_size > 20
