"""SCAM, RTA-100 and own data with notes: the known answer through the whole path, and the sentence for each wrong tree."""

import io
from pathlib import Path

import numpy as np
import open_clip  # noqa: F401 - cannot be imported twice, and inner runs forget what they import
import painted
import pytest
import torch

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load
from pytest_clip.views import notes
from pytest_clip.views.view import Facts

datasets = pytest.importorskip("datasets")

THINGS = ["thing 1", "thing 2", "thing 3", "thing 4"]
WORDS = ["word 5", "word 6", "word 5", "word 6"]
# What each picture shows: its thing, or what is written; the second and third of SCAM fall, the fourth of SynthSCAM.
SHOWN = {"NoSCAM": [1, 2, 3, 4], "SCAM": [1, 6, 5, 4], "SynthSCAM": [1, 2, 3, 6]}


def rows(**changes: dict) -> list[dict]:
    """The rows of a small SCAM; `changes` by id."""
    out = []
    for kind, shown in SHOWN.items():
        for k, number in enumerate(shown):
            row = {
                "image": {"bytes": painted.encoded(number, "PNG", (32, 32)), "path": None}, "type": kind, "object_label": THINGS[k],
                "attack_word": WORDS[k], "postit_area_pct": 1.5, "id": f"{kind}_img_{k + 1:04d}",
            }  # fmt: skip
            out.append(row | changes.get(row["id"], {}))
    return out


def scam(folder: Path, table: list[dict] | None = None) -> Path:
    made = datasets.Dataset.from_list(rows() if table is None else table).cast_column("image", datasets.Image())
    made.save_to_disk(str(folder))
    return folder


def rta(folder: Path) -> Path:
    for thing, word, shown in ((1, 2, 1), (2, 1, 1), (3, 2, 3)):
        painted.save(folder / f"label=thing {thing}_text=word {word}.png", shown)
    return folder


def test_scam_two_way_through_the_whole_path(tmp_path: Path, measure) -> None:
    got, result = measure(scam(tmp_path / "scam"), suites="typographic")
    assert {row["data"] for row in got.values()} == {"scam"}
    assert set(got) == {
        "typographic/reads_text", *(f"typographic/accuracy[{name}]" for name in ("none", "word", "printed")),
        *(f"typographic/{metric}[{name}]" for metric in ("drop", "attack_success") for name in ("word", "printed")),
    }  # fmt: skip
    assert got["typographic/accuracy[none]"]["value"] == 1.0, result.outlines
    # The painted model cannot read what is written on a note, only what colour it has.
    assert got["typographic/accuracy[word]"]["verdict"] == "not_measured"
    assert "cannot read" in got["typographic/drop[word]"]["reason"]
    told = got["typographic/accuracy[none]"]["conventions"]
    assert (told["protocol"], told["templates"]) == ("two-way: object against written word", 32)
    assert "normalised" in told["text_mean"]


def test_scam_rows_of_three_sets_show_the_same_objects_whatever_the_order(tmp_path: Path) -> None:
    table = rows()
    data = load(str(scam(tmp_path / "scam", [table[k] for k in (5, 2, 9, 0, 11, 7, 1, 4, 3, 10, 6, 8)])))
    sets = [data.images(name) for name in ("none", "word", "printed")]
    assert [each.ids for each in sets] == [("0001", "0002", "0003", "0004")] * 3
    assert [tuple(each.classes[k] for k in each.labels) for each in sets] == [tuple(THINGS)] * 3
    assert all(each.attributes["written"] == tuple(WORDS) for each in sets)
    assert len({each.fingerprint for each in sets}) == 3
    from PIL import Image

    seen = [Image.open(io.BytesIO(sets[1].read(row))).getpixel((3, 3)) for row in range(4)]
    assert seen == [painted.picture(number).getpixel((0, 0)) for number in SHOWN["SCAM"]]
    assert len(load(str(tmp_path / "scam"), limit=2).images("word")) == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows()[:-1], "object 0004 has no picture of type SynthSCAM, others have"),
        ([*rows(), rows()[0]], "a second picture NoSCAM_img_0001 of type NoSCAM"),
        (rows(SCAM_img_0002={"object_label": "thing 9"}), "object 0002 is called ['thing 2', 'thing 9']"),
        (rows(**{f"{kind}_img_0001": {"attack_word": "thing 1"} for kind in SHOWN}), "its word is ['thing 1']"),
        (rows(SCAM_img_0003={"type": "other"}), "the type 'other'"),
        (rows(SCAM_img_0003={"id": "x"}), "the id 'x'"),
    ],
)
def test_a_scam_that_is_not_whole_is_refused(tmp_path: Path, table: list[dict], said: str) -> None:
    scam(tmp_path / "scam", table)
    with pytest.raises(ClipError) as error:
        catalog.sets(str(tmp_path / "scam"))
    assert said in str(error.value)
    assert "save_to_disk('scam')" in str(error.value)


def test_scam_without_printed_notes_says_where_they_are(tmp_path: Path) -> None:
    found = catalog.sets(str(scam(tmp_path / "scam", rows()[:8])))
    assert [bool(each.absent) for each in found] == [False, False, True]
    assert "no pictures of type SynthSCAM" in found[2].absent
    [problem] = layouts.problems(layouts.find(str(tmp_path / "scam"))[0])
    assert (problem.level, "4 objects, SCAM has 1162" in problem.what) == ("warn", True)


def test_rta100_has_what_its_names_say(tmp_path: Path, measure) -> None:
    data = load(str(rta(tmp_path / "rta")))
    images = data.images("word")
    assert images.classes == ("thing 1", "thing 2", "thing 3")
    assert images.attributes["written"] == ("word 2", "word 1", "word 2")
    got, _ = measure(tmp_path / "rta", suites="typographic")
    # There are no pictures without a note to compare with.
    assert {gate for gate in got if "[" in gate or gate.endswith("reads_text")} == {"typographic/reads_text", "typographic/accuracy[word]"}


@pytest.mark.parametrize(("name", "said"), [("label=cup_text=cup.png", "both 'cup'"), ("other.png", "not called label=OBJECT_text=WORD")])
def test_a_wrong_name_in_rta100_is_refused(tmp_path: Path, name: str, said: str) -> None:
    painted.save(rta(tmp_path / "rta") / name, 1)
    with pytest.raises(ClipError, match=said):
        catalog.sets(str(tmp_path / "rta"))


class Patient(painted.Reader):
    """Sees the colour in the corner, where no small note lies; it knows a note by its paper and cannot read."""

    image_size = (64, 64)

    def preprocess(self, image):
        return torch.from_numpy(np.asarray(image.convert("RGB").resize((64, 64)), dtype=np.float32)).permute(2, 0, 1)

    def encode_image(self, images):
        return super().encode_image(images[:, :, :1, :1])


def own(root: Path, *, classes: int = 3, each: int = 4) -> Path:
    for number in range(1, classes + 1):
        for k in range(each):
            painted.save(root / "photos" / f"thing {number}" / f"{k}.png", number, (64, 48))
    return root / "photos"


def test_own_data_gets_notes(tmp_path: Path, measure, monkeypatch) -> None:
    monkeypatch.setattr(painted, "make", Patient)
    got, result = measure(own(tmp_path), suites="typographic")
    assert set(got) == {
        "typographic/reads_text", *(f"typographic/accuracy[{name}]" for name in ("none", "word", "blank", "neutral")),
        "typographic/drop[word]", "typographic/attack_success[word]",
    }  # fmt: skip
    for kind in ("none", "blank", "neutral"):
        row = got[f"typographic/accuracy[{kind}]"]
        assert (row["value"], row["n"]) == (1.0, 12), result.outlines
    assert got["typographic/reads_text"]["conventions"]["classes"] == 3
    assert got["typographic/drop[word]"]["verdict"] == "not_measured"


def test_data_without_classes_has_none_of_it(tmp_path: Path) -> None:
    from pytest_clip.gates.catalog import expand

    folder = tmp_path / "captions"
    folder.mkdir()
    painted.save(folder / "1.png", 1)
    (folder / "manifest.csv").write_text("file,caption\n1.png,a thing\n")
    assert expand("typographic/reads_text", catalog.sets(str(folder))) == []


def test_notes_of_one_picture_differ_in_their_word_only_and_never_by_batch() -> None:
    pictures = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (5, 3, 60, 64), dtype=np.uint8))
    ids = tuple(f"id {k}" for k in range(5))
    seen = {
        kind: notes.view(kind, dict.fromkeys(ids, word)).apply(pictures, Facts(ids))
        for kind, word in {"word": "mug", "blank": "", "neutral": "hello"}.items()
    }
    paper = [(each != pictures).any(1) for each in seen.values()]
    for k in range(5):
        low, high = notes.SIZES[notes.size_of(ids[k])]
        share = float(paper[0][k].float().mean()) * 64 / 60  # of the square in the middle
        assert 0.6 * low < share < 1.6 * high + 0.03
        assert float((paper[0][k] ^ paper[1][k]).float().mean()) < 0.01  # pixels that happen to have the colour of the paper
    assert not torch.equal(seen["word"], seen["blank"])
    alone = notes.view("word", {"id 3": "mug"}).apply(pictures[3:4], Facts(("id 3",)))
    assert torch.equal(alone[0], seen["word"][3])
    view = notes.view("word", {"a": "mug"})
    assert view.key != notes.view("word", {"a": "dog"}).key
    assert view.key != notes.view("word", {"a": "mug"}, empty=True).key
