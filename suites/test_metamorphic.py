"""Metamorphic properties: changes that leave the content alone must leave the answer alone. No label is needed.

*Agreement* under small changes of the picture: mirrored, moved by 1/32 of its size, turned by 5 degrees, a tenth lighter or darker, a tenth
more or less contrast, JPEG of quality 90. *Invariance* to what is no change of the question at all: capitals and spaces in the class
prompts, the order of the classes, the company in the batch. An undecided model (two classes share the highest score) agrees with nothing.

*Smallest break*: hypothesis looks for the smallest strength that changes more than 10 % of the predictions, on its grid of whole steps.
The pictures whose answer changed there are kept, before beside after, in the folder `flips` of the cache.
"""

from functools import partial

import numpy as np
import pytest

from pytest_clip.extract import found as kept
from pytest_clip.extract.examples import answer, surest, truth
from pytest_clip.gates.evidence import Counterexample, Counterexamples, Picture
from pytest_clip.metrics.agreement import agree, predictions
from pytest_clip.metrics.breaking import smallest_break
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.report import flips
from pytest_clip.views.changes import CHANGES

pytestmark = pytest.mark.clip_suite("metamorphic")

IMAGES = 190
"""Clean images that agreement is measured on."""
SEARCHED = 95
"""Clean images that a search looks at, once a step."""
TOLERATED = 0.1
"""Share of the predictions that may change before a property counts as broken."""
BATCH = 7
"""Images in each batch of the shuffled pass: no divisor of IMAGES, so the last batch is smaller."""


@pytest.mark.clip_gate("metamorphic/agreement")
def test_agreement(gate, clip_case, zero_shot, counterexamples):
    """Share of images that keep their prediction under a change too small to matter."""
    change = CHANGES[clip_case.slice]
    before, after = zero_shot("clean", first=IMAGES), zero_shot("clean", first=IMAGES, view=change.view(change.small))
    same = agree(predictions(before.cosines), predictions(after.cosines))
    told = before.conventions | {"strength": change.strength(change.small), "unit": change.unit}
    gate.share(
        clip_case.gate, same, before, outcome="same", conventions=told, reason=before.at_chance,
        shows=lambda wanted: counterexamples(change, change.small, before, after, wanted),
    )  # fmt: skip


@pytest.fixture(scope="session")
def counterexamples(clip_model, clip_data, clip_extraction):
    """For a report: images whose answer changed under a view, before and after, those first that are surest of the new answer."""

    def of(change, steps, before, after, wanted):
        view = change.view(steps)
        changed = np.flatnonzero(~agree(predictions(before.cosines), predictions(after.cosines))).tolist()
        images = []
        for row in surest(after, changed)[: wanted.most]:
            was, now = (said(each, row) for each in (before, after))
            pictures = (Picture(clip_extraction.seen(clip_model, clip_data, "clean", row, view=v)) for v in (None, view))
            images.append(Counterexample(before.ids[row], was, now, truth(before, row), *pictures))
        told = f"images are answered otherwise after {change.name} {change.strength(steps):g} ({change.unit})"
        return Counterexamples(told, len(changed), len(before.ids), images) if images else None

    return of


def said(answers, row):
    """The answer to an image with its confidence, where it has one."""
    name, sure = answer(answers, row)
    return f"{name} {sure:.0%}" if predictions(answers.cosines[[row]])[0] >= 0 else "undecided"


@pytest.fixture(scope="session")
def found(clip_model, clip_data, clip_extraction):
    """`found(WHAT, make)`: what `make` finds out, in plain JSON, or found out before."""
    return partial(kept.found, clip_extraction.cache, clip_model, clip_data)


@pytest.fixture
def embeddings(clip_model, clip_data, clip_extraction):
    """Embeddings of the first clean images."""
    return clip_extraction.embeddings(clip_model, clip_data, "clean", first=IMAGES).astype(np.float64)


@pytest.fixture
def in_other_company(clip_model, clip_data, clip_extraction, embeddings):
    """The same embeddings, from batches of BATCH images in random order, when called."""

    def asked():
        pictures = clip_extraction.batch(clip_model, clip_data, "clean", first=IMAGES)
        out, rows = np.empty_like(embeddings), np.random.default_rng(0).permutation(len(embeddings))
        for some in np.split(rows, range(BATCH, len(rows), BATCH)):
            out[some] = clip_extraction.ask(clip_model, pictures[some.tolist()])
        return out

    return asked


@pytest.mark.clip_gate("metamorphic/invariance")
def test_invariance(gate, clip_case, clip_model, clip_data, clip_extraction, embeddings, in_other_company, found):
    """Share of images that keep their prediction when nothing has changed but spelling, order or company; one prompt a class."""
    texts = [clip_data.templates[0].replace("{c}", name) for name in clip_data.classes]
    for things, what in {"class_order": [(texts, "class")], "batch": [(embeddings, "clean image")]}.get(clip_case.slice, ()):
        if len(things) < 2:
            pytest.skip(f"{len(things)} {what}: there is no other order or company to try; it takes two")

    def answers(prompts, images=embeddings):
        return predictions(images @ clip_extraction.ask(clip_model, prompts).astype(np.float64).T)

    def both():
        if clip_case.slice == "caption_case":
            after = answers([text.upper() for text in texts])
        elif clip_case.slice == "caption_space":
            after = answers([f" {text} ".replace(" ", "  ") for text in texts])
        elif clip_case.slice == "class_order":
            order = np.random.default_rng(0).permutation(len(texts))
            places = answers([texts[k] for k in order])
            after = np.where(places < 0, places, order[places])
        else:
            after = answers(texts, in_other_company())
        return answers(texts).tolist(), after.tolist()

    before, after = map(np.array, found(f"invariance {clip_case.slice}", both))
    same = agree(before, after)

    def shown(wanted):
        names, rows = (*clip_data.classes, "undecided"), np.flatnonzero(~same)[: wanted.most].tolist()
        images = [
            Counterexample(
                ids[row], names[before[row]], names[after[row]], before=Picture(clip_extraction.picture(clip_data, "clean", row))
            )
            for row in rows
        ]
        what = f"images are answered otherwise under {clip_case.slice}"
        return Counterexamples(what, int((~same).sum()), len(same), images) if images else None

    ids = clip_data.images("clean").ids[: len(same)]
    told = {"prompt": clip_data.templates[0]} | ({"batch": BATCH} if clip_case.slice == "batch" else {})
    gate.share(clip_case.gate, same, outcome="same", ids=ids, conventions=told, shows=shown)


@pytest.mark.clip_gate("metamorphic/smallest_break")
def test_smallest_break(gate, clip_case, zero_shot, found, keep_flips, counterexamples):
    """The smallest strength of a change that changes more than 10 % of the predictions; the end of the search where none does."""
    change, before = CHANGES[clip_case.slice], zero_shot("clean", first=SEARCHED)

    def after(steps):
        return zero_shot("clean", first=SEARCHED, view=change.view(steps))

    def searched():
        changed = {}

        def flipped(steps):
            if steps not in changed:
                changed[steps] = ~agree(predictions(before.cosines), predictions(after(steps).cosines))
            return changed[steps]

        broken = smallest_break(lambda steps: flipped(steps).mean() > TOLERATED, steps=change.steps)
        return broken, flipped(broken or change.steps).tolist()

    broken, flipped = (None, []) if before.at_chance else found(f"smallest break {clip_case.slice}", searched)
    at, flipped = broken or change.steps, np.array(flipped, dtype=bool)
    if broken:
        keep_flips(change.view(at), flipped)
    gate(
        clip_case.gate, None if before.at_chance else change.strength(at), n=len(before.ids), reason=before.at_chance,
        per_image=None if before.at_chance else Outcomes(None, {"flipped": flipped}, before.ids),
        conventions=before.conventions | {
            "unit": change.unit, "step": change.step, "until": change.strength(change.steps), "tolerated": TOLERATED,
            "broken": bool(broken),
        },
        shows=lambda wanted: counterexamples(change, at, before, after(at), wanted),
    )  # fmt: skip


@pytest.fixture
def keep_flips(request, clip_model, clip_data, clip_extraction, zero_shot):
    """Store every picture whose prediction changed, before beside after, and what the predictions were."""

    def keep(view, flipped):
        rows, names = np.flatnonzero(flipped).tolist(), (*clip_data.classes, "undecided")
        answers = [zero_shot("clean", first=SEARCHED, view=v) for v in (None, view)]
        was, now = ([names[k] for k in predictions(a.cosines)[rows]] for a in answers)
        told = [{"id": answers[0].ids[i], "before": a, "after": b} for i, a, b in zip(rows, was, now, strict=True)]
        folder = clip_extraction.cache / "flips" / clip_model.fingerprint / clip_data.name / view.name
        if not flips.there(folder, told):
            if not (hasattr(clip_model, "resize") and hasattr(clip_model, "normalize")):
                return  # a project's own model may not say what it sees
            pictures = [clip_extraction.pictures(clip_model, clip_data, "clean", first=SEARCHED, view=v)[rows] for v in (None, view)]
            flips.keep(folder, *pictures, told)
        request.node.user_properties.append(("clip.flips", str(folder)))  # record_property warns under junit_family=xunit2
        print(f"{view.name} is the smallest that changes over {TOLERATED:.0%} of predictions, {len(rows)} of {len(flipped)}: {folder}")

    return keep
