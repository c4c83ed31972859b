"""A large multimodal model beside the CLIP under test: does the language model repair its errors, or add some, above all where it is weak?

The question is ImageNet-D's (Zhang et al. 2024, arXiv 2403.18775): the right class and a failure category, the CLIP's own answer where that
is wrong, else its second one, so that the CLIP's two-way accuracy on these pairs is its top-1 accuracy. Its script lists the truth first,
samples, and leaves unclear answers out; here every order of two (and each rotation of five) is asked, and an unclear answer is wrong.
An option is chosen when the sum of its tokens' log-likelihoods is strictly the highest.

`vanilla-K`: mean over both orders of two options or five rotations of five; `vanilla-20` and `vanilla-all` are asked in one order each,
drawn by the image's id. `circular-K`: right in all orders. `per_token-2`: mean instead of sum over tokens. `generated-2`: a greedy answer
that names one option by whole words. `random-2`, `third-2`: the wrong option drawn from the classes, or chosen by the model that the ini
key `clip_lmm_third` names. Image sets and corruptions are asked as `vanilla-2`. Each number is of the first `clip_lmm_images` images of
its set. Measured only with --clip-lmm.
"""

import numpy as np
import pytest

from pytest_clip.extract.beside import mark
from pytest_clip.gates.catalog.lmm import PROTOCOLS
from pytest_clip.metrics.choices import circular, gain_interval, hard_classes, position_bias, position_bias_interval
from pytest_clip.metrics.intervals import seed_from, wilson_share
from pytest_clip.metrics.naming import NONE, SEVERAL
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("lmm")


@pytest.fixture
def mean(gate, clip_case):
    """Hand the mean over images of values between `low` and 1 to the gate of this case.

    Two orders of a question are one image: a share of each, whose mean varies at most as that of right and wrong, so Wilson's interval
    holds it. A gain is what was won less what was lost.
    """

    def measured(values, told, *, ids=None, low=0.0, outcome="correct", reason="no image to ask about", **more):
        if not len(values):
            pytest.skip(reason)
        value, n = float(values.mean()), len(values)
        ci = wilson_share(value, n) if low == 0 else gain_interval(values)
        gate(
            clip_case.gate, value, n=n, ci=ci, conventions={**told.conventions, **more},
            per_image=Outcomes("mean", {outcome: values}, told.pairs.ids if ids is None else ids),
        )  # fmt: skip

    return measured


def options_of(protocol, beside):
    """How many options; skips where there are fewer classes."""
    most, _, asked = beside.classes(), *protocol.partition("-")[1:]
    k = most if asked == "all" else int(asked)
    if k > most:
        pytest.skip(f"{protocol} needs {k} classes, the data set has {most}")
    return k


@pytest.mark.clip_gate("lmm/accuracy")
def test_accuracy(clip_case, clip_data, clip_beside, mean):
    """Share of questions answered rightly."""
    name = clip_case.slice
    if any(each.name == name and each.role == "choice" for each in clip_data.sets):
        told = clip_beside.questioned(name)
        mean(told.right, told, ids=told.ids)
        return
    if name not in PROTOCOLS:
        told = clip_beside.asked(name)
        mean(told.right.mean(1), told)
        return
    how, k = name.partition("-")[0], options_of(name, clip_beside)
    if how == "generated":
        told = clip_beside.said("clean")
        mean((told.places == told.quiz.truth).mean(1), told)
        return
    if how == "third" and clip_beside.third is None and clip_beside.chosen is None:
        pytest.skip("no third model chooses distractors: name one, or a saved run of one, with the ini key clip_lmm_third")
    if how == "third" and clip_beside.chosen == {}:
        pytest.skip(f"the saved run {clip_beside.third_name} chose no distractors on this data set")
    by = how if how in ("random", "third") else "clip"
    told = clip_beside.asked("clean", k=k, every=k <= 5, by=by)
    if how == "circular":
        mean(circular(told.right).astype(float), told, protocol=f"right in all {k} rotations: guessing has {k**-k:.2g}")
    elif how == "per_token":
        mean(told.right_per_token.mean(1), told, scoring="likelihood, mean over tokens")
    else:
        mean(told.right.mean(1), told)


@pytest.mark.clip_gate("lmm/position_bias")
def test_position_bias(gate, clip_case, clip_beside):
    """How far the places of chosen options are from equally frequent; every option stands at every place once."""
    k = options_of(clip_case.slice, clip_beside)
    told = clip_beside.asked("clean", k=k)
    value = position_bias(told.places, k=k)
    chosen = told.places[told.places >= 0]
    names = told.pairs.answers.classes
    distractor = np.array([mark(names[each]) for each in told.pairs.options[:, 1]])
    gate(
        clip_case.gate, value, n=len(told.places), reason="every question is a tie",
        ci=None if np.isnan(value) else position_bias_interval(told.places, k=k, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes(None, {"places": told.places, "distractor": distractor}, told.pairs.ids),
        conventions={
            **told.conventions, "measured": {"places": np.bincount(chosen, minlength=k).tolist(), "ties": int((told.places < 0).sum())},
        },
    )  # fmt: skip


@pytest.mark.clip_gate("lmm/unparsed")
def test_unparsed(clip_beside, mean):
    """Share of generated answers that name none of the options, or several."""
    told = clip_beside.said("clean")
    places = told.places
    measured = {"none": int((places == NONE).sum()), "several": int((places == SEVERAL).sum()), "examples": told.unclear[:3]}
    mean((places < 0).mean(1), told, outcome="unparsed", measured=measured)


@pytest.fixture(scope="session")
def part(clip_beside, zero_shot):
    """`part("hard", told)`: which of the images that were asked about belong to classes below the CLIP's median class, or to the others."""

    def of(name, told):
        if name == "all":
            return np.ones(len(told.pairs.rows), dtype=bool)
        clean = zero_shot("clean")
        known = clean.labels >= 0
        hard = hard_classes(clean.right[known], clean.labels[known], classes=len(clean.classes))[told.pairs.labels]
        return hard if name == "hard" else ~hard

    return of


@pytest.mark.clip_gate("lmm/gain_over_clip")
def test_gain_over_clip(clip_case, clip_beside, part, eye, mean):
    """Two-way accuracy minus that of the CLIP on the same pairs, image by image."""
    name = clip_case.slice
    told = clip_beside.asked("clean" if name in ("all", "hard", "easy") else name)
    rows = part(name if name in ("hard", "easy") else "all", told)
    gain = told.right.mean(1) - told.pairs.clip_right
    ids = tuple(each for each, kept in zip(told.pairs.ids, rows, strict=True) if kept)
    clip = round(float(told.pairs.clip_right[rows].mean()), 6) if rows.any() else None
    mean(
        gain[rows], told, ids=ids, low=-1.0, outcome="gain", reason=f"no class is {name} for this CLIP", eye=eye.told,
        measured={"clip": clip, "lmm": round(float(told.right[rows].mean()), 6) if rows.any() else None},
    )  # fmt: skip


@pytest.mark.clip_gate("lmm/repairs")
def test_repairs(clip_case, clip_beside, mean):
    """Share of the CLIP's errors that the LMM answers rightly (half, where only in one order)."""
    told = clip_beside.asked(clip_case.slice)
    rows = ~told.pairs.clip_right
    ids = tuple(each for each, kept in zip(told.pairs.ids, rows, strict=True) if kept)
    mean(told.right.mean(1)[rows], told, ids=ids, outcome="repaired", reason="this CLIP makes no error here")


@pytest.mark.clip_gate("lmm/breaks")
def test_breaks(clip_case, clip_beside, mean):
    """Share of the CLIP's right answers that the LMM answers wrongly (half, where only in one order)."""
    told = clip_beside.asked(clip_case.slice)
    rows = told.pairs.clip_right
    ids = tuple(each for each, kept in zip(told.pairs.ids, rows, strict=True) if kept)
    mean((~told.right).mean(1)[rows], told, ids=ids, outcome="broken", reason="this CLIP has nothing right here")


@pytest.mark.clip_gate("lmm/gain_over_blank")
def test_gain_over_blank(clip_beside, mean):
    """Two-way accuracy minus that of the same questions with grey pictures, image by image: 0 for who does not look.

    Who always prefers the same of two classes may have 0.6 or 0.4 on a data set of few classes, with pictures and without.
    """
    told, blank = clip_beside.asked("clean"), clip_beside.asked("clean", instead="blank")
    measured = {"with": round(float(told.right.mean()), 6), "without": round(float(blank.right.mean()), 6)}
    mean(told.right.mean(1) - blank.right.mean(1), told, low=-1.0, outcome="gain", measured=measured)


@pytest.mark.clip_gate("lmm/blank")
def test_blank(clip_beside, mean):
    """Accuracy on the same pairs when every picture is grey."""
    told = clip_beside.asked("clean", instead="blank")
    mean(told.right.mean(1), told, pictures="grey")


@pytest.mark.clip_gate("lmm/shuffled")
def test_shuffled(clip_beside, mean):
    """Accuracy on the same pairs when every picture is another image's, of a class that is no option."""
    told = clip_beside.asked("clean", instead="others")
    mean(told.right.mean(1), told, pictures="of other images")


@pytest.fixture(scope="session")
def eye(clip_model, clip_lmm, clip_extraction):
    """How the image tower of the LMM compares with that of the CLIP."""
    from pytest_clip.models.lmm.tower import recalled

    return recalled(clip_extraction.cache, clip_model, clip_lmm)


@pytest.mark.clip_gate("lmm/tower_is_clip")
def test_tower_is_clip(gate, clip_case, clip_lmm, eye):
    """Share of checks (tensors, activation, normalisation, outputs) in which both towers agree: 1 where the LMM sees with this CLIP.

    Not measured where no tower of this CLIP could stand there: an eye of another kind or size is a choice, other weights in the same place
    a swap.
    """
    if not eye.alike:
        pytest.skip(eye.told)
    told = {
        "lmm": clip_lmm.label,
        "lmm_fingerprint": clip_lmm.fingerprint,
        "eye": eye.told,
        "measured": {"agree": eye.agreeing, "of": eye.checks},
    }
    gate(clip_case.gate, eye.share, n=eye.checks, conventions=told)
