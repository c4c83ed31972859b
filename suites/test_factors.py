"""Visual factors: what a single change of pose, background, texture, ... costs.

The factors are ImageNet-X's (Idrissi et al. 2022). On `scenes` every factor image shows the same scene as its partner in `clean` with one
factor changed, so effects are paired: the drop is measured on the same scenes, and the error ratio's reference is the unchanged scene.
On ImageNet-X itself the factors are marks on validation images: there is no drop, the reference is all marked images, and effective
robustness is the accuracy beyond that of ImageNet models with the same accuracy on all of them (published for the first ten factors).
A model at chance on clean images has nothing to lose, so its drops and ratios are no numbers.

`background_gap` asks for a shortcut: the same object before the background typical of its class and before that of another (`scenes`, where
nothing else changes), or animals where they are mostly seen and where they are not (CounterAnimal: other photographs, so not paired).
"""

import numpy as np
import pytest

from pytest_clip.extract.examples import answer, surest, truth
from pytest_clip.gates.evidence import Counterexample, Counterexamples, Picture
from pytest_clip.metrics import effective_robustness as er
from pytest_clip.metrics.extremes import largest_drop, lowest_share
from pytest_clip.metrics.factors import error_ratio, paired_drop, part_error_ratio_interval
from pytest_clip.metrics.intervals import paired_difference, ratio_interval, seed_from, unpaired_difference
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("factors")

ENOUGH = 100
"""Images a factor needs to compete for the worst one: with 40 a factor's accuracy is a coin flip of +-15 points."""


def unchanged(answers, clean):
    """Whether the partners of these images in `clean` are classified correctly."""
    return clean.right[answers.pairs]


@pytest.mark.clip_gate("factors/accuracy")
def test_accuracy(gate, clip_case, zero_shot):
    """Zero-shot top-1 on the images where this factor changed."""
    answers = zero_shot(clip_case.slice)
    gate.share(clip_case.gate, answers.right, answers)


@pytest.fixture
def lost(clip_data, clip_extraction, zero_shot):
    """For a report: scenes that were answered rightly and are not with the factor, before and after, the surest mistakes first."""

    def of(start, name, start_rows, what, wanted):
        before, after = zero_shot(start), zero_shot(name)
        rows = np.flatnonzero(before.right[start_rows] & ~after.right).tolist()
        images = []
        for row in surest(after, rows)[: wanted.most]:
            (was, sure), (now, surer) = answer(before, int(start_rows[row])), answer(after, row)
            pictures = [Picture(clip_extraction.picture(clip_data, *place)) for place in ((start, int(start_rows[row])), (name, row))]
            images.append(Counterexample(after.ids[row], f"{was} {sure:.0%}", f"{now} {surer:.0%}", truth(after, row), *pictures))
        return Counterexamples(what, len(rows), len(after.ids), images) if images else None

    return of


@pytest.mark.clip_gate("factors/drop")
def test_drop(gate, clip_case, zero_shot, lost):
    """Accuracy lost on the same scenes when only this factor changes."""
    answers, clean = zero_shot(clip_case.slice), zero_shot("clean")
    before, what = unchanged(answers, clean), f"scenes are right without {clip_case.slice} and wrong with it"
    gate(
        clip_case.gate, None if clean.at_chance else paired_drop(before, answers.right), n=len(before), reason=clean.at_chance,
        ci=None if clean.at_chance else paired_difference(before, answers.right),
        per_image=Outcomes("drop", {"before": before, "correct": answers.right}, answers.ids), conventions=answers.conventions,
        shows=lambda wanted: None if wanted.green else lost("clean", clip_case.slice, answers.pairs, what, wanted),
    )  # fmt: skip


@pytest.fixture(scope="session")
def everything(clip_data, zero_shot):
    """Answers to all images of which some have the factor, and the name of their set."""
    name = "overall" if any(each.role == "overall" for each in clip_data.sets) else "clean"
    return zero_shot(name), name


def apart(answers, reference):
    """Whether images of the reference that lack the factor are right, and their ids: those with it are rows of the reference, too."""
    marked = set(answers.ids)
    rest = np.array([each not in marked for each in reference.ids], dtype=bool)
    return reference.right[rest], tuple(each for each, kept in zip(reference.ids, rest, strict=True) if kept)


def outcomes_of_part(statistic, answers, right, ids, **params):
    """Outcomes of the images with a factor and of the rest of all images; without a rest they say nothing."""
    if not len(ids):
        return Outcomes(None, {"correct": answers.right}, answers.ids)
    return Outcomes(statistic, {"correct": answers.right}, answers.ids, others={"correct": right}, other_ids=ids, params=params)


def over_all(gate, case, answers, clean, reference, name):
    """Error ratio against all images, those with the factor among them; rows of both that show one image are one image."""
    undefined = clean.at_chance or ("no image is misclassified" if reference.right.all() else None)
    right, ids = apart(answers, reference)
    gate(
        case.gate, None if undefined else error_ratio(float(answers.right.mean()), float(reference.right.mean())), n=len(answers.ids),
        reason=undefined, ci=None if undefined or not len(ids) else part_error_ratio_interval(~answers.right, ~right),
        per_image=outcomes_of_part("part_error_ratio", answers, right, ids), conventions=answers.conventions | {"reference": name},
    )  # fmt: skip


@pytest.mark.clip_gate("factors/effective_robustness")
def test_effective_robustness(gate, clip_case, clip_data, zero_shot, everything):
    """Accuracy on images with the factor minus what a published line of ImageNet models expects from the accuracy on all of them."""
    (reference, name), answers = everything, zero_shot(clip_case.slice)
    line = er.published(next(each.line for each in clip_data.sets if each.name == clip_case.slice))
    accuracy, overall, n, nothing = float(answers.right.mean()), float(reference.right.mean()), len(reference.ids), reference.at_chance
    right, ids = apart(answers, reference)
    both = int(answers.right.sum()), len(answers.ids), int(right.sum()), len(ids)
    gate(
        clip_case.gate, None if nothing else er.effective_robustness(accuracy, overall, line=line, n_overall=n), n=len(answers.ids),
        reason=nothing, ci=None if nothing or not len(ids) else er.interval(*both, line=line, part=True),
        per_image=outcomes_of_part("effective", answers, right, ids, **er.params(line, part=True)),
        conventions=answers.conventions | {
            "line": [line.slope, line.intercept], "models": line.n_models, "source": line.source, "reference": name,
            "measured": er.told(accuracy, overall, line=line, n_overall=n),
        },
    )  # fmt: skip


@pytest.mark.clip_gate("factors/error_ratio")
def test_error_ratio(gate, clip_case, zero_shot, everything):
    """Error rate with the factor over that of the same scenes without it, or of all images; 1 = the factor does not matter."""
    answers, clean = zero_shot(clip_case.slice), zero_shot("clean")
    if answers.pairs is None:
        over_all(gate, clip_case, answers, clean, *everything)
        return
    before = unchanged(answers, clean)
    undefined = clean.at_chance or ("no unchanged scene is misclassified" if before.all() else None)
    gate(
        clip_case.gate, None if undefined else error_ratio(float(answers.right.mean()), float(before.mean())), n=len(before),
        reason=undefined, ci=None if undefined else ratio_interval(~answers.right, ~before, paired=True),
        per_image=Outcomes("error_ratio", {"before": before, "correct": answers.right}, answers.ids),
        conventions=answers.conventions | {"reference": "same scenes unchanged"},
    )  # fmt: skip


@pytest.mark.clip_gate("factors/background_gap")
def test_background_gap(gate, clip_case, clip_data, zero_shot, lost):
    """Accuracy before the usual background minus that before another class's; 0 = the background is no help."""
    names = [each.name for each in clip_data.sets if each.role == "backdrop"]
    usual, other = map(zero_shot, names)
    paired = other.pairs is not None
    assert not paired or np.array_equal(usual.pairs, other.pairs), "both sets must show the same scenes"
    before, after = usual.right, other.right
    nothing = usual.at_chance and usual.at_chance.replace("clean", names[0], 1)
    interval = paired_difference if paired else unpaired_difference
    alone = {"arrays": {"before": before, "correct": after}, "statistic": "drop"}
    apart = {"arrays": {"correct": after}, "others": {"correct": before}, "other_ids": usual.ids, "statistic": "difference"}
    what = "scenes are right before the background of their class and wrong before that of another"
    gate(
        clip_case.gate, None if nothing else float(before.mean() - after.mean()), n=len(after), reason=nothing,
        ci=None if nothing else interval(before, after), per_image=Outcomes(ids=other.ids, **(alone if paired else apart)),
        conventions=other.conventions | {
            "paired": "by scene" if paired else "no: two samples",
            "measured": {name: round(float(right.mean()), 6) for name, right in zip(names, (before, after), strict=True)},
        },
        shows=(lambda wanted: lost(*names, np.arange(len(after)), what, wanted)) if paired else None,
    )  # fmt: skip


@pytest.fixture(scope="session")
def factor_answers(clip_data, zero_shot):
    """Answers of every factor with enough images."""
    return {s.name: zero_shot(s.name) for s in clip_data.sets if s.role == "factor" and len(clip_data.images(s.name)) >= ENOUGH}


@pytest.fixture
def nothing_to_compare(clip_settings):
    """Why there is no worst factor when none has enough images."""
    if clip_settings.limit is not None:
        return f"--clip-limit={clip_settings.limit} leaves no factor {ENOUGH} images; raise it"
    return f"no factor has {ENOUGH} images"


def scenes_of(factor_answers):
    """Which scene (or image) each row shows, an int array by factor: changes of one scene are drawn together."""
    same = [a.pairs if a.pairs is not None else a.ids for a in factor_answers.values()]
    numbers = np.unique(np.concatenate(same), return_inverse=True)[1]
    return np.split(numbers, np.cumsum([len(each) for each in same])[:-1])


def of_all(factor_answers, statistic, **arrays):
    """Outcomes of every factor together, because another model may have another worst one; changes of one scene are drawn together."""
    each = list(factor_answers.values())
    arrays |= {"correct": [a.right for a in each], "group": [np.full(len(a.ids), k) for k, a in enumerate(each)]}
    columns = {name: np.concatenate(parts) for name, parts in arrays.items()}
    return Outcomes(statistic, columns, sum((a.ids for a in each), ()), clusters=np.concatenate(scenes_of(factor_answers)))


@pytest.mark.clip_gate("factors/worst_accuracy")
def test_worst_accuracy(gate, clip_case, factor_answers, nothing_to_compare):
    """Lowest accuracy over the factors with enough images; its interval is that of the lowest, whichever factor it is."""
    if not factor_answers:
        pytest.skip(nothing_to_compare)
    worst = min(factor_answers, key=lambda f: factor_answers[f].right.mean())
    right = factor_answers[worst].right
    each = [a.right for a in factor_answers.values()]
    gate(
        clip_case.gate, right.mean(), n=len(right),
        ci=lowest_share(each, units=scenes_of(factor_answers), seed=seed_from(str(clip_case.gate))),
        per_image=of_all(factor_answers, "lowest_group"),
        conventions=factor_answers[worst].conventions | {"factor": worst, "at_least": ENOUGH},
    )  # fmt: skip


@pytest.mark.clip_gate("factors/worst_drop")
def test_worst_drop(gate, clip_case, factor_answers, nothing_to_compare, zero_shot):
    """Largest paired loss of accuracy over the factors with enough images; its interval is that of the largest, whichever factor it is."""
    if not factor_answers:
        pytest.skip(nothing_to_compare)
    clean = zero_shot("clean")
    drops = {f: paired_drop(unchanged(a, clean), a.right) for f, a in factor_answers.items()}
    worst = max(drops, key=lambda f: drops[f])
    answers = factor_answers[worst]
    befores = [unchanged(a, clean) for a in factor_answers.values()]
    each = [a.right for a in factor_answers.values()]
    gate(
        clip_case.gate, None if clean.at_chance else drops[worst], n=len(answers.ids), reason=clean.at_chance,
        ci=largest_drop(befores, each, units=scenes_of(factor_answers), seed=seed_from(str(clip_case.gate))),
        per_image=of_all(factor_answers, "largest_group_drop", before=befores),
        conventions=answers.conventions | {"factor": worst, "at_least": ENOUGH},
    )  # fmt: skip
