"""Questions with options: ImageNet-D's files, MMVP, own tables; the sentence for each wrong row."""

import json
from pathlib import Path

import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import layouts, load
from pytest_clip.data.layouts import choices

HEAD = "image_dir\tgt_category\ttop1_pred_cate\ttop2_pred_cate\n"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    choices._read.cache_clear()


def imagenet_d(root: Path, rows: str) -> Path:
    for name in ("a.png", "b.png"):
        picture(root / "ImageNet-D" / "background" / "mug" / name)
    listed = root / "ImageNet-D" / "questions" / "background.csv"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text(HEAD + rows)
    return root / "ImageNet-D" / "questions"


def test_imagenet_d_asks_for_the_failure_category(tmp_path: Path) -> None:
    """The first model's answer where that is wrong, else its second one."""
    root = imagenet_d(tmp_path, "background/mug/a.png\tmug\tmug\tcan opener\nbackground/mug/b.png\tmug\tdog\tmug\n")
    [found] = layouts.find(str(root))
    assert [each.layout for each in layouts.find(str(root.parent))] == ["imagenet"]  # its pictures, asked about this CLIP's failures
    assert found.name == "imagenet-d"
    images = layouts.layout("choices").image_set(found, "background", limit=None)
    assert [json.loads(each) for each in images.attributes["options"]] == [["mug", "can opener"], ["mug", "dog"]]
    assert set(images.attributes["answer"]) == {"0"}
    assert images.attributes["question"][0] == "What is the main object in this image?"
    assert images.files is not None
    assert images.files[0].name == "a.png"
    assert layouts.layout("choices").facts(found)["licence"] == "MIT"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("background/mug/a.png\tmug\tmug\tmug\n", r"background\.csv:2: the failure category is the right one \('mug'\)"),
        ("background/mug/a.png\tmug\tdog\n", r"background\.csv:2: 3 cells under 4 columns"),
        ("", r"background\.csv: holds no question"),
        ("background/mug/a.png\tmug\tdog\tcat\nbackground/mug/z.png\tmug\tdog\tcat\n", "1 of 2 pictures are not in"),
        ("../x.png\tmug\tdog\tcat\n", "its first picture ../x.png is in none of"),
    ],
)
def test_wrong_question_files_of_imagenet_d(tmp_path: Path, rows: str, told: str) -> None:
    root = imagenet_d(tmp_path, rows)
    found = next(each for each in choices.detect(root))
    with pytest.raises(ClipError, match=told):
        layouts.layout("choices").sets(found)


def test_mmvp_has_questions_and_pairs(tmp_path: Path) -> None:
    """One of the published files spells the first column lndex."""
    for k in (1, 2, 3, 4):
        picture(tmp_path / "MMVP Images" / f"{k}.jpg")
    text = "lndex,Question,Options,Correct Answer\n"
    text += "".join(f'{k},"Is it open, or shut?",(a) Open (b) Shut,({"ab"[k % 2]})\n' for k in (1, 2, 3, 4))
    (tmp_path / "Questions.csv").write_text(text)
    data = load(str(tmp_path))
    assert [(each.name, each.role, each.n) for each in data.sets] == [("mmvp", "choice", 4), ("pairs", "choice", 4)]
    images = data.images("pairs")
    assert images.worst_of == ((0, 1), (2, 3))
    assert images.attributes["answer"] == ("1", "0", "1", "0")
    assert images.attributes["options"][0] == '["Open", "Shut"]'
    assert len(load(str(tmp_path), limit=3).images("mmvp")) == 2
    (tmp_path / "Questions.csv").write_text("\n".join(text.splitlines()[:4]) + "\n")
    choices._read.cache_clear()
    with pytest.raises(ClipError, match="3 questions, and two of one number belong together"):
        layouts.layout("choices").sets(layouts.find(str(tmp_path))[0])


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("questions.csv", "image,question,options,answer\na.png,What?,a|b,b\n"),
        ("questions.tsv", 'image\tquestion\toptions\tanswer\na.png\tWhat?\t["a", "b"]\t(B)\n'),
        ("choices.jsonl", '{"image": "a.png", "question": "What?", "options": ["a", "b"], "answer": "b"}\n'),
    ],
)
def test_own_tables(tmp_path: Path, name: str, row: str) -> None:
    picture(tmp_path / "own" / "a.png")
    (tmp_path / "own" / name).write_text(row)
    data = load(str(tmp_path / "own"))
    assert [(each.name, each.n) for each in data.sets] == [(Path(name).stem, 1)]
    images = data.images(Path(name).stem)
    assert (images.attributes["options"], images.attributes["answer"]) == (('["a", "b"]',), ("1",))
    again = load(str(tmp_path / "own")).images(Path(name).stem)
    assert images.fingerprint == again.fingerprint


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.png,What?,a,a", r"questions\.csv:2: the options are 'a'; write two or more different ones, as a\|b\|c"),
        ("a.png,What?,a|a,a", "the options are 'a', 'a'; write two or more"),
        ("a.png,What?,a|b,c", "the answer 'c' is none of the options 'a', 'b'; write one of them, or its letter"),
        (",What?,a|b,a", "no image; write one"),
        ("a.png,,a|b,a", "no question; write one"),
        ('a.png,What?,"[a, b]",a', "is no JSON list; write options as"),
    ],
)
def test_wrong_rows_of_own_tables(tmp_path: Path, row: str, told: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "questions.csv").write_text(f"image,question,options,answer\n{row}\n")
    with pytest.raises(ClipError, match=told):
        layouts.layout("choices").sets(layouts.find(str(tmp_path))[0])
