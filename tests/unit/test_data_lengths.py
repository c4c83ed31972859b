"""Texts that are cut: counted and said, and refused where classes differ behind the cut alone."""

from pathlib import Path

import pytest
from open_clip import tokenizer

from pytest_clip import ClipError
from pytest_clip.data import content, doctor, lengths, load
from pytest_clip.data.layouts import owntable

LONG = "a very long story about many small things that lie around on an old wooden table " * 5


def pets(root: Path, *names: str) -> str:
    (root / "classnames.txt").write_text("\n".join(names) + "\n")
    for k in range(len(names)):
        (root / str(k)).mkdir(exist_ok=True)
        (root / str(k) / "1.jpg").write_bytes(b"%d" % k)
    return str(root)


def told(text: str) -> list[str]:
    data = load(text)
    data.images("clean")
    return [each.what for each in doctor.of_content(data)]


def test_names_that_differ_behind_the_cut_are_refused_by_run_and_doctor(tmp_path: Path) -> None:
    text = pets(tmp_path, f"{LONG} seen by day", f"{LONG} seen by night", "a cat")
    says = (
        r"2 of 3 prompts have more than 77 of CLIP's tokens, and what is behind them is not read: the classes 'a very long .* and 'a very "
    )
    with pytest.raises(ClipError, match=says + r".* are the same up to there, and no model can tell them apart; shorten"):
        told(text)
    assert any(each.level == "refuse" and "prompts have more than 77" in each.what for each in doctor.examine(text).problems)


def test_names_that_differ_before_the_cut_are_counted(tmp_path: Path) -> None:
    assert told(pets(tmp_path, f"day {LONG}", f"night {LONG}", "a cat")) == [
        "2 of 3 prompts have more than 77 of CLIP's tokens, and what is behind them is not read; shorten the names or the templates"
    ]
    (tmp_path / "templates.txt").write_text("a {c}\n" + LONG + "{c}\n")
    assert told(str(tmp_path)) == [
        "5 of 6 prompts have more than 77 of CLIP's tokens, and what is behind them is not read, and in some of them 3 classes are the "
        "same as another up to there; shorten the names or the templates"
    ]


def test_sound_names_import_no_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "SimpleTokenizer", lambda: pytest.fail("asked"))
    assert told(pets(tmp_path, "a cat", "日本語" * 6, "x")) == []


def test_the_count_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content.remember_in(tmp_path / "memory")
    try:
        (tmp_path / "data").mkdir()
        text = pets(tmp_path / "data", f"day {LONG}", f"night {LONG}")
        before = told(text)
        monkeypatch.setattr(tokenizer, "SimpleTokenizer", lambda: pytest.fail("asked again"))
        assert told(text) == before
    finally:
        content.remember_in(None)


def test_captions_are_counted(tmp_path: Path) -> None:
    owntable.read.cache_clear()
    (tmp_path / "manifest.csv").write_text(f"path,caption,negative_caption\na.jpg,{LONG},{LONG} no\nb.jpg,short,also short\n")
    for name in "ab":
        (tmp_path / f"{name}.jpg").write_bytes(name.encode())
    data = load(str(tmp_path))
    for each in data.sets:
        data.images(each.name)
    first, second = (each.what for each in doctor.of_content(data))
    assert first.startswith(
        "1 of 2 captions of test have more than 77 of CLIP's tokens, and what is behind them is not read, such as 'a very"
    )
    assert second.startswith("2 of 4 captions of negatives have more than 77")


def test_the_cut_is_that_of_open_clip() -> None:
    encode = tokenizer.SimpleTokenizer().encode
    for text in (LONG, "日本語" * 40, "x " * 80, "é" * 76, "a" * 76):
        ids = tokenizer.tokenize(text)[0]
        read = [int(k) for k in ids if k][1:-1]
        assert read == encode(text)[: lengths.CONTEXT - 2]
