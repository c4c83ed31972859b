"""Which gates noticed, which came nearest, what counts, and how it is told."""

from pytest_clip.mutants.excuse import Excuse
from pytest_clip.mutants.outcome import Nearest, Outcome, judged, killers, nearest, score, toothless
from pytest_clip.report import mutants


def row(gate, verdict, value=None, **rule):
    return {"gate": gate, "verdict": verdict, "value": value, "rule": rule or None}


def rows(*each):
    return {(one["gate"], "scenes"): one for one in each}


SOUND = rows(
    row("a/one", "pass", 0.9, min=0.8), row("a/two", "fail", 0.1, min=0.5), row("b/three", "unjudged", 0.2),
    row("b/four", "pass", 0.2, max=0.3), row("c/five", "warn", 0.2, min=0.3), row("c/six", "waived", 0.2, min=0.3),
    row("d/seven", "pass", 1.0, min=0.0),
)  # fmt: skip


def test_only_a_gate_that_passes_on_the_sound_model_can_notice():
    assert judged(SOUND) == [("a/one", "scenes"), ("b/four", "scenes"), ("d/seven", "scenes")]
    everything_fails = rows(*(row(gate, "fail", 0.0) for gate, _ in SOUND))
    assert killers(SOUND, everything_fails) == ("a/one", "b/four", "d/seven")


def test_too_few_images_stop_a_model_and_a_warning_does_not():
    assert killers(SOUND, rows(row("a/one", "insufficient", 0.9), row("b/four", "warn", 0.5), row("d/seven", "unjudged"))) == ("a/one",)
    assert killers(SOUND, {}) == ()


def test_the_nearest_gate_moved_furthest_on_the_way_to_its_bound():
    moved = rows(row("a/one", "pass", 0.85, min=0.8), row("b/four", "pass", 0.28, max=0.3), row("d/seven", "pass", 0.7, min=0.0))
    assert nearest(SOUND, moved) == Nearest("b/four", "max", 0.3, 0.2, 0.28)
    better = rows(row("a/one", "pass", 0.95), row("b/four", "pass", 0.1), row("d/seven", "pass", None))
    assert nearest(SOUND, better) is None


def outcome(name, killed_by=(), excused=None, nearest=None):
    return Outcome(name, f"has {name}", "m", "f" * 16, tuple(killed_by), 3, nearest, excused)


FOUR = (
    outcome("bgr", ["a/one", "b/four"]),
    outcome("int8", nearest=Nearest("b/four", "max", 0.3, 0.2, 0.28)),
    outcome("squashed", excused=Excuse("equivalent", "it answers alike")),
    outcome("half_finetuned", excused=Excuse("not_applicable", "no other checkpoint")),
    outcome("noise_100", ["b/four"]),
)


def test_the_score_leaves_out_what_nobody_can_kill():
    assert score(FOUR) == (2, 3)
    assert score(FOUR[2:4]) == (0, 0)
    assert [each.survived for each in FOUR] == [False, True, False, False, False]


def test_the_row_says_why_a_mutant_did_not_run():
    told = {each.name: each.row() for each in FOUR}
    assert told["bgr"] == {
        "name": "bgr", "what": "has bgr", "model": "m", "fingerprint": "f" * 16, "killed_by": ["a/one", "b/four"], "judged": 3,
        "survived": False, "equivalent": None, "not_applicable": None, "nearest": None,
    }  # fmt: skip
    assert told["int8"]["survived"] is True
    assert told["int8"]["nearest"] == {"gate": "b/four", "key": "max", "bound": 0.3, "sound": 0.2, "damaged": 0.28}
    assert (told["squashed"]["equivalent"], told["squashed"]["survived"]) == ("it answers alike", False)
    assert told["half_finetuned"]["not_applicable"] == "no other checkpoint"


def test_toothless_gates_pass_on_the_model_and_on_every_mutant():
    assert toothless(SOUND.values(), [each.row() for each in FOUR]) == ["d/seven"]


def test_the_matrix():
    records = {"mutants": [each.row() for each in FOUR], "toothless": {"m": ["d/seven"]}}
    assert mutants.lines(records) == [
        "mutants of m: 2 of 3 noticed by a gate, 67%",
        "    1   2   3",
        "a   1   ·   ·",
        "b   1   ·   1",
        "  1 bgr        2 of 3 gates, such as a/one, b/four",
        "  2 int8       no gate noticed",
        "  3 noise_100  1 of 3 gates, such as b/four",
        "SURVIVED int8: the model has int8, and all 3 gates pass; nearest was b/four: 0.2 became 0.28, 80% of the way to max 0.3; "
        "rounding may cost nothing; bounds nearer to what your model scores find it; "
        "a baseline (max_drop) compares image by image and finds less",
        "equivalent, not counted: squashed: it answers alike",
        "not applicable, not counted: half_finetuned: no other checkpoint",
        "TOOTHLESS 1 gate noticed none of them: d/seven",
    ]


def test_the_gates_named_are_those_that_notice_the_fewest_others():
    many = [
        outcome(name, ["x/common", "x/usual", "x/frequent", *own]) for name, own in (("bgr", ["x/rare"]), ("int8", []), ("jpeg_10", []))
    ]
    told = mutants.lines({"mutants": [each.row() for each in many], "toothless": {"m": []}})
    assert "  1 bgr      4 of 3 gates, such as x/rare, x/common, x/usual" in told


def test_nothing_ran():
    told = mutants.lines({"mutants": [FOUR[2].row()], "toothless": {"m": ["a/one"]}})
    assert told == ["mutants of m: 0 of 0 noticed by a gate", "equivalent, not counted: squashed: it answers alike"]


def test_several_models_have_a_part_each():
    records = {"mutants": [FOUR[0].row(), FOUR[0].row() | {"model": "n"}], "toothless": {"m": [], "n": []}}
    told = mutants.lines(records)
    assert [line for line in told if line.startswith("mutants of")] == [f"mutants of {m}: 1 of 1 noticed by a gate, 100%" for m in "mn"]
    assert mutants.markup("SURVIVED x") == {"red": True}
    assert mutants.markup("TOOTHLESS x") == {"yellow": True}
    assert mutants.markup("  1 x") == {}
