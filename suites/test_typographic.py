"""Writing on pictures: does a note that says "dog" turn a car into a dog?

A note lies in the picture: with the name of a wrong class on it (`word`), with nothing (`blank`), or with a word of no class (`neutral`);
`none` is the same picture without a note. The drop is paired with the blank note, so that what the paper hides is no part of it.

A model whose training pictures held no writing cannot read, and passes for that reason alone. So reading is measured first: the word on an
otherwise empty note, found among at most 20 words. Where that is not surely above chance, what depends on reading is not measured.

On the embedded scenes the notes lie in the scene, behind what is nearer; on other data with classes they are stuck on its pictures. Data
that brings its own pictures with notes (SCAM, RTA-100) is judged by the protocol of SCAM (Westerhoff et al. 2025, arXiv 2504.04893): the
name of the object against the written word, each the normalised mean of text embeddings that are not normalised before; an image is right
where its cosine with the object is the larger. OpenAI's ViT-L/14 there: 0.99 without a note, 0.42 with one.
"""

import numpy as np
import pytest

from pytest_clip.extract.written import Written
from pytest_clip.gates.evidence import Answered, Counterexample, Counterexamples, Mistakes, Picture
from pytest_clip.metrics.factors import paired_drop
from pytest_clip.metrics.intervals import paired_difference, wilson
from pytest_clip.metrics.outcomes import Outcomes

pytestmark = pytest.mark.clip_suite("typographic")


@pytest.fixture(scope="session")
def written(clip_model, clip_data, clip_extraction):
    """`written("word")`: the answers to pictures with a wrong word on a note; `written.reading`: what was read on empty notes."""
    return Written(clip_model, clip_data, clip_extraction)


@pytest.fixture(scope="session")
def reads(written):
    """Skips what depends on reading where the model cannot read: it has nothing to fall for, and nobody may call that robust."""
    read = written.reading
    low, _ = wilson(int(read.right.sum()), len(read.right))
    if low > read.chance:
        return
    pytest.skip(
        f"the model cannot read: it finds {read.right.mean():.3f} of the words on empty notes, not surely above chance "
        f"({read.chance:.3f}); a written word can tell it nothing, so passing would say nothing"
    )


@pytest.fixture(scope="session")
def lost_before(written):
    """Why a drop would mean nothing: the pictures without a note are not recognised. None if they are."""
    bare = written("none")
    low, _ = wilson(int(bare.right.sum()), len(bare.right))
    if low > bare.chance:
        return None
    return f"none: accuracy {bare.right.mean():.3f} without a note is not above chance ({bare.chance:.3f}): nothing to lose"


def by_size(hits, sizes):
    """The share of hits by size of the note, where sizes are known: measured, no convention."""
    kinds = dict.fromkeys(sizes)
    return {"measured": {kind: round(float(hits[np.array(sizes) == kind].mean()), 6) for kind in kinds}} if kinds else {}


@pytest.fixture(scope="session")
def seen(clip_model, clip_data, clip_extraction, written):
    """For a report: `seen(KIND, ROW)`, a picture under a kind of note as the model saw it."""

    def of(kind, row):
        name, at, view = written.place(kind, row)
        return Picture(clip_extraction.seen(clip_model, clip_data, name, at, view=view))

    return of


@pytest.fixture(scope="session")
def turned(written, seen):
    """For a report: pictures of which the note changed the answer, before and after, the surest of the new one first."""

    def of(before, after, rows, of, what, wanted):
        one, two = written(before), written(after)
        shown = [
            Counterexample(two.ids[row], said(one, row), said(two, row), two.truths[row], seen(before, row), seen(after, row))
            for row in surest(two, rows)[: wanted.most]
        ]
        return Counterexamples(what, len(rows), of, shown) if shown else None

    return of


def surest(answers, rows):
    """`rows` by how sure the answers are, where that is known."""
    return sorted(rows, key=lambda row: (-answers.sure[row] if answers.sure else 0, answers.ids[row]))


def said(answers, row):
    """What a picture is taken for, and how surely."""
    return f"{answers.said[row]} {answers.sure[row]:.0%}" if answers.sure else answers.said[row]


@pytest.mark.clip_gate("typographic/reads_text")
def test_reads_text(gate, clip_case, written):
    """Share of empty notes whose word is found among at most 20 words."""
    read = written.reading
    gate.share(clip_case.gate, read.right, ids=read.ids, conventions=read.conventions)


@pytest.mark.clip_gate("typographic/accuracy")
def test_accuracy(gate, clip_case, written, seen, request):
    """Share of pictures whose thing is named, under each kind of note. Under a word, only of a model that reads."""
    if clip_case.slice in written.with_words:
        request.getfixturevalue("reads")
    answers = written(clip_case.slice)
    told = answers.conventions | by_size(answers.right, answers.sizes)

    def shown(wanted):
        rows = [] if wanted.green else surest(answers, np.flatnonzero(~answers.right).tolist())
        return mistaken(answers, rows[: wanted.most], lambda row: seen(clip_case.slice, row))

    gate.share(clip_case.gate, answers.right, ids=answers.ids, conventions=told, shows=shown)


def mistaken(answers, rows, seen):
    """For a report: these mistakes."""
    sure = answers.sure or [None] * len(answers.ids)
    shown = [Answered(answers.ids[row], answers.truths[row], answers.said[row], sure[row], seen(row)) for row in rows]
    return Mistakes(shown) if shown else None


@pytest.mark.clip_gate("typographic/drop")
@pytest.mark.usefixtures("reads")
def test_drop(gate, clip_case, written, lost_before, turned):
    """Accuracy lost when a word stands on the note, against the same note with nothing on it."""
    before, after = written(written.before), written(clip_case.slice)
    nothing, rows = lost_before, np.flatnonzero(before.right & ~after.right).tolist()
    what = f"pictures are right {'without a note' if written.two_way else 'with a blank note'} and wrong with a word"
    gate(
        clip_case.gate, None if nothing else paired_drop(before.right, after.right), n=len(after.right), reason=nothing,
        ci=None if nothing else paired_difference(before.right, after.right),
        per_image=Outcomes("drop", {"before": before.right, "correct": after.right}, after.ids),
        conventions=after.conventions | {"before": written.before},
        shows=lambda wanted: turned(written.before, clip_case.slice, rows, len(after.ids), what, wanted),
    )  # fmt: skip


@pytest.mark.clip_gate("typographic/attack_success")
@pytest.mark.usefixtures("reads")
def test_attack_success(gate, clip_case, written, lost_before, turned):
    """Of the pictures named rightly without a note, the share whose answer is the written word with it."""
    bare, after = written("none"), written(clip_case.slice)
    whole = bare.right
    fell = after.fell & whole
    nothing, rows = lost_before, np.flatnonzero(fell).tolist()
    what = "pictures that are right without a note are named as the note says"
    gate(
        clip_case.gate, None if nothing else fell.sum() / whole.sum(), n=int(whole.sum()) or len(whole), reason=nothing,
        ci=None if nothing else wilson(int(fell.sum()), int(whole.sum())),
        per_image=Outcomes("share", {"part": fell, "whole": whole}, after.ids),
        conventions=after.conventions | {"of": "right without a note"} | by_size(fell[whole], tuple(np.array(after.sizes)[whole])),
        shows=lambda wanted: turned("none", clip_case.slice, rows, int(whole.sum()), what, wanted),
    )  # fmt: skip
