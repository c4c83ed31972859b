"""--clip-mutants on the stub world: gates run on damaged copies inside one item a copy, and fail nothing."""

from __future__ import annotations

import json

import pytest

from pytest_clip.mutants.catalog import MUTANTS
from pytest_clip.session import load

SUITE = """
import pytest

pytestmark = pytest.mark.clip_suite("accuracy")

@pytest.fixture(scope="module")
def once(request):
    yield
    request.config.torn = getattr(request.config, "torn", 0) + 1

@pytest.mark.clip_gate("accuracy/top1")
def test_top1(gate, clip_case, clip_model, clip_data, once):
    if clip_model.drop is None:
        raise RuntimeError("cannot embed")
    gate(clip_case.gate, {"clean": 0.9, "shift_far": 0.6}[clip_case.slice] - clip_model.drop, n=100)

@pytest.mark.clip_gate("accuracy/top5")
def test_top5(gate, clip_case, clip_model, clip_data):
    gate(clip_case.gate, 1.0, n=100)
"""
RULES = """
schema = 1
[gates."accuracy/top1"]
min = 0.5
[gates."accuracy/top1[clean]"]
min = 0.85
[gates."ood/auroc"]
min = 0.7
[gates."mutants/killed"]
min = 1
severity = "warn"
[gates."mutants/score"]
min = 0.9
severity = "warn"
"""
# What a project's conftest.py needs besides: stub models lose `drop`, and one is an equivalent, one no mutant at all.
DAMAGES = """
from types import SimpleNamespace
from pytest_clip.session import load
from pytest_clip.mutants.excuse import Excuse

DROPS = {"bgr": 0.08, "int8": 0.01, "noise_100": 0.4, "last_block_dropped": None}

def make_mutant(model, name, *, data, extraction, other):
    if name == "squashed":
        return Excuse("equivalent", "answers alike")
    if name == "half_finetuned":
        return Excuse("not_applicable", "no other checkpoint")
    facts = {"label": f"{model.label}~{name}", "fingerprint": name.ljust(16, "-")[:16], "drop": DROPS.get(name, 0.0)}
    return SimpleNamespace(**(vars(model) | facts))

load.make_mutant = make_mutant

import stub_world
make_model = stub_world.make_model

def whole(home, text):
    model = make_model(home, text)
    model.drop = 0.0
    return model

stub_world = SimpleNamespace(make_model=whole)
"""


@pytest.fixture
def damaged(world, monkeypatch):
    monkeypatch.setattr(load, "make_mutant", load.make_mutant)  # what conftest.py puts in its place ends with the test
    world.suites(test_accuracy=SUITE)
    world.project(RULES)
    world.conftest(DAMAGES)
    return world


def report(world, *args, run=None):
    result = (run or world.clip)("--clip-report=json:run.json", *args)
    return result, json.loads((world.pytester.path / "run.json").read_text("utf-8"))


def test_a_gate_that_fails_on_a_mutant_has_noticed_it_and_fails_nothing(damaged):
    result, found = report(damaged, "--clip-mutants=bgr,int8,noise_100,squashed,half_finetuned,last_block_dropped")
    assert result.ret == 0
    assert "0 failed" not in result.stdout.str()
    assert {row["name"]: row["killed_by"] for row in found["mutants"]} == {
        "bgr": ["accuracy/top1[clean]"],
        "noise_100": ["accuracy/top1[clean]", "accuracy/top1[shift_far]"],
        "last_block_dropped": ["accuracy/top1[clean]", "accuracy/top1[shift_far]"],  # it cannot even run
        "int8": [],
        "half_finetuned": [],
        "squashed": [],
    }
    assert [row["name"] for row in found["mutants"]] == [name for name in MUTANTS if name in {row["name"] for row in found["mutants"]}]
    rows = {row["name"]: row for row in found["mutants"]}
    assert rows["int8"] == {
        "name": "int8", "what": MUTANTS["int8"].what, "model": "stub", "fingerprint": "int8------------", "killed_by": [], "judged": 3,
        "survived": True, "equivalent": None, "not_applicable": None,
        "nearest": {"gate": "accuracy/top1[clean]", "key": "min", "bound": 0.85, "sound": 0.9, "damaged": 0.89},
    }  # fmt: skip
    assert (rows["squashed"]["equivalent"], rows["half_finetuned"]["not_applicable"]) == ("answers alike", "no other checkpoint")
    assert found["toothless"] == {"stub": ["ood/auroc[near]"]}
    result.stdout.fnmatch_lines(
        [
            "*= clip mutants =*",
            "mutants of stub: 3 of 4 noticed by a gate, 75%",
            "           1   2   3   4",
            "accuracy   1   2   2   ·",
            "  1 bgr * 1 of 3 gates, such as accuracy/top1[[]clean[]]",
            "SURVIVED int8: *nearest was accuracy/top1[[]clean[]]: 0.9 became 0.89, 20% of the way to min 0.85; *",
            "equivalent, not counted: squashed: answers alike",
            "not applicable, not counted: half_finetuned: no other checkpoint",
            "TOOTHLESS 1 gate noticed none of them: ood/auroc[[]near[]]",
        ]
    )


def test_the_sound_model_is_all_that_the_gates_of_the_report_are_about(damaged):
    result, found = report(damaged, "--clip-mutants=bgr,int8")
    gates = {row["gate"]: row for row in found["gates"]}
    assert set(gates) == {
        "accuracy/top1[clean]", "accuracy/top1[shift_far]", "accuracy/top5[clean]", "accuracy/top5[shift_far]", "ood/auroc[near]",
        "mutants/killed[bgr]", "mutants/killed[int8]", "mutants/score",
    }  # fmt: skip
    assert {row["model"] for row in found["gates"]} == {"stub"}
    assert [model["name"] for model in found["models"]] == ["stub"]
    assert {key: gates["mutants/killed[bgr]"][key] for key in ("value", "n", "verdict")} == {"value": 1.0, "n": 3, "verdict": "pass"}
    assert {key: gates["mutants/score"][key] for key in ("value", "n", "verdict")} == {"value": 0.5, "n": 2, "verdict": "warn"}
    assert gates["mutants/score"]["conventions"] == {"survivors": ["int8"], "excused": []}
    assert "--clip-mutants=int8" in gates["mutants/killed[int8]"]["message"]
    assert "collected 8 items" not in result.stdout.str()  # what is collected is counted before the items of mutants are added
    result.stdout.fnmatch_lines(["collected 5 items", "*6 passed, 2 warned*"])
    assert damaged.loads == ["stub"]


def test_without_the_option_the_record_says_nothing_of_mutants(damaged):
    _, found = report(damaged)
    assert {"mutants", "toothless"} & set(found) == set()


def test_the_sound_gates_decide_the_exit_status(damaged):
    damaged.project(RULES.replace("min = 0.85", "min = 0.95"))
    result, found = report(damaged, "--clip-mutants=bgr,noise_100")
    assert result.ret == 1
    # The gate that fails anyway notices nothing.
    assert {row["name"]: row["killed_by"] for row in found["mutants"]} == {"bgr": [], "noise_100": ["accuracy/top1[shift_far]"]}
    assert {row["judged"] for row in found["mutants"]} == {2}


def test_a_rule_of_the_users_may_ask_for_more(damaged):
    damaged.project(RULES + '[gates."mutants/killed[int8]"]\nmin = 1\nseverity = "fail"\n[gates."mutants/killed[squashed]"]\nmin = 5\n')
    result = damaged.clip("--clip-mutants=bgr,int8,squashed")
    result.stdout.fnmatch_lines(["*mutants/killed[[]int8[]]: 0.0000 < min 1.0000 (n = 3)"])
    assert result.ret == 1
    result.assert_outcomes(passed=6, failed=1, skipped=1)  # and one warned; a rule for what there is not is not broken


@pytest.mark.parametrize("narrowed", [("-k", "shift_far"), ("suites/test_accuracy.py::test_top1[stub-scenes-accuracy/top1[shift_far]]",)])
def test_mutants_get_the_gates_that_the_model_gets(damaged, narrowed):
    result, found = report(damaged, "--clip-mutants=bgr,noise_100", *narrowed)
    assert {row["name"]: (row["killed_by"], row["judged"]) for row in found["mutants"]} == {
        "bgr": ([], 1), "noise_100": (["accuracy/top1[shift_far]"], 1),
    }  # fmt: skip
    assert result.ret == 0


def test_a_run_in_which_nothing_passes_has_nothing_to_notice_with(damaged):
    damaged.project(RULES.replace("min = 0.5", "min = 0.99").replace("min = 0.85", "min = 0.99"))
    _, found = report(damaged, "--clip-mutants=bgr", "--clip-suite=accuracy")
    assert found["mutants"][0]["not_applicable"] == "no gate of this run passes on the sound model"
    assert "mutants/score" not in [row["gate"] for row in found["gates"]]


def test_own_gates_of_a_project_notice_too(damaged):
    damaged.pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.clip_gate("ours/sharp")
        def test_sharp(gate, clip_model):
            gate("ours/sharp", 1 - clip_model.drop, n=10)

        def test_no_gate(clip_model):
            assert clip_model.drop == 0
        """
    )
    damaged.project(RULES + "[gates.'ours/sharp']\nmin = 0.999")
    result, found = report(damaged, "--clip-mutants=int8", "test_own.py")
    assert found["mutants"][0]["killed_by"] == ["ours/sharp"]
    result.assert_outcomes(passed=4)


def test_a_model_that_the_project_puts_in_place_cannot_be_damaged(damaged):
    damaged.conftest(
        DAMAGES
        + """
        import pytest

        @pytest.fixture(scope="session")
        def clip_model():
            return SimpleNamespace(label="ours", fingerprint="0" * 16, precision="fp32", device="cpu", facts={}, drop=0.0)
        """.replace("\n        ", "\n")
    )
    _, found = report(damaged, "--clip-mutants=noise_100")
    assert found["mutants"][0]["killed_by"] == []
    assert "conftest.py puts its own clip_model (ours) in the place of every model" in found["mutants"][0]["not_applicable"]


def test_every_model_has_its_own_mutants(damaged):
    _, found = report(damaged, "--clip-model=stub", "--clip-model=second", "--clip-mutants=bgr", run=damaged.run)
    assert [(row["model"], row["name"], len(row["killed_by"])) for row in found["mutants"]] == [("second", "bgr", 1), ("stub", "bgr", 1)]
    assert sorted(row["model"] for row in found["gates"] if row["gate"] == "mutants/score") == ["second", "stub"]


def test_workers_come_to_the_same(damaged):
    """One worker has the mutants of a model; what others measured on the sound model it asks again."""
    pytest.importorskip("xdist")
    alone = report(damaged, "--clip-mutants=bgr,int8,squashed")[1]
    result, found = report(damaged, "--clip-model=stub", "-p", "xdist", "-n2", "--clip-mutants=bgr,int8,squashed", run=damaged.run_process)
    assert result.ret == 0
    assert (found["mutants"], found["toothless"]) == (alone["mutants"], alone["toothless"])
    assert [row["verdict"] for row in found["gates"]] == [row["verdict"] for row in alone["gates"]]


def test_progress_and_items_are_named_after_the_mutant(damaged):
    result = damaged.clip("--clip-mutants=bgr", "-v")
    result.stdout.fnmatch_lines(["suites/test_mutants.py::test_killed[[]stub-mutants/killed[[]bgr[]][]] PASSED*"])
    assert "stub~bgr-" not in result.stdout.str()  # none of its gates is an item of the run


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--clip-mutants=brg", "*argument --clip-mutants: no mutant 'brg'; did you mean 'bgr'?; there is wrong_mean_std, *, or all"),
        ("--clip-mutants=bgr,,int8", "*argument --clip-mutants: 'bgr,,int8' has an empty name; write NAME[[],NAME...]"),
    ],
)
def test_names_are_checked_before_anything_loads(damaged, given, said):
    result = damaged.clip(given)
    result.stderr.fnmatch_lines([said])
    assert result.ret == 4
    assert damaged.loads == []


def test_a_path_after_the_bare_option_is_no_name(damaged):
    result = damaged.clip("--clip-mutants", "tests/test_x.py")
    result.stderr.fnmatch_lines(["*no mutant 'tests/test_x.py'*; before a path write --clip-mutants=all"])


def test_mutants_need_a_model(damaged):
    result = damaged.run("--clip-mutants")
    result.stderr.fnmatch_lines(["ERROR: --clip-mutants needs a model to measure; add --clip-model=NAME[[],PRETRAINED]"])
    assert result.ret == 4


def test_the_bare_option_means_all(damaged):
    _, found = report(damaged, "--clip-mutants", "--clip-suite=ood")
    assert [row["name"] for row in found["mutants"]] == list(MUTANTS)


def test_the_list_and_the_header_say_what_will_run(damaged):
    result = damaged.clip("--clip-mutants=bgr,int8", "--clip-list")
    result.stdout.fnmatch_lines(
        [
            "  this run: 250 pictures, 152 texts: 750 forward passes of pictures, at most 450 more in searches, variants and places; "
            "less what the cache holds",
            f"mutant bgr: the model {MUTANTS['bgr'].what}",
        ]
    )
    damaged.clip("--clip-mutants=bgr,int8", "--collect-only").stdout.fnmatch_lines(["clip: *; mutants 2"])
