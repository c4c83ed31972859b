"""Prompt sets: by name, from a file, and what becomes of {c}, {C} and {an}."""

import subprocess
import sys
from pathlib import Path

import pytest
from open_clip import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES

from pytest_clip import ClipError
from pytest_clip.data import load, prompts
from pytest_clip.data.prompts import PromptSet, fill
from pytest_clip.gates.catalog import PROMPT_FAMILIES


def test_fill() -> None:
    assert fill("a photo of {an} {c}.", "umbrella") == "a photo of an umbrella."
    assert fill("a photo of {an} {c}.", "mug") == "a photo of a mug."
    assert fill("A PHOTO OF A {C}", "guinea pig") == "A PHOTO OF A GUINEA PIG"
    assert fill("the {c} and the {c}", "dog") == "the dog and the dog"
    assert fill("a {c}", "{an} odd {c} name") == "a {an} odd {c} name"  # a class name is no template


def test_importing_and_naming_is_light() -> None:
    code = (
        "import sys; from pathlib import Path; from pytest_clip.data import prompts; prompts.find('openai', base=Path());"
        "print([m for m in ('torch', 'numpy', 'open_clip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "size"),
    [("single", 1), ("simple", 7), ("openai", 80), ("openai-1", 1), ("openai-5", 5), ("openai-30", 30), ("paraphrases", 9)],
)
def test_named_sets_have_their_size_and_ask_for_the_class(name: str, size: int) -> None:
    found = prompts.find(name, base=Path()).templates
    assert len(found) == len(set(found)) == prompts.find(name, base=Path()).count == size
    assert all(t.count("{c}") == 1 for t in found)
    assert name in prompts.NAMES


def test_the_sets_of_openai_are_theirs_and_the_smaller_ones_their_first() -> None:
    eighty = PromptSet("openai").templates
    assert [fill(t, "dog") for t in eighty] == [t("dog") for t in OPENAI_IMAGENET_TEMPLATES]
    assert [fill(t, "dog") for t in PromptSet("simple").templates] == [t("dog") for t in SIMPLE_IMAGENET_TEMPLATES]
    for k in (1, 5, 30):
        assert PromptSet(f"openai-{k}").templates == eighty[:k]


def test_families_hold_what_the_suite_compares() -> None:
    templates, paraphrases, formats = (prompts.family(f) for f in PROMPT_FAMILIES)
    assert sorted(len(t) for t in templates.values()) == [1, 1, 5, 7, 30, 80]
    assert all(key == value[0] and len(value) == 1 for found in (paraphrases, formats) for key, value in found.items())
    texts = [fill(t[0], "umbrella") for t in formats.values()]
    assert len(set(texts)) == len(texts) == 8
    words = [text.lower().strip(".,").replace(" an ", " ").replace(" a ", " ").replace(" the ", " ") for text in texts]
    assert len({w.removeprefix("a ") for w in words}) == 1  # nothing but casing, punctuation and articles
    assert "{c}" in paraphrases
    with pytest.raises(KeyError):
        prompts.family("sideways")


def test_a_run_asks_with_its_own_prompts_first() -> None:
    plain, ours = load("scenes", limit=19), load("scenes", limit=19, prompts=PromptSet("conf/ours.txt", ("our {c}",)))
    assert next(iter(plain.prompt_sets("templates").items())) == ("own", plain.templates)
    assert next(iter(ours.prompt_sets("templates").items())) == ("ours.txt", ("our {c}",))
    assert ours.templates == ("our {c}",)
    assert ours.prompt_sets("formats") == plain.prompt_sets("formats")
    assert ours.ask("the {C}")[:2] == ["the MUG", "the CHAIR"]


def test_a_file(tmp_path: Path) -> None:
    text = "\ufeff# ours\n\n  a photo of a {}  \r\nthe {c}, the {c}\nA {C}\n#a photo\n{an} {c} in rain"
    (tmp_path / "ours.txt").write_bytes(text.encode())
    found = prompts.find("ours.txt", base=tmp_path)
    assert found.templates == ("a photo of a {c}", "the {c}, the {c}", "A {C}", "{an} {c} in rain")
    assert prompts.find(str(tmp_path / "ours.txt"), base=Path("/")).templates == found.templates


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a photo", "no {c} in 'a photo'; every class would be the same text"),
        ("{an} photo", "no {c} in '{an} photo'; every class would be the same text"),
        ("a {class}", "'{class}' means nothing; write {c} or {} for the class name"),
        ("a { c }", "'{ c }' means nothing"),
        ("a {0} {c}", "'{0}' means nothing"),
        ("a {c", "'{' means nothing"),
        ("a {c}}", "'}' means nothing"),
        ("a {c}  # default", "a comment needs a line of its own"),
        ("the {}", "the template of line 1 again"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "ours.txt").write_text(f"the {{c}}\n\n{line}\na fine {{c}}\n")
    with pytest.raises(ClipError) as caught:
        prompts.find("ours.txt", base=tmp_path)
    assert str(caught.value).startswith(f"ours.txt:3: {problem}")
    assert "\n" not in str(caught.value)


def test_all_wrong_lines_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "ours.txt").write_text("one\n{c}\ntwo\n")
    with pytest.raises(ClipError) as caught:
        prompts.find("ours.txt", base=tmp_path)
    assert [line.split(": ")[0] for line in str(caught.value).splitlines()] == ["ours.txt:1", "ours.txt:3"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "holds no template"), (b"# a {c}\n\n", "holds no template"), (b"a \xff {c}", "cannot be read as UTF-8 text")],
)
def test_a_file_without_prompts(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "ours.txt").write_bytes(content)
    with pytest.raises(ClipError, match=f"ours.txt: {problem}.*write one"):
        prompts.find("ours.txt", base=tmp_path)


@pytest.mark.parametrize(
    ("text", "hint"), [("opnai", "did you mean 'openai'"), ("gone.txt", "there is single, simple"), ("", "there is single")]
)
def test_neither_name_nor_file(tmp_path: Path, text: str, hint: str) -> None:
    with pytest.raises(ClipError, match=f"{text!r} is no prompt set and no file; {hint}"):
        prompts.find(text, base=tmp_path)
