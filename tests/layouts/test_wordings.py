"""SugarCrepe++ and NegBench: the known answer through the whole path, and the sentence for each wrong tree."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load
from pytest_clip.data.layouts import negbench, sugarcrepepp

TRIPLES = {  # picture, two true captions, a false one; a.jpg shows 1, b.jpg 2
    "replace_obj": [
        ("a.jpg", "it is 1", "a 1", "it is 2"),
        ("b.jpg", "it is 2", "a 1", "it is 3"),
        ("b.jpg", "it is 2\n", "a 2", "it is 5"),
    ],
    "swap_obj": [("a.jpg", "it is 1", "a 1", "it is 1"), ("b.jpg", "it is 2", "two: 2", "it is 1")],
    "replace_rel": [("a.jpg", "it is 2", "a 1", "it is 1")],
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    for each in (sugarcrepepp._rows, negbench._questions, negbench._told):
        each.cache_clear()


def sugarcrepepp_tree(root: Path) -> Path:
    (root / "data").mkdir(parents=True)
    for kind, rows in TRIPLES.items():
        told = [{"id": i, **dict(zip(sugarcrepepp.FIELDS, row, strict=True))} for i, row in enumerate(rows)]
        (root / "data" / f"{kind}.json").write_text(json.dumps(told, indent=1))
    for name, number in (("a.jpg", 1), ("b.jpg", 2)):
        painted.save(root / "data" / "val2017" / name, number)
    return root


def test_sugarcrepepp_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(sugarcrepepp_tree(tmp_path / "x"), suites="retrieval")
    of = {kind: rows[f"retrieval/paraphrase[{kind}]"] for kind in TRIPLES}
    # a second caption that scores no higher than the false one; a false caption that is the true one: nobody is right
    assert {kind: (row["value"], row["n"]) for kind, row in of.items()} == {
        "replace_obj": (2 / 3, 3),
        "swap_obj": (1 / 2, 2),
        "replace_rel": (0, 1),
    }, result.outlines
    assert of["swap_obj"]["data"] == "sugarcrepepp"
    assert [of[kind]["conventions"]["unanswerable"] for kind in TRIPLES] == [0, 1, 0]
    assert of["swap_obj"]["conventions"]["chance"] == pytest.approx(1 / 3, abs=1e-6)
    # without the picture: two wordings of one thing that the false caption does not name
    assert [of[kind]["conventions"]["measured"]["text_only"] for kind in TRIPLES] == [pytest.approx(2 / 3, abs=1e-6), 0.5, 0]
    assert "retrieval/compositionality[swap_obj]" not in rows
    assert "more than once" not in "".join(result.outlines)  # b.jpg is asked about twice
    absent = [each.absent for each in catalog.sets(str(tmp_path / "x")) if each.name == "swap_att"]
    assert "swap_att.json is missing or names no second caption; get it from https://github.com/Sri-Harsha/scpp (CC BY 4.0" in absent[0]
    (found,) = layouts.find(str(tmp_path / "x"))
    said = layouts.problems(found)
    assert any("swap_obj.json: 2 rows, SugarCrepe++ has 245" in each.what for each in said)
    assert any("1 rows have a true caption for their false one (id 0); they count as wrong" in each.what for each in said)


def test_sugarcrepe_beside_it_keeps_its_own_files(tmp_path: Path) -> None:
    sugarcrepepp_tree(tmp_path / "a-scpp")
    (tmp_path / "sugar").mkdir()
    for kind in ("replace_obj", "swap_att", "add_obj"):
        row = {"filename": "a.jpg", "caption": "1", "negative_caption": "2"}
        (tmp_path / "sugar" / f"{kind}.json").write_text(json.dumps({"0": row}))
    painted.save(tmp_path / "sugar" / "val2017" / "a.jpg", 1)
    assert {each.name: each.folder for each in layouts.find(str(tmp_path))} == {
        "sugarcrepepp": tmp_path / "a-scpp" / "data",
        "sugarcrepe": tmp_path / "sugar",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"negative_caption"', '"negative"', r"replace_rel\.json: row 0 lacks 'negative_caption'; fetch the file again from https"),
        ('"it is 2"', '" "', r"replace_rel\.json: row 0 has an empty caption"),
        ('"a.jpg"', '"../a.jpg"', r"replace_rel\.json: its first picture \.\./a\.jpg is in none of|points out of"),
        ('"a.jpg"', '"c.jpg"', r"first picture c\.jpg is in none of .*val2017.*; get COCO's val2017 from https://cocodataset"),
        ("[", "{", r"replace_rel\.json:\d+: no JSON"),
    ],
)
def test_wrong_sugarcrepepp_files(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = sugarcrepepp_tree(tmp_path / "x") / "data" / "replace_rel.json"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(tmp_path / "x"))


COLUMNS = ("image_path", "correct_answer", "caption_0", "caption_1", "caption_2", "caption_3", "correct_answer_template")
COCO = [  # 1.jpg shows 1, 2.jpg shows 2; the Reader takes the last number of a text, whatever else it says
    ("/home/of/another/val2017/1.jpg", 0, "this is 1", "no 1 but 2", "it is 3", "no 4", "positive"),
    ("/home/of/another/val2017/2.jpg", 0, "there is no 3", "no 4 but 5", "this is 2", "no 6", "negative"),
    ("/home/of/another/val2017/2.jpg", 0, "no 1 but 2", "3, no 2", "it is 5", "no 7", "hybrid"),  # a tie: wrong
    ("/home/of/another/val2017/1.jpg", 0, "no 1, but 7", "7", "8", "no 1", "hybrid"),
]
SYNTHETIC = [
    ("s/7.jpg", 2, "it is 9", "no 7 but 9", "no 9 but 7", "no 8", "hybrid"),
    ("s/7.jpg", 3, "it is 7", "8", "9", "no 9", "negative"),
]
LISTS = {
    "plain": [("v/1.jpg", 101, "['a 1', \"one's 1\"]"), ("v/2.jpg", 102, "['a 2']"), ("v/9.jpg", 109, "['in one file only, 9']")],
    "negated": [("v/2.jpg", 102, "['a 2 and no 1']"), ("v/1.jpg", 101, "['no 2 but a 1', 'a thing, no 2']")],
}


def write(path: Path, columns: tuple[str, ...], rows: list[tuple]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def negbench_tree(root: Path) -> Path:
    folder = root / "images"
    folder.mkdir(parents=True)
    write(folder / negbench.QUESTIONS["coco"], COLUMNS, COCO)
    write(folder / negbench.QUESTIONS["synthetic"], COLUMNS, SYNTHETIC)
    for key, name in (("plain", negbench.PLAIN), ("negated", negbench.NEGATED)):
        write(folder / name, ("filepath", "image_id", "captions"), LISTS[key])
    for number in (1, 2):
        painted.save(root / "val2017" / f"{number}.jpg", number)
    painted.save(root / "s" / "7.jpg", 7)
    return root


def test_negbench_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(negbench_tree(tmp_path / "x"), suites="retrieval")
    of = {gate.split("[")[1][:-1]: row for gate, row in rows.items() if gate.startswith("retrieval/negation_accuracy[")}
    assert {name: (row["value"], row["n"]) for name, row in of.items()} == {
        "coco": (1 / 4, 4), "coco_positive": (1, 1), "coco_negative": (0, 1), "coco_hybrid": (0, 2),
        "synthetic": (1 / 2, 2), "synthetic_negative": (0, 1), "synthetic_hybrid": (1, 1),
    }, result.outlines  # fmt: skip
    wrong = {kind: rows[f"retrieval/negation_wrong_{kind}[coco]"]["value"] for kind in negbench.TYPES}
    assert wrong == {"positive": 1 / 4, "negative": 1 / 4, "hybrid": 1 / 4}  # by their places
    assert rows["retrieval/negation_wrong_positive[synthetic]"]["value"] == 1 / 2
    drop = rows["retrieval/negated_recall_drop[coco_retrieval]"]
    assert (drop["data"], drop["n"]) == ("negbench", 2)
    absent = [each.name for each in catalog.sets(str(tmp_path / "x")) if each.absent]
    assert absent == ["voc2007"]  # files of videos, of CheXpert and of made pictures are spoken of where one of them lies


def test_negbench_pairs_captions_by_image_id_and_reads_literals_only(tmp_path: Path) -> None:
    images = load(str(negbench_tree(tmp_path / "x"))).images("coco_retrieval")
    assert images.ids == ("1.jpg", "2.jpg")
    assert images.all_captions == (("a 1", "one's 1"), ("a 2",))
    assert images.negated == (("no 2 but a 1", "a thing, no 2"), ("a 2 and no 1",))
    part = load(str(tmp_path / "x"), limit=2).images("coco_negative")
    assert (part.ids, part.within, part.at.tolist() if part.at is not None else None) == (("1/2.jpg",), "coco", [1])


XRAYS = [  # two captions, no types; every picture is called view1_frontal.jpg
    ("~/projects/CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg", "no 1", "it is 1", 1),
    ("~/projects/CheXpert-v1.0/valid/patient64542/study1/view1_frontal.jpg", "it is 2", "it is 1", 0),
    ("~/projects/CheXpert-v1.0/valid/patient64542/study1/view1_frontal.jpg", "no 4", "no 2", 0),
]


def chexpert_tree(root: Path) -> Path:
    (root / "images").mkdir(parents=True)
    for name in negbench.TWO.values():
        write(root / "images" / name, ("image_path", "caption_0", "caption_1", "correct_answer"), XRAYS)
    for patient, number in (("patient64541", 1), ("patient64542", 2)):
        painted.save(root / "CheXpert-v1.0" / "valid" / patient / "study1" / "view1_frontal.jpg", number)
    return root


def test_chexpert_asks_between_two_captions_and_says_no_types(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(chexpert_tree(tmp_path / "x"), suites="retrieval")
    row = rows["retrieval/negation_accuracy[chexpert]"]
    assert (row["value"], row["n"], row["conventions"]["chance"]) == (1 / 3, 3, 0.5), result.outlines  # the Reader reads over the 'no'
    assert "retrieval/negation_accuracy[chexpert_control]" in rows
    assert "retrieval/negation_accuracy[chexpert_negative]" not in rows
    wrong = rows["retrieval/negation_wrong_negative[chexpert]"]
    assert (wrong["verdict"], wrong["value"]) == ("not_measured", None)
    assert "does not say which of its captions affirm and which deny" in wrong["reason"]
    images = load(str(tmp_path / "x")).images("chexpert")
    assert [path.parts[-3] for path in images.files or ()] == ["patient64541", "patient64542", "patient64542"]
    assert len(set(images.ids)) == 3


def videos_tree(root: Path, suffix: str) -> Path:
    """MSR-VTT's three files as published, in `videos` beside `images`."""
    for folder in ("images", "videos"):
        (root / folder).mkdir(parents=True)
    write(root / "images" / negbench.QUESTIONS["coco"], COLUMNS, COCO[:1])
    painted.save(root / "val2017" / "1.jpg", 1)
    row = (f"/home/of/another/TestVideo/video7010{suffix}", 0, "this is 7", "no 7 but 2", "it is 3", "no 4", "positive")
    write(root / "videos" / negbench.QUESTIONS["msrvtt"], COLUMNS, [row])
    for name, text in zip(negbench.RETRIEVAL["msrvtt_retrieval"], ("['a 7']", "['a 7 and no 1']"), strict=True):
        write(root / "videos" / name, ("filepath", "image_id", "captions"), [(f"/another/video7010{suffix}", 7010, text)])
    return root


def test_files_that_name_videos_are_refused_in_one_sentence(tmp_path: Path, measure: Callable) -> None:
    rows, _ = measure(videos_tree(tmp_path / "x", ".mp4"), suites="retrieval")
    assert not any("msrvtt" in gate for gate in rows)
    assert rows["retrieval/negation_accuracy[coco]"]["value"] == 1  # the pictures beside them are measured
    absent = {each.name: each.absent for each in catalog.sets(str(tmp_path / "x")) if each.absent}
    told = "is about videos (video7010.mp4), and only pictures are read; to ask about a frame of each, put its path"
    for name, column in (("msrvtt", "image_path"), ("msrvtt_retrieval", "filepath")):
        assert f"{told} in the place of the video's in {column}" in absent[name]


def test_files_that_name_frames_are_read_as_pictures(tmp_path: Path, measure: Callable) -> None:
    painted.save(videos_tree(tmp_path / "x", ".jpg") / "videos" / "TestVideo" / "video7010.jpg", 7)
    painted.save(tmp_path / "x" / "videos" / "video7010.jpg", 7)
    rows, result = measure(tmp_path / "x", suites="retrieval")
    assert rows["retrieval/negation_accuracy[msrvtt]"]["value"] == 1, result.outlines
    assert rows["retrieval/negation_accuracy[msrvtt_positive]"]["n"] == 1
    alone = rows["retrieval/negated_recall_drop[msrvtt_retrieval]"]
    assert (alone["n"], alone["verdict"]) == (1, "not_measured")  # every caption finds the only picture
    assert "recall at 5 of plain captions is not above chance (1.000)" in alone["reason"]


def test_made_pictures_have_a_retrieval_of_their_own_and_need_both_files(tmp_path: Path) -> None:
    root = negbench_tree(tmp_path / "x")
    plain, negated = negbench.RETRIEVAL["synthetic_retrieval"]
    write(root / "images" / plain, ("filepath", "captions"), [("s/7.jpg", "['a 7']"), ("s/8.jpg", "['an 8']")])
    (absent,) = [each.absent for each in catalog.sets(str(root)) if each.name == "synthetic_retrieval"]
    assert "has no synthetic_retrieval_v2.csv; get it from https://github.com/m1k2zoo/negbench" in absent
    write(root / "images" / negated, ("filepath", "captions"), [("s/7.jpg", "['a 7 and no 1', 'no 2, a 7']")])
    images = load(str(root)).images("synthetic_retrieval")  # without an image_id they belong together by path
    assert (images.all_captions, images.negated) == ((("a 7",),), (("a 7 and no 1", "no 2, a 7"),))


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("chexpert", ",1\r\n", ",2\r\n", r"chexpert_binary_mcq\.csv:2: correct_answer '2' is none of 0 to 1; fetch it again"),
        ("chexpert", "caption_1", "caption_one", r"chexpert_binary_mcq\.csv:1: no column caption_1; NegBench's has image_path"),
        (
            "coco",
            "positive",
            "affirming",
            r"COCO_val_mcq.*\.csv:2: correct_answer_template 'affirming' is none of positive, negative, hybrid",
        ),
        (
            "coco",
            "1.jpg,0",
            "1.jpg,1",
            r"COCO_val_mcq.*\.csv:2: correct_answer is 1, and in the published file the first caption is always",
        ),
    ],
)
def test_wrong_negbench_files(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    root = chexpert_tree(tmp_path / "x") if file == "chexpert" else negbench_tree(tmp_path / "x")
    path = root / "images" / negbench.QUESTIONS[file]
    path.write_text(path.read_bytes().decode().replace(old, new, 1), newline="")
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(root))


def test_a_model_that_reads_the_no_answers_all(tmp_path: Path, measure: Callable) -> None:
    """Broken and healthy: the first takes what is denied for what is there."""
    fair = [
        ("v/1.jpg", 0, "a 1 and a 2", "a 1 and no 2", "a 1 and a 3", "no 1", "positive"),
        ("v/1.jpg", 0, "there is no 3", "a 1 and no 2", "a 2 and a 3", "no 2", "negative"),
        ("v/1.jpg", 0, "a 1 and no 3", "a 3 and no 1", "a 4 and a 5", "no 1", "hybrid"),
    ]
    root = tmp_path / "x"
    root.mkdir()
    write(root / negbench.QUESTIONS["coco"], COLUMNS, fair)
    painted.save(root / "val2017" / "1.jpg", 1 + 16 * 2)  # shows both
    rules = "schema = 1\n[gates.'retrieval/negation_accuracy']\nmin = 0.9\nwhy = 'x'\n"
    for model, value, verdict in (("logical", 1.0, "pass"), ("blind", 0.0, "fail")):
        rows, result = measure(root, suites="retrieval", model=model, rules=rules)
        row = rows["retrieval/negation_accuracy[coco]"]
        assert (row["value"], row["verdict"]) == (pytest.approx(value), verdict), result.outlines
