"""Notes in scenes: which sets there are, where notes lie and what hides them, and that no other set knows of them."""

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_clip.data import load
from pytest_clip.data.scenes import load as loading
from pytest_clip.data.scenes.camera import HALF_WIDTH
from pytest_clip.data.scenes.notes.lie import find, seen
from pytest_clip.data.scenes.notes.note import STEEP, Note, Noted
from pytest_clip.data.scenes.notes.render import render as render_notes
from pytest_clip.data.scenes.render import render
from pytest_clip.data.scenes.sizes import NOTED_PER_CLASS, NOTES
from pytest_clip.data.scenes.vocabulary import CLASSES
from pytest_clip.data.scenes.written import WORDS, written_caption, written_lexicon
from pytest_clip.data.writing import NEUTRAL
from pytest_clip.views import lettering

N = NOTED_PER_CLASS * len(CLASSES)


@pytest.fixture(scope="module")
def data():
    return load("scenes")


def test_other_sets_do_not_know_of_notes() -> None:
    """Their fingerprints hash what they hashed before there were notes: all modules but those that choose, without the new ones."""
    root = Path(loading.__file__).parent
    new = {"noted.py", "written.py", "negations.py"}
    old = [p for p in root.rglob("*.py") if p.name not in {*loading.NO_PIXELS, *new} and not {"notes", "studio"} & set(p.parts)]
    digest = hashlib.sha256(f"{loading.VERSION} {loading.SIZE}".encode())
    for path in sorted(old):
        digest.update(path.read_bytes())
    assert loading.code_version() == digest.hexdigest()[:16]
    assert new <= set(loading.NO_PIXELS)
    assert loading.notes_version() not in (loading.code_version(), loading.studio_version())


def test_a_note_changes_the_fingerprint_of_its_set_alone(data, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("clean", "near", "studio", "note_word", "note_blank")
    roles = {each.name: each.role for each in data.sets}
    before = {name: loading.image_set(name, role=roles[name], limit=40).fingerprint for name in names}
    monkeypatch.setattr(loading, "notes_version", lambda: "other")
    after = {name: loading.image_set(name, role=roles[name], limit=40).fingerprint for name in names}
    assert [name for name in names if before[name] != after[name]] == ["note_word", "note_blank"]


def test_the_sets_show_the_same_scenes_and_notes_but_for_the_words(data) -> None:
    word, blank, neutral = (data.images(name) for name in NOTES)
    clean = data.images("clean")
    for images in (word, blank, neutral):
        assert (len(images), images.role, images.captions) == (N, "note", None)
        assert np.array_equal(images.pairs, word.pairs)
        assert [replace(each.note, words="") for each in images.noted] == [each.note for each in blank.noted]
        assert [each.scene for each in images.noted] == [clean.scenes[row] for row in word.pairs]
    assert np.bincount(word.labels).tolist() == [NOTED_PER_CLASS] * len(CLASSES)
    assert all(w != CLASSES[k] and w in CLASSES for w, k in zip(word.attributes["written"], word.labels, strict=True))
    assert set(neutral.attributes["written"]) <= set(NEUTRAL)
    assert not set(NEUTRAL) & {part for each in CLASSES for part in each.split()}
    assert set(word.attributes["written"]) == set(CLASSES)
    assert min(Counter(word.attributes["size"]).values()) == N // 3
    assert min(Counter(word.attributes["place"]).values()) >= 20
    for each in word.noted:
        assert each.note.place != "ground" or each.scene.elevation >= STEEP


def test_the_words_to_be_read_are_the_classes_in_turn(data) -> None:
    read = data.images("note_read")
    assert read.attributes["written"] == tuple(CLASSES[k] for k in read.labels)
    assert np.bincount(read.labels).tolist() == [NOTED_PER_CLASS] * len(CLASSES)
    assert {each.scene.cls for each in read.noted} == {"nothing"}


def test_a_limit_keeps_the_notes_whose_scene_is_left(data) -> None:
    some = load("scenes", limit=95)
    images = some.images("note_word")
    assert 0 < len(images) < N
    assert max(images.pairs) < 95
    assert set(images.ids) < set(data.images("note_word").ids)


@pytest.fixture(scope="module")
def found(data):
    """Every third note, its place, and what the scene's picture shows there."""
    some = data.images("note_word").noted[::3]
    frames = render([each.scene for each in some])
    depth, mask = frames.depth.numpy(), frames.mask.numpy()
    return [(each, *find(each, depth=depth[i], mask=mask[i]), depth[i], mask[i]) for i, each in enumerate(some)]


def test_notes_are_seen_whole_and_as_large_as_they_say(found) -> None:
    for each, place, behind, _, _ in found:
        share = lettering.area(lettering.corners(*place, half=HALF_WIDTH))
        assert share <= each.note.area * 1.001
        assert seen(place, behind) > 0.75, each
    kept = [lettering.area(lettering.corners(*place, half=HALF_WIDTH)) / each.note.area for each, place, _, _, _ in found]
    assert np.mean(np.isclose(kept, 1, rtol=1e-3)) > 0.8  # few need to be smaller to be seen


def test_an_object_hides_what_hangs_behind_it_and_nothing_hides_what_sticks_on_it(found) -> None:
    some = {place: [row for row in found if row[0].note.place == place] for place in ("wall", "object")}
    for each, place, _, _, mask in some["wall"][:6]:
        before, after = render([each.scene]).rgb[0].numpy(), render_notes([each])[0]
        assert np.array_equal(before[mask], after[mask])
        assert (before != after).any()
        assert np.allclose((place[0] + place[1])[2], place[0][2])  # a wall is parallel to the picture
    for each, _, _, _, mask in some["object"][:6]:
        before, after = render([each.scene]).rgb[0].numpy(), render_notes([each])[0]
        assert (before != after).any(-1)[mask].any()


def test_a_note_on_the_ground_lies_in_its_plane(found) -> None:
    from pytest_clip.data.scenes.camera import pose, view_rotation

    there = [row for row in found if row[0].note.place == "ground"]
    assert there
    for each, (centre, u, v), _, _, _ in there:
        up, middle = view_rotation(each.scene)[:, 1], pose(each.scene)[1]
        assert [float(up @ edge) for edge in (u, v)] == pytest.approx([0, 0], abs=1e-9)
        assert float(up @ (centre - middle)) == pytest.approx(-0.98)  # just above the ground, which is one unit below the object


def test_pictures_do_not_depend_on_their_company(data) -> None:
    some = data.images("note_word").noted[:5]
    together = render_notes(some)
    assert np.array_equal(together[3], render_notes([some[3]])[0])
    blank = render_notes([replace(each, note=replace(each.note, words="")) for each in some])
    changed = (together != blank).any(-1).mean((1, 2))
    assert ((changed > 0) & (changed < 0.1)).all()  # the letters


def test_a_sheet_seen_straight_on_is_the_sheet() -> None:
    """Oracle: corners by hand, mean of the colours of the paper where nothing is written."""
    centre, u, v = np.array([0.0, 0.0, -2.0]), np.array([0.5, 0, 0]), np.array([0, 0.25, 0])
    seen_at = lettering.corners(centre, u, v, half=0.5)
    assert seen_at.tolist() == [[-0.5, -0.25], [0.5, -0.25], [0.5, 0.25], [-0.5, 0.25]]
    assert lettering.area(seen_at) == pytest.approx(0.125)
    black = np.zeros((64, 64, 3), np.uint8)
    out = lettering.paste(black, "", look=("DejaVuSans", "white", "black"), place=(centre, u, v), half=0.5)
    assert np.argwhere(out.any(-1)).min(0).tolist() == [24, 16]
    assert np.argwhere(out.any(-1)).max(0).tolist() == [39, 47]
    assert out[30, 30].tolist() == [245, 245, 240]
    near = np.full((64, 64), 1.0, np.float32)
    hidden = lettering.paste(black, "", look=("DejaVuSans", "white", "black"), place=(centre, u, v), half=0.5, depth=near)
    assert not hidden.any()


@pytest.mark.parametrize("font", lettering.FONTS)
def test_words_fill_the_sheet_and_stay_on_it(font: str) -> None:
    for words in ("mug", "dumbbell", "great white shark", "a b", "Schäferhund"):
        ink = lettering.coverage(words, font)
        rows, cols = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
        assert 0 < rows[0] <= rows[-1] < lettering.HIGH - 1
        assert 0 < cols[0] <= cols[-1] < lettering.WIDE - 1
        wide, high = (cols[-1] - cols[0]) / lettering.WIDE, (rows[-1] - rows[0]) / lettering.HIGH
        assert wide > 0.75 or high > 0.4
    assert not lettering.coverage("", font).any()


def test_captions_name_what_is_written_and_stay_in_the_lexicon(data) -> None:
    g, lexicon = np.random.default_rng(0), set(" ".join(written_lexicon()).split())
    from pytest_clip.data.scenes.captions import lexicon as plain

    known = lexicon | set(" ".join(plain()).replace(".", "").split())
    for each in data.images("note_word").noted[:60]:
        text = written_caption(each, g)
        assert each.note.words in text
        assert set(text.replace(".", "").split()) <= known
    blank = Noted(each.scene, Note("", "object", 0.1, "DejaVuSans", "white", "black", 1))
    assert not any(word in written_caption(blank, g).split() for word in WORDS if word != each.scene.cls)
    empty = Noted(replace(each.scene, cls="nothing"), each.note)
    assert each.scene.cls not in written_caption(empty, g).replace(each.note.words, "")
