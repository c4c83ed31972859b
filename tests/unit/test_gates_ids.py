import doctest
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.gates import digits, ids
from pytest_clip.gates.catalog import CATALOG, SUITES, Metric, expand, metric_of
from pytest_clip.gates.digits import distinct, short
from pytest_clip.gates.ids import MAX_LENGTH, GateId

FORM = "suite/metric or suite/metric[slice] in lower-case ASCII, such as accuracy/top1 or ood/auroc[near]"
words = st.from_regex(r"[a-z0-9][a-z0-9_]{0,30}", fullmatch=True)
slices = st.none() | st.from_regex(r"[a-z0-9_.=-]{1,30}", fullmatch=True)


@given(words, words, slices)
def test_ids_survive_the_round_trip(suite, metric, part):
    gate = GateId(suite, metric, part)
    assert GateId.parse(str(gate)) == gate
    assert str(GateId.parse(str(gate))) == str(gate)


@given(st.text(max_size=30))
def test_any_text_is_an_id_that_prints_as_itself_or_a_clip_error(text):
    try:
        gate = GateId.parse(text)
    except ClipError as error:
        assert repr(text) in str(error)  # noqa: PT017
    else:
        assert str(gate) == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("accuracy", f"'accuracy' is not a gate id; write {FORM}"),
        ("accuracy/top1/x", f"'accuracy/top1/x' is not a gate id; write {FORM}"),
        ("accuracy/top1[a][b]", f"'accuracy/top1[a][b]' is not a gate id; write {FORM}"),
        ("accuracy/top1[clean", f"'accuracy/top1[clean' is not a gate id; write {FORM}"),
        ("Accuracy/top1", f"'Accuracy/top1' is not a gate id: the suite 'Accuracy' may hold only a-z 0-9 _; write {FORM}"),
        ("accuracy/top-1", f"'accuracy/top-1' is not a gate id: the metric 'top-1' may hold only a-z 0-9 _; write {FORM}"),
        ("accuracy/top1\n", f"'accuracy/top1\\n' is not a gate id: the metric 'top1\\n' may hold only a-z 0-9 _; write {FORM}"),
        ("accuracy/top1[]", f"'accuracy/top1[]' is not a gate id: the slice '' may hold only a-z 0-9 _ . = -; write {FORM}"),
        ("accuracy/top1[a b]", f"'accuracy/top1[a b]' is not a gate id: the slice 'a b' may hold only a-z 0-9 _ . = -; write {FORM}"),
        ("a/\u0661", f"'a/\u0661' is not a gate id: the metric '\u0661' may hold only a-z 0-9 _; write {FORM}"),
        ("/top1", f"'/top1' is not a gate id: the suite '' may hold only a-z 0-9 _; write {FORM}"),
    ],
)
def test_what_is_not_an_id_says_which_part_and_the_form(text, what):
    with pytest.raises(ClipError) as caught:
        GateId.parse(text)
    assert str(caught.value) == what


def test_the_constructor_is_as_strict_as_parse():
    with pytest.raises(ClipError, match="the metric 'Top1'"):
        GateId("accuracy", "Top1")


def test_ids_have_a_greatest_length():
    GateId.parse("a/" + "b" * (MAX_LENGTH - 2))
    with pytest.raises(ClipError, match="101 characters, at most 100"):
        GateId.parse("a/" + "b" * (MAX_LENGTH - 1))


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        ("ood/auroc", "ood/auroc", True),
        ("ood/auroc", "ood/auroc[near]", True),
        ("ood/auroc[near]", "ood/auroc[near]", True),
        ("ood/auroc[near]", "ood/auroc[far]", False),
        ("ood/auroc[near]", "ood/auroc", False),
        ("ood/auroc", "ood/auroc_msp", False),
        ("ood/auroc", "accuracy/auroc", False),
    ],
)
def test_a_whole_metric_covers_its_slices(one, other, covers):
    assert GateId.parse(one).covers(GateId.parse(other)) is covers


# catalog


@dataclass(frozen=True)
class Set:
    name: str
    role: str


SETS = [
    Set("clean", "clean"),
    Set("shift_light", "shift"),
    Set("pose", "factor"),
    Set("near", "ood"),
    Set("shift_far", "shift"),
    Set("style", "factor"),
]


@pytest.mark.parametrize(
    ("metric", "gates"),
    [
        ("accuracy/top1", ["accuracy/top1[clean]", "accuracy/top1[shift_light]", "accuracy/top1[shift_far]"]),
        ("accuracy/relative_robustness", ["accuracy/relative_robustness[shift_light]", "accuracy/relative_robustness[shift_far]"]),
        ("factors/drop", ["factors/drop[pose]", "factors/drop[style]"]),
        ("factors/worst_drop", ["factors/worst_drop"]),
        ("ood/auroc", ["ood/auroc[near]"]),
        ("checkpoint/tokenizer", ["checkpoint/tokenizer"]),
    ],
)
def test_a_metric_becomes_one_gate_per_set_it_is_over(metric, gates):
    assert [str(gate) for gate in expand(metric, SETS)] == gates


def test_no_matching_set_gives_no_gate_but_no_slices_give_one():
    assert expand("ood/auroc", SETS[:2]) == []
    assert [str(gate) for gate in expand("calibration/temperature", [])] == ["calibration/temperature"]


def test_a_projects_own_metric_brings_its_sets():
    assert [str(gate) for gate in expand("mine/metric", SETS, over=["role:ood", "clean"])] == ["mine/metric[clean]", "mine/metric[near]"]
    assert [str(gate) for gate in expand("mine/metric", SETS, over=[])] == ["mine/metric"]


def test_slices_that_are_no_image_sets_need_the_set_they_change(monkeypatch):
    monkeypatch.setitem(CATALOG, "ood/under_change", Metric("share", "higher", ("role:ood",), "Under a change", None, ("flip", "fog-3")))
    monkeypatch.setitem(CATALOG, "ood/anywhere", Metric("share", "higher", (), "On any data", None, ("flip",)))
    assert [str(gate) for gate in expand("ood/under_change", SETS)] == ["ood/under_change[flip]", "ood/under_change[fog-3]"]
    assert expand("ood/under_change", SETS[:2]) == []
    assert [str(gate) for gate in expand("ood/anywhere", [])] == ["ood/anywhere[flip]"]
    assert [CATALOG[f"ood/{name}"].sliced for name in ("under_change", "anywhere", "auroc")] == [True] * 3
    assert not CATALOG["calibration/temperature"].sliced


def test_an_unknown_metric_is_named_with_its_neighbour():
    with pytest.raises(ClipError) as caught:
        metric_of("accuracy/topp1")
    assert str(caught.value) == "unknown metric 'accuracy/topp1'; did you mean 'accuracy/top1'?; pytest-clip list shows all"


def test_every_catalog_key_is_a_whole_gate_id_of_a_described_suite():
    for key, metric in CATALOG.items():
        gate = GateId.parse(key)
        assert (str(gate), gate.slice, gate.suite in SUITES) == (key, None, True)
        assert metric.title
        assert not metric.title.endswith(".")
    assert {GateId.parse(key).suite for key in CATALOG} == set(SUITES)
    assert isinstance(CATALOG["ood/auroc"], Metric)


def test_the_catalog_holds_the_promised_metrics():
    promised = {
        "checkpoint": "finite_weights logit_scale embedding_norm image_spread text_spread repeatability batch_invariance order_invariance"
        " preprocess tokenizer alignment activation normalization",
        "accuracy": "top1 top5 mean_per_class relative_robustness effective_robustness published_gap",
        "factors": "accuracy drop error_ratio effective_robustness worst_accuracy worst_drop background_gap",
        "calibration": "ece adaptive_ece nll brier ece_scaled nll_scaled temperature",
        "retrieval": "image_retrieval_recall_at_1 image_retrieval_recall_at_5 image_retrieval_recall_at_10 text_retrieval_recall_at_1"
        " text_retrieval_recall_at_5 text_retrieval_recall_at_10 image_retrieval_mean_rank image_retrieval_median_rank"
        " text_retrieval_mean_rank text_retrieval_median_rank compositionality winoground_text winoground_image winoground_group"
        " published_gap negation_accuracy negation_wrong_positive negation_wrong_negative negation_wrong_hybrid negated_recall_drop"
        " paraphrase",
        "metamorphic": "agreement invariance smallest_break",
        "ood": "auroc aupr_in aupr_out fpr95_id_positive fpr95_ood_positive auroc_msp auroc_max_logit auroc_energy"
        " auroc_neglabel auroc_gl_mcm",
    }
    here = {key for key in CATALOG if key.partition("/")[0] in promised}
    assert here == {f"{suite}/{name}" for suite, names in promised.items() for name in names.split()}


def test_the_directions():
    lower = {key for key, metric in CATALOG.items() if metric.better == "lower"}
    assert {"calibration/ece", "ood/fpr95_id_positive", "factors/drop", "factors/error_ratio", "calibration/nll"} <= lower
    assert not lower & {"accuracy/top1", "ood/auroc", "ood/aupr_in", "ood/aupr_out", "factors/accuracy"}


# numbers

numbers = st.floats(allow_nan=False, allow_infinity=False)
close = numbers.flatmap(lambda x: st.tuples(st.just(x), st.just(x) | st.floats(min_value=-1e-12, max_value=1e-12).map(lambda d: x + x * d)))


@given(st.tuples(numbers, numbers) | close)
def test_two_numbers_read_in_their_true_order(pair):
    first, second = (float(text) for text in distinct(*pair))
    assert (first < second, first > second, first == second) == (pair[0] < pair[1], pair[0] > pair[1], pair[0] == pair[1])


@given(st.lists(st.sampled_from([0.9, 0.9 - 1e-16, 0.90001, 1e-3, 0.00099999, -0.0, 0.0, 1e6, 999999.99999]), max_size=5))
def test_any_number_of_numbers_stay_apart(values):
    assert len({float(text) for text in distinct(*values)}) == len(set(values))


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.893, 0.95), ("0.8930", "0.9500")),
        ((0.89996, 0.9), ("0.89996", "0.90000")),
        ((0.9, 0.9), ("0.9000", "0.9000")),
        ((0.8999999999999999, 0.9), ("0.8999999999999999", "0.9000000000000000")),
        ((0.00099999, 0.001), ("0.00099999", "0.00100")),
        ((1e-20, 2e-20), ("1e-20", "2e-20")),
        ((-0.0,), ("0.0000",)),
        ((100, 1.5e7), ("100.0000", "1.5e+07")),
        ((float("inf"), 1.0), ("inf", "1.0000")),
    ],
)
def test_the_fewest_digits_that_tell_numbers_apart(values, texts):
    assert distinct(*values) == texts


def test_one_number_alone():
    assert short(1 / 3) == "0.3333"


@pytest.mark.parametrize("module", [ids, digits])
def test_the_examples_in_the_docstrings_hold(module):
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_the_gates_import_nothing_heavy():
    code = (
        "import sys, pytest_clip.gates.verdicts, pytest_clip.gates.thresholds;"
        "print(*sorted({'torch', 'numpy', 'scipy', 'open_clip', 'pytest', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""
