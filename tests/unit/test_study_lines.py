"""Lines, distances from them and images drawn again: equal to statsmodels, and as sure as they may be."""

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from pytest_clip.study import images, lines
from pytest_clip.study.effects import Question, effects, spread_of
from pytest_clip.study.images import drawn, refitted
from pytest_clip.study.members import Member
from pytest_clip.study.population import Population


def made(n=12, *, noise=0.1, seed=0, off=0.0, counts=0):
    """Models of n families around a line of slope 0.9; the last one lies `off` logits above it."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 2, n)
    x[-1] = 0.5
    y = 0.9 * x - 0.4 + rng.normal(0, noise, n) + off * (np.arange(n) == n - 1)
    second = x + rng.normal(0, 0.3, n)
    names = tuple(f"m{at}" for at in range(n))
    values = {"clean": expit(x), "second": expit(second), "shift": expit(y)}
    return Population(names, names, {"group": ("a",) * (n // 2) + ("b",) * (n - n // 2)}, {}, values, dict.fromkeys(values, counts))


@pytest.mark.parametrize("clean", [("clean",), ("clean", "second")])
def test_lines_are_those_of_statsmodels(clean):
    population = made(20, noise=0.3)
    found, _ = lines.line(population, "shift", clean)
    x = sm.add_constant(np.column_stack([logit(population.values[each]) for each in clean]))
    theirs = sm.RLM(logit(population.values["shift"]), x, M=sm.robust.norms.HuberT(1.345)).fit(maxiter=500, tol=1e-12)
    assert found.coefficients == pytest.approx(theirs.params, abs=1e-6)


def test_a_model_is_no_yardstick_for_itself():
    """Distances are from the line of the other families, so an outlier is told whole."""
    population = made(12, noise=0.02, off=1.0)
    found, distances = lines.line(population, "shift", ("clean",))
    last = distances[-1]
    at = logit(population.values["clean"][-1])
    others = population.only(np.arange(12) < 11)
    line, _ = lines.line(others, "shift", ("clean",))
    expected = population.values["shift"][-1] - expit(line.coefficients[0] + line.coefficients[1] * at)
    assert last.shares[0] == pytest.approx(expected, abs=1e-5)
    assert last.shares[1] > 0.1
    assert max(abs(each.shares[0]) for each in distances[:-1] if each.shares) < 0.03  # the outlier hardly moves the line of others
    assert found.families == 12


def test_null_distances_are_rarely_sure():
    """Models on one line with the sampling error of 500 images each: the interval of a distance leaves out 0 about as often as it may."""
    out, told = 0, 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        population = made(15, noise=0.0, seed=seed, counts=500)
        noisy = {name: rng.binomial(500, value) / 500 for name, value in population.values.items()}
        _, distances = lines.line(dataclasses.replace(population, values=noisy), "shift", ("clean",))
        told += sum(each.shares is not None for each in distances)
        out += sum(each.shares[1] > 0 or each.shares[2] < 0 for each in distances if each.shares)
    assert out / told < 0.07


@pytest.mark.parametrize(
    ("population", "clean", "says"),
    [
        (made(3), ("clean",), "3 models of 3 families: a line on clean takes at least 4"),
        (made(4), ("clean", "second"), "4 models of 4 families: a line on clean and second takes at least 5"),
        (
            dataclasses.replace(made(8), values={**made(8).values, "second": made(8).values["clean"]}), ("clean", "second"),
            "clean and second of these models do not vary apart: no line can be told",
        ),
    ],
)  # fmt: skip
def test_what_has_no_line_is_a_sentence(population, clean, says):
    found, distances = lines.line(population, "shift", clean)
    assert found.refused == says
    assert found.slope is None
    assert all(each.refused == says and each.shares is None for each in distances)


def test_a_model_beyond_all_others_has_no_distance():
    population = made(10)
    values = {**population.values, "clean": np.r_[population.values["clean"][:-1], 0.999]}
    _, distances = lines.line(dataclasses.replace(population, values=values), "shift", ("clean",))
    assert distances[-1].shares is None
    assert "is beyond the other families" in distances[-1].refused


# ---- images drawn again


def answers(n_models=12, n=400, seed=0, shared=1.0):
    """Members whose answers share what is hard: with `shared` 1 all models fail on the same images first."""
    rng = np.random.default_rng(seed)
    skill, held = rng.uniform(0, 2, n_models), []
    hard = {gate: rng.logistic(size=n) for gate in ("clean", "shift")}
    for at, each in enumerate(skill):
        own = {gate: shared * hard[gate] + (1 - shared) * rng.logistic(size=n) < each - (gate == "shift") for gate in hard}
        found = {gate: (gate, right.astype(np.float32)) for gate, right in own.items()}
        held.append(Member(f"m{at}", {}, {}, {g: (float(r.mean()), n) for g, r in own.items()}, outcomes=found))
    names = tuple(each.name for each in held)
    values = {gate: np.array([each.values[gate][0] for each in held]) for gate in hard}
    factor = {"factor": tuple("ab"[at % 2] for at in range(n_models))}
    return held, Population(names, names, factor, {}, values, dict.fromkeys(hard, n), drawn(held))


def test_the_same_images_are_drawn_for_all_models_and_gates():
    held, population = answers()
    assert population.drawn["clean"].shape == (images.RESAMPLES, 12)
    assert population.drawn["clean"].mean(axis=0) == pytest.approx(population.values["clean"], abs=0.02)
    n, p = 400, population.values["clean"]
    assert population.drawn["clean"].std(axis=0) == pytest.approx(np.sqrt(p * (1 - p) / n), rel=0.25)
    together = np.corrcoef(population.drawn["clean"].T)
    assert np.median(together) > 0.6  # what is hard for one is hard for all
    assert drawn(held)["clean"] == pytest.approx(population.drawn["clean"])


def test_a_member_on_other_images_is_not_drawn_and_keeps_its_number():
    held, population = answers()
    odd = dataclasses.replace(held[0], outcomes={"clean": ("elsewhere", held[0].outcomes["clean"][1])})
    again = drawn([odd, *held[1:]])
    assert np.isnan(again["clean"][:, 0]).all()
    assert np.isfinite(again["clean"][:, 1:]).all()
    found = lines.line(dataclasses.replace(population, drawn=again), "shift", ("clean",))[1]
    assert [each.images for each in found[:2]] == [False, True]


def test_images_add_to_the_error_of_an_effect_what_they_change():
    """Refitting by hand on each resample, by the same robust weights, gives the spread that is added."""
    _, population = answers(shared=0.5)
    bare = dataclasses.replace(population, drawn={})
    question = Question("factor", "shift", ("clean",))
    (with_, without) = (effects(each, question)[0].estimate for each in (population, bare))
    assert with_.value == without.value
    assert with_.error > without.error
    x = np.column_stack([np.ones(12), logit(population.values["clean"])])
    y, coefficients = logit(population.values["shift"]), np.array([-1.0, 1.0])
    again = refitted(population, "shift", ("clean",), x, y, coefficients)
    left = np.abs(y - x @ coefficients)
    w = np.minimum(1, 1.345 * np.median(left) / 0.6745 / left)
    by_hand = [
        sm.WLS(logit(population.drawn["shift"][r]), sm.add_constant(logit(population.drawn["clean"][r])), weights=w).fit().params
        for r in range(5)
    ]
    assert again.coefficients[:5] == pytest.approx(np.array(by_hand), abs=1e-6)
    assert spread_of(again, np.array([0.0, 1.0])) == pytest.approx(again.coefficients[:, 1].var(ddof=1))


def test_joint_images_make_distances_surer_than_independent_ones():
    """Models that fail on the same images differ less by the choice of images than shares of independent images do."""
    _, population = answers(shared=1.0)
    joint = lines.line(population, "shift", ("clean",))[1]
    alone = lines.line(dataclasses.replace(population, drawn={}), "shift", ("clean",))[1]
    widths = [(a.shares[2] - a.shares[1]) / (b.shares[2] - b.shares[1]) for a, b in zip(joint, alone, strict=True) if a.shares]
    assert np.median(widths) < 0.9


def test_the_interval_of_a_slope_is_students():
    found, _ = lines.line(made(10), "shift", ("clean",))
    low, high = found.slope.interval
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 8) * found.slope.error)
