"""Seeds, a user's runs among the published, findings about properties, and the page: what is planted is found, the null is not."""

import dataclasses
import json

import numpy as np
import pytest
from html_pages import Page
from scipy import stats
from scipy.special import expit
from test_study_records import record

from pytest_clip.cli.main import main
from pytest_clip.study import records, told
from pytest_clip.study.findings import findings
from pytest_clip.study.html import page
from pytest_clip.study.lines import line
from pytest_clip.study.members import members
from pytest_clip.study.placed import placed
from pytest_clip.study.plan import PUBLISHED, Plan, of_gates
from pytest_clip.study.population import Population
from pytest_clip.study.properties import CLEAN, ECE, FEW, NEAR, THREE_D, TWO_D, with_properties
from pytest_clip.study.published import population as public
from pytest_clip.study.seeds import seeded, welch
from pytest_clip.study.study import study

SHIFT = "accuracy/top1[shift_far]"


# ---- seeds


def recipes(effects, *, seeds=3, spread=0.02, seed=0):
    """Recipes of one factor each beside the reference, `effects` on the near AUROC and the shift in their own units."""
    rng = np.random.default_rng(seed)
    names, told_, values = [], {}, {CLEAN: [], "accuracy under shift": [], NEAR: []}
    for level, (near, shift) in {"softmax": (0.0, 0.0), **effects}.items():
        for number in range(seeds):
            names.append(f"{level}-{number}")
            told_[names[-1]] = {"loss": level, "seed": str(number), "family": "rn", "samples_seen": 5}
            x = 1 + rng.normal(0, spread)
            values[CLEAN].append(expit(x))
            values["accuracy under shift"].append(expit(x - 0.5 + shift + rng.normal(0, spread)))
            values[NEAR].append(0.8 + near + rng.normal(0, spread / 4))
    columns = {name: np.array(each) for name, each in values.items()}
    return Population(tuple(names), tuple(names), {}, {}, columns, dict.fromkeys(columns, 0)), told_


def test_an_effect_beyond_the_spread_of_seeds_is_sure_and_no_other():
    population, factors = recipes({"sigmoid": (-0.1, 0.0)})
    found = {each.what: each for each in seeded(population, factors)}
    assert found[NEAR].sure
    low, high = found[NEAR].estimate.interval
    assert low < -0.1 < high
    assert (found[NEAR].factor, found[NEAR].level, found[NEAR].reference, found[NEAR].seeds) == ("loss", "sigmoid", "softmax", (3, 3))
    assert not found["accuracy under shift"].sure
    assert found["accuracy under shift"].gap


def test_recipes_that_differ_by_their_seeds_alone_are_rarely_sure():
    alarms = sum(any(each.sure for each in seeded(*recipes({"sigmoid": (0.0, 0.0)}, seed=seed))) for seed in range(200))
    assert alarms / 200 < 0.08


def test_welch_is_scipys_and_a_single_run_takes_the_spread_of_the_other():
    x, y = np.array([0.1, 0.2, 0.4]), np.array([0.5, 0.7, 0.4, 0.8])
    theirs = stats.ttest_ind(y, x, equal_var=False)
    ours = welch(x, y)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.interval == pytest.approx(tuple(theirs.confidence_interval()))
    single = welch(x, y[:1])
    assert single.error == pytest.approx(x.std(ddof=1) * np.sqrt(1 + 1 / 3))
    assert single.df == 2


def test_recipes_that_differ_in_two_factors_are_not_compared():
    population, factors = recipes({"sigmoid": (-0.1, 0.0)})
    assert seeded(population, {name: {**each, "family": each["loss"]} for name, each in factors.items()}) == []
    assert seeded(population, {name: {"loss": each["loss"]} for name, each in factors.items()}) == []


# ---- among the published


def on_imagenet(name, clean, far, **data):
    made = record(name, {CLEAN: clean, "accuracy/top1[shift_sketch]": far})
    for each in made["gates"]:
        each.update(data="imagenet", n=50000)
    held = {"name": "imagenet", "fingerprint": "f0", "published": {"clean": "imagenet", "shift_sketch": "imagenet-sketch"}, "limit": None}
    made["data"] = [{**held, "prompts": {"name": "own", "templates": []}, **data}]
    return members(made, run=name)


@pytest.fixture(scope="module")
def sketch():
    return study(public(), Plan(("imagenet-sketch",), PUBLISHED.cleans[:1], {}, {}, (), group="collection"), resamples=50)


def test_a_run_lies_as_far_from_the_published_line_as_it_was_put(sketch):
    (all_of_them,) = [each for each in sketch.lines if not each.group]
    a, b = all_of_them.coefficients
    on_it = float(expit(a + b * np.log(0.7 / 0.3)))
    (one,), (other,) = (placed(sketch, on_imagenet(str(off), 0.7, on_it + off)) for off in (0.0, 0.15))
    assert one.shares[0] == pytest.approx(0, abs=1e-6)
    assert one.shares[1] < 0 < one.shares[2]
    assert other.shares[0] == pytest.approx(0.15, abs=1e-6)
    assert other.shares[1] > 0.1


@pytest.mark.parametrize(
    ("run", "says", "drawn"),
    [
        (on_imagenet("low", 0.2, 0.1), "range (0.3", False),
        (on_imagenet("few", 0.7, 0.5, limit=100), "imagenet was asked with --clip-limit", False),
        (on_imagenet("own", 0.7, 0.5, prompts={"name": "simple", "templates": []}), "asked with --clip-prompts=simple", False),
        (members(record("s", {CLEAN: 0.5}), run="s"), "scenes is none of the published data sets", False),
        (
            [dataclasses.replace(on_imagenet("x", 0.7, 0.5)[0], published={"imagenet": (0.7, 50000)})],
            "it was not measured on imagenet-sketch", False,
        ),
    ],
)  # fmt: skip
def test_a_run_that_is_not_drawn_says_why(sketch, run, says, drawn):
    (found,) = placed(sketch, run)
    assert says in found.refused
    assert found.drawn is drawn
    assert found.shares is None
    assert says in page.render(told.Everything(sketch, placed=(found,)))


def test_the_published_lines_do_not_move_for_a_run(sketch):
    held = sketch.population
    inside = held.only(held.values["imagenet"] >= sketch.ranges["imagenet-sketch"][0].lowest)
    (mine,) = [each for each in sketch.lines if not each.group]
    assert line(inside, "imagenet-sketch", ("imagenet",))[0].coefficients == mine.coefficients
    groups = {each.group: each for each in sketch.lines if each.group}
    assert groups["wit"].families >= 4
    assert groups["laion"].coefficients != mine.coefficients


# ---- findings about properties


def family(*, three_d=0.0, near=0.0, shape=0.8, few=(0.0, 0.0), seed=0):
    """Twelve lineages of two architectures with planted effects on the properties; all on one training set of two."""
    rng = np.random.default_rng(seed)
    n = 24
    tower, where = np.arange(n) % 2, np.arange(n) // 2 % 3
    x = rng.normal(1, 0.5, n)
    values = {
        CLEAN: expit(x), SHIFT: expit(0.9 * x - 0.5 + rng.normal(0, 0.05, n)),
        "corruptions_3d/accuracy[fog_3d]": expit(x - 0.3 + three_d * tower + rng.normal(0, 0.05, n)),
        "corruptions/accuracy[fog]": expit(x - 0.3 + rng.normal(0, 0.05, n)),
        "ood/auroc[near]": expit(1 + near * x - 2 * where + rng.normal(0, 0.1, n)),
        "calibration/ece[clean]": expit(-3 + rng.normal(0, 0.1, n)),
        "shape_bias/shape_bias[cue_conflict]": np.clip(shape + rng.normal(0, 0.02, n), 0, 1),
    }  # fmt: skip
    held = []
    for at in range(n):
        told_ = {"family": "vit" if tower[at] else "resnet", "training_set": "abc"[where[at]], "lineage": f"l{at}"}
        made = record(f"m{at}", {gate: float(column[at]) for gate, column in values.items()}, told_)
        (one,) = members(made, run=f"m{at}")
        change = {"ece": few[0] + rng.normal(0, 0.002), "auroc": few[1] + rng.normal(0, 0.002)}
        held.append(dataclasses.replace(one, few=change))
    return with_properties(records.population(held), held)


def answer(population, start, **more):
    found = study(population, of_gates(population), resamples=100, **more)
    (one,) = [each for each in findings(found) if each.statement.startswith(start)]
    return one


def test_columns_of_properties_are_means_of_their_gates():
    population = family()
    assert population.values[THREE_D] == pytest.approx(population.values["corruptions_3d/accuracy[fog_3d]"])
    assert population.values[ECE] == pytest.approx(population.values["calibration/ece[clean]"])
    assert population.values[FEW["ece"]].shape == (24,)
    plan = of_gates(population)
    assert (TWO_D, THREE_D) in plan.pairs
    assert plan.group == "training_set"


@pytest.mark.parametrize(
    ("planted", "statement", "is_"),
    [
        ({"three_d": 0.8}, "the architecture decides the robustness to 3D", "supported"),
        ({}, "the architecture decides the robustness to 3D", "cannot tell"),
        ({"near": 1.0}, "accuracy and OOD detection go together", "supported"),
        ({"near": -1.0}, "accuracy and OOD detection go together", "contradicted"),
        ({}, "accuracy and OOD detection go together", "cannot tell"),
        ({"few": (-0.02, 0.02)}, "fewer prompts", "supported"),
        ({"few": (0.02, 0.02)}, "fewer prompts", "contradicted"),
        ({"few": (0.0, 0.02)}, "fewer prompts", "cannot tell"),
        ({"shape": 0.3}, "CLIP leans to shape", "cannot tell"),
        ({}, "a large multimodal model", "cannot tell"),
    ],
)
def test_a_finding_is_what_was_planted(planted, statement, is_):
    found = answer(family(**planted), statement)
    assert found.answer == is_, found.why


def test_levels_that_surely_do_not_differ_contradict_that_they_do():
    held = family()
    tight = {**held.values, THREE_D: expit(np.log(held.values[CLEAN] / (1 - held.values[CLEAN])) - 0.3 + 0.002 * (np.arange(24) % 5))}
    found = answer(dataclasses.replace(held, values=tight), "the architecture decides the robustness to 3D")
    assert found.answer == "contradicted"
    assert "which is less than 1" in found.why


def test_without_figures_of_a_property_nobody_can_tell():
    population = family()
    bare = dataclasses.replace(population, values={name: population.values[name] for name in (CLEAN, SHIFT)})
    whys = {each.statement: each.why for each in findings(study(bare, of_gates(bare), resamples=50))}
    for what in ("3D corruptions", "shape bias", "calibration", "OOD scores", "other prompts"):
        assert f"these models have no figures of {what}" in whys.values()


def test_confounded_factors_are_refused_by_name():
    population = family(three_d=0.8)
    twin = dataclasses.replace(population, factors={**population.factors, "size": population.factors["family"]})
    found = study(twin, of_gates(twin), resamples=50)
    own = [each for each in found.effects if each.effect.question.factor == "family"]
    assert own
    assert all("never differ without size changing as well" in each.why and each.effect.points is None for each in own)


# ---- the page


@pytest.fixture(scope="module")
def everything():
    population = family(three_d=0.8)
    found = study(population, of_gates(population), resamples=50, seeded=seeded(*recipes({"sigmoid": (-0.1, 0.0)})))
    return told.of(found)


def test_the_page_is_whole_the_same_again_and_has_a_table_behind_each_figure(everything):
    text = page.render(everything)
    assert text == page.render(everything)
    held = Page(text)
    drawings = [attrs for name, attrs in held.elements if name == "svg"]
    assert len(drawings) >= 5
    assert text.count('<details class="numbers">') == text.count("<figure")
    for anchor in ("findings", "lines", "effects", "seeds", "correlations", "models"):
        assert anchor in held.ids
    assert all(not value.startswith(("http", "//")) for _, attrs in held.elements for key, value in attrs.items() if key in ("href", "src"))
    for each in everything.findings:
        assert each.statement.replace("'", "&#39;") in text


def test_names_from_files_are_escaped():
    evil = '<script>alert("x")</script>'
    population = family()
    renamed = dataclasses.replace(population, names=(evil, *population.names[1:]), lineages=(evil, *population.lineages[1:]))
    levels = tuple(evil if each == "vit" else each for each in population.factors["family"])
    renamed = dataclasses.replace(renamed, factors={**population.factors, "family": levels})
    text = page.render(told.of(study(renamed, of_gates(renamed), resamples=20)))
    assert evil not in text
    assert "&lt;script&gt;" in text
    assert Page(text)


def test_the_command_writes_the_page_and_says_where_it_cannot(tmp_path, capsys):
    for at in range(3):
        made = record(f"m{at}", {CLEAN: 0.5 + at / 10, SHIFT: 0.4}, {"loss": "a"})
        (tmp_path / f"m{at}.json").write_text(json.dumps(made))
    runs = [str(each) for each in sorted(tmp_path.glob("*.json"))]
    assert main(["study", *runs, "--html", str(tmp_path / "out" / "s.html")]) == 0
    assert Page((tmp_path / "out" / "s.html").read_text())
    capsys.readouterr()
    assert main(["study", *runs, "--html", str(tmp_path)]) == 2
    assert "is a folder; name a file in it" in capsys.readouterr().err
