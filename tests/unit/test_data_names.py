"""What --clip-data may be called: any text is a data set or one sentence."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.cli import main as cli
from pytest_clip.data import catalog, doctor, labels, load, prompts

ODD = [
    "/proc", "/proc/self", "/sys", "/dev", "/dev/null", "~nouser/x", "~", "a" * 300, "b/" * 3000, "\0", "x\0y", "\udcff", "caf\udce9",
    "\ud800",
    "::", "::x", "scenes::x", ".", "..::x", "/etc", "\n", "\x1b[2J", "*", "-", "--help", "%s", "{c}", "日本語", "\u202e", "  ",
]  # fmt: skip


def sentence(ask: Callable, text: str) -> str:
    try:
        ask(text)
    except ClipError as error:
        return str(error)
    return ""


def answers(text: str) -> None:
    for ask in (catalog.expand, catalog.sets, lambda text: labels.chosen([text]), lambda text: load(text).images("clean")):
        said = sentence(ask, text)
        said.encode()
        assert len(said) < 2000
        assert "\n" not in said.partition(":\n")[0]
    for each in doctor.quick(text):
        each.what.encode()


@pytest.mark.parametrize("text", ODD)
def test_any_name_is_a_data_set_or_a_sentence(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers(text)
    assert cli.main(["doctor", f"--data={text}", "--quick"]) in (0, 1, 2)
    if not os.path.exists(text.replace("\0", "")):  # noqa: PTH110
        with pytest.raises(ClipError, match=r"is no prompt set and no file|no UTF-8"):
            prompts.find(text, base=tmp_path)


@pytest.mark.slow
def test_thousands_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw = random.Random(14)
    alphabet = [*"ab/.:~-_ \n\t\\'\"*", "\0", "\udcff", "\ud800", "é", "日", "\U0001f408", "\u202e", "::", "..", "scenes", "x" * 100]
    for _ in range(3000):
        text = "".join(draw.choices(alphabet, k=draw.randrange(1, 12)))
        if Path(os.path.abspath(text)) not in tmp_path.parents:  # noqa: PTH100 - the whole disk is walked in 4 s, and says nothing more
            answers(text)


def test_a_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ClipError, match=r"the folder may not be opened; chmod it, or name another"):
        catalog.sets(str(tmp_path))
