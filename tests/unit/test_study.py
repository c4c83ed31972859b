"""The study: planted effects are found and no others, what cannot be told apart is refused, and the public table comes out as it is."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from pytest_clip import ClipError
from pytest_clip.cli.main import main
from pytest_clip.study import clusters, document, plots, text
from pytest_clip.study import told as everything
from pytest_clip.study.correlations import correlation
from pytest_clip.study.effects import Question, effects
from pytest_clip.study.findings import findings
from pytest_clip.study.plan import PUBLISHED, Plan
from pytest_clip.study.population import Population
from pytest_clip.study.published import collection, population, stem
from pytest_clip.study.straight import straight_range
from pytest_clip.study.study import study
from pytest_clip.study.trends import trend

QUESTION = Question("factor", "shift", ("clean",))


def made(
    *, families=(8, 5, 3), effect=0.0, seed=0, between=0.1, curve=0.0, other=None, size_effect=0.0, shift_clean=0.0
) -> Population:  # a, b, c: levels; two models a family
    rng = np.random.default_rng(seed)
    levels = [level for level, count in zip("abc", families, strict=False) for _ in range(count) for _ in range(2)]
    lineages = [f"{level}{at // 2}" for at, level in enumerate(levels)]
    own = dict.fromkeys(lineages, 0.0) | {each: rng.normal(0, between) for each in dict.fromkeys(lineages)}
    x = rng.normal(0.6, 0.7, len(levels)) + [shift_clean * (level == "b") for level in levels]
    size = 10 ** rng.uniform(6, 9, len(levels))
    y = 0.9 * x - 0.4 + curve * x**2 + [own[each] for each in lineages] + rng.normal(0, 0.03, len(levels))
    y += np.array([effect * (level == "b") for level in levels]) + size_effect * (np.log10(size) - 7.5)
    more = {} if other is None else {"other": tuple(other(level, at) for at, level in enumerate(levels))}
    values = {"clean": expit(x), "shift": expit(y)}
    names = tuple(f"m{at}" for at in range(len(levels)))
    return Population(names, tuple(lineages), {"factor": tuple(levels), **more}, {"size": size}, values, {"clean": 0, "shift": 0})


def told(found, level):
    (one,) = [each for each in found if each.level == level]
    return one


def test_a_planted_effect_is_found_where_it_is():
    found = effects(made(effect=0.6), QUESTION)
    assert told(found, "b").reference == "a"
    low, high = told(found, "b").estimate.interval
    assert low < 0.6 < high
    assert told(found, "b").estimate.p < 0.001
    assert told(found, "c").estimate.p > 0.05


def test_points_are_the_difference_of_accuracies_at_the_median_clean_accuracy():
    population_ = made(effect=0.6, between=0.0)
    found = told(effects(population_, QUESTION), "b")
    x = np.median(stats.logistic.ppf(population_.values["clean"]))
    assert found.points[0] == pytest.approx(expit(0.9 * x - 0.4 + 0.6) - expit(0.9 * x - 0.4), abs=0.01)
    assert found.points[1] < found.points[0] < found.points[2]


def test_models_of_one_family_are_no_independent_evidence():
    """Every model twenty times over: as independent models the error shrinks, as families it does not."""
    population_ = made(between=0.3, families=(4, 4))
    again = population_.only(np.repeat(np.arange(len(population_)), 20))
    loose = Population(again.names, tuple(f"{at}" for at in range(len(again))), again.factors, again.amounts, again.values, again.counts)
    once, many, wrong = (told(effects(each, QUESTION), "b").estimate.error for each in (population_, again, loose))
    assert many == pytest.approx(once, rel=0.1)
    assert wrong < 0.5 * once


def test_false_alarms_of_a_level_of_three_families_stay_near_the_nominal_rate():
    alarms = [told(effects(made(seed=seed, between=0.15), QUESTION, resamples=100), "c").estimate.p < 0.05 for seed in range(100)]
    assert np.mean(alarms) <= 0.10  # benchmarks/study/planted.py has the rate


@pytest.mark.parametrize(
    ("population_", "question", "level", "says"),
    [
        (made(families=(8, 2)), QUESTION, "b", "b has 2 families (4 models): no effect of a level is told from fewer than three families"),
        (
            made(other=lambda level, at: level.upper()), Question("factor", "shift", ("clean",), beside=("other",)), "b",
            "factor b and a never differ without other changing as well, so their effects cannot be told apart",
        ),
        (made(shift_clean=9.0), QUESTION, "b", "there is no clean accuracy that both have, and a line says nothing beyond its models"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_a_sentence_and_no_number(population_, question, level, says):
    found = told(effects(population_, question), level)
    assert found.estimate is None
    assert found.points is None
    assert found.refused.endswith(says)


def test_a_factor_that_changes_on_its_own_too_is_told_apart():
    both = made(effect=0.6, other=lambda level, at: "xy"[(at // 2) % 2])
    assert told(effects(both, Question("factor", "shift", ("clean",), beside=("other",))), "b").estimate.p < 0.001


def test_a_curve_is_seen_and_a_line_is_none():
    line, _ = straight_range(made(between=0.02), "shift", clean="clean", factors=("factor",))
    curved, tried = straight_range(made(between=0.02, curve=0.3), "shift", clean="clean", factors=("factor",))
    assert line is not None
    assert curved is None or curved.lowest > 0.3
    assert tried[0].p < 0.05


def test_a_trend_of_size_is_found_per_decade():
    found = trend(made(size_effect=0.2, between=0.05), Question("size", "shift", ("clean",)))
    low, high = found.estimate.interval
    assert low < 0.2 < high
    assert found.estimate.p < 0.01
    assert (
        trend(made(families=(4,)), Question("size", "shift", ("clean",))).refused == "size is known of 4 families: a trend takes at least 8"
    )


@pytest.mark.parametrize("seed", range(3))
def test_with_one_model_a_family_the_correlation_is_spearmans(seed):
    rng = np.random.default_rng(seed)
    x, noise = rng.random(20).round(1), rng.random(20)
    single = Population(tuple(map(str, range(20))), tuple(map(str, range(20))), {}, {}, {"x": x, "y": x + noise}, {})
    found = correlation(single, "x", "y")
    assert found.rho == pytest.approx(stats.spearmanr(x, x + noise).statistic, abs=1e-9)
    assert found.interval[0] < found.rho < found.interval[1]


def test_a_family_counts_once_however_many_models_it_has():
    x, y = np.array([1.0, 2, 3, 4, 5, 6] + [6.0] * 30), np.array([1.0, 2, 3, 4, 5, 0] + [0.0] * 30)
    lineages = tuple("abcdef" + "f" * 30)
    found = correlation(Population(lineages, lineages, {}, {}, {"x": x, "y": y}, {}), "x", "y")
    assert found.lineages == 6
    assert found.interval[0] < 0 < found.interval[1]


def test_a_correlation_of_few_families_or_of_equal_values_is_refused():
    few = made(families=(2, 2))
    assert correlation(few, "clean", "shift").refused == "8 models of 4 lineages have both: a correlation takes at least 5"
    flat = made()
    flat.values["clean"][:] = 0.5
    assert correlation(flat, "clean", "shift").refused == "all models have the same clean"


def test_a_lineage_alone_in_its_stratum_is_drawn_with_others():
    groups = clusters.clusters(["a", "a", "b", "c", "d"], ["x", "x", "y", "x", "z"])
    assert {name: len(own) for name, own in groups.by_stratum.items()} == {"x": 2, "": 2}
    with pytest.raises(ValueError, match="one lineage alone"):
        clusters.clusters(["a", "a"], ["x", "x"])


def test_of_many_lineages_groups_are_left_out_and_the_error_is_about_the_same(monkeypatch):
    many = made(families=(60, 50, 10), between=0.2)
    grouped = effects(many, QUESTION, resamples=0)
    monkeypatch.setattr(clusters, "MANY", 1000)
    single = effects(many, QUESTION, resamples=0)
    for one, other in zip(grouped, single, strict=True):
        assert one.estimate.value == other.estimate.value
        assert one.estimate.error == pytest.approx(other.estimate.error, rel=0.5)
        assert one.estimate.error != other.estimate.error
    names = [f"l{at}" for at in range(120)]
    monkeypatch.undo()
    groups = clusters.clusters(names, ["x"] * 100 + ["y"] * 20).together(30)
    assert {name: len(own) for name, own in groups.by_stratum.items()} == {"x": 25, "y": 5}
    assert sorted(np.concatenate(groups.rows)) == list(range(120))


# ---- the public checkpoints


@cache
def public():
    factors = {name: PUBLISHED.factors[name] for name in ("collection", "loss")}
    plan = Plan(("imagenet-sketch", "imagenet-r", "imagenet-a"), PUBLISHED.cleans[:1], factors, {}, PUBLISHED.pairs[:1])
    return study(population(), plan, resamples=200)


@pytest.mark.parametrize(
    ("architecture", "is_"),
    [
        ("ViT-H-14-378-quickgelu", "ViT-H-14"),
        ("ViT-L-14-336", "ViT-L-14"),
        ("convnext_base_w_320", "convnext_base_w"),
        ("RN50x64", "RN50x64"),
    ],
)
def test_a_stem_has_no_resolution(architecture, is_):
    assert stem(architecture) == is_


def test_a_collection_is_where_the_pairs_come_from():
    assert [collection(each) for each in ("laion-2b", "wit-400m", "commonpool-l-clip", None, "ours")] == [
        "laion",
        "wit",
        "commonpool",
        None,
        None,
    ]


def test_lines_of_r_and_a_are_curved_and_nothing_is_read_off_them():
    found = public()
    assert found.ranges["imagenet-r"][0] is None
    assert found.ranges["imagenet-a"][0] is None
    bent = [each for each in found.effects if each.effect.question.on != "imagenet-sketch"]
    assert bent
    assert all(each.verdict == "cannot tell" and each.effect.points is None for each in bent)


def test_sigmoid_loss_and_its_data_cannot_be_told_apart_there():
    whys = [each.why for each in public().effects if each.effect.level in ("sigmoid", "webli")]
    assert whys
    assert all("cannot be told apart" in why or "no straight line" in why for why in whys)
    (answer,) = [each for each in findings(public()) if "loss" in each.statement]
    assert answer.answer == "cannot tell"


def test_a_study_is_told_as_lines_csv_and_json():
    lines = "\n".join(text.lines(everything.of(public())))
    assert "SUPPORTED    zero-shot classification accuracy predicts retrieval\n               imagenet and coco/image" in lines
    assert "imagenet-r: curved in every range that was tried" in lines
    assert len(document.table(everything.of(public())).splitlines()) == 1 + len(public().effects)
    assert {"findings", "effects", "lines", "fits", "distances", "correlations", "models"} <= document.document(
        everything.of(public())
    ).keys()


def test_figures_draw_no_line_where_there_is_none(tmp_path):
    made_ = {path.name: path.read_text() for path in plots.write(everything.of(public()), tmp_path)}
    assert made_.keys() == {"shift-imagenet-sketch.svg", "shift-imagenet-r.svg", "shift-imagenet-a.svg", "effects.svg"}
    assert "robust line, where it is straight" in made_["shift-imagenet-sketch.svg"]
    assert "robust line" not in made_["shift-imagenet-r.svg"]
    assert "curved: no line is drawn" in made_["shift-imagenet-r.svg"]
    again = {path.name: path.read_text() for path in plots.write(everything.of(public()), tmp_path)}
    assert again == made_


def test_the_command_asks_for_runs_or_the_public_table(capsys):
    assert main(["study"]) == 2
    assert "pytest-clip study RUN" in capsys.readouterr().err
    assert main(["study", "nowhere.json"]) == 2
    assert "nowhere.json" in capsys.readouterr().err


def test_a_population_whose_columns_do_not_fit_is_refused():
    with pytest.raises(ClipError, match="factor 'f' has 1 entries for 2 models"):
        Population(("a", "b"), ("a", "b"), {"f": ("x",)}, {}, {}, {})


@pytest.mark.slow
def test_the_page_tells_what_the_public_checkpoints_say():
    """Every answer, figure and line of docs/study.md against the study made anew."""
    page = (Path(__file__).parents[2] / "docs" / "study.md").read_text(encoding="utf-8")
    whole = study(population(), PUBLISHED)
    for each in findings(whole):
        assert f"| {each.statement} | {each.answer} | {each.why} |" in page
    for shift, (found, _) in whole.ranges.items():
        line = next(line for line in page.splitlines() if line.startswith(f"| {shift} | "))
        where = "nowhere" if found is None else f"from {found.lowest:.2f} to {found.highest:.2f}, {found.models} models in {found.lineages}"
        assert where in line
