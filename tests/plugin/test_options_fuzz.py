"""Whatever stands in an option, an ini key or a prompts file: a value, or a sentence that says what is wrong with it. By fixed seeds."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pytest_clip import ClipError
from pytest_clip.data import prompts
from pytest_clip.plugin import resolve
from pytest_clip.plugin.optiontable import OPTIONS, Option

SEED = 20261201
SLOWEST = 60.0
LONG = "9" * 5000
"""More digits than Python makes a number of."""
TEXTS = (
    "", " ", "\t\n", "0", "1", "-1", "007", "1e3", "0x10", "1_000", "٣", "²", "½", "1.5", "nan", "inf", "-inf", "1e400", LONG, f"-{LONG}",
    f"{LONG}GB", f"0.{LONG}", f"1e{LONG}", f"{LONG}.5TB", "0.0000001B", f"cuda:{LONG}", "cuda:0", "cuda:-1", "auto", "none", "NONE ",
    "ray", "ray:", f"ray:host:{LONG}", "ray:host:99999", "ray:[::1]:6379", "local", "local:", "all", "all,all", "bgr,", ",", ",,", "force",
    "create,fix", "create,force,create", "json", "json:", "json:.", "json:/", "json:a\0b", "json:\ud800", "json:" + "x" * 300,
    "json:/dev/null", "json:/proc/self/mem", "json:~nobody-at-all/x", "json:~", "~", "~nobody-at-all", "~nobody-at-all/x", "~\0", ".", "..",
    "/", "//", "/dev/null", "/dev/zero", "/proc/self/mem", "/root", "../" * 2000, "x" * 256, "x/" * 3000, "a" * 100_000, "a\0b", "\0",
    "\ud800", "a/\udcff", "\ud800/x", "\u202eabc", "\x1b[2J", "é" * 200, "日本/語", "\U0001d4b3", "\ufeff",
    "'", '"', "'a", '"a b" c', "\\", "a\\",
    "a\nb", "a\r\nb", "a # b", "a ; b", "# a", "%", "%s", "%(x)s", "{", "{c}", "{0.__class__}", "$HOME", "`id`", "true", "false", "maybe",
    "fp32", "bf16", "openai", "openai-5", "openai-0", f"openai-{LONG}", "hf-hub:", "local-dir:", "timm:", "ViT-B-32,", ",x", "fog",
    "frost_3d", "scenes", "allow", "safe", "metric", "C:\\runs\\base", "base", ".clip", "a b",
)  # fmt: skip


def value(random: Random) -> str:
    """One of `TEXTS`, two of them in a row, one with characters changed, or any characters."""
    what = random.random()
    if what < 0.4:
        return random.choice(TEXTS)
    if what < 0.6:
        return random.choice(TEXTS) + random.choice(("", ",", ":", "/", "\n", " ", "\0")) + random.choice(TEXTS)
    if what < 0.8:
        return changed(random, random.choice(TEXTS))
    return "".join(character(random) for _ in range(random.choice((1, 3, 20, 300))))


def changed(random: Random, text: str) -> str:
    out = list(text)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(out) + 1)
        out[at : at + random.randint(0, 2)] = character(random)
    return "".join(out)


def character(random: Random) -> str:
    return chr(
        random.choice((random.randrange(128), random.randrange(0x800), random.randrange(0xD7F0, 0xE000), random.randrange(0x110000)))
    )


def held(what: Callable[[], Any], *allowed: type[Exception]) -> str:
    """Call it: `value`, or `refused` with a sentence in an exception of the `allowed` kinds; nothing else comes out, and soon."""
    began = time.monotonic()
    try:
        what()
        said = None
    except allowed as error:
        said = str(error)
    assert time.monotonic() - began < SLOWEST
    if said is None:
        return "value"
    assert len(said) > 10
    assert "Traceback" not in said
    assert not said.endswith(("None", "()"))
    return "refused"


counts = pytest.mark.parametrize("count", [70, pytest.param(5000, marks=pytest.mark.slow)])


@counts
def test_any_text_for_an_option_is_a_value_or_a_sentence(tmp_path, monkeypatch, capsys, count):
    """What argparse calls with a text of the command line. A ValueError would be told, too, but in argparse's words for a defect."""
    monkeypatch.chdir(tmp_path)
    random, seen = Random(SEED), Counter()
    checked = [each for each in OPTIONS.values() if each.check is not None]
    for number in range(count):
        option, text = checked[number % len(checked)], value(random)
        try:
            seen[held(lambda option=option, text=text: option.check(text), argparse.ArgumentTypeError, ClipError)] += 1
        except Exception as error:
            raise AssertionError(f"{option.flag}: {text[:200]!a} ({len(text)} characters)") from error
    with capsys.disabled():
        print(f"\n{count} texts for {len(checked)} options: {dict(seen)}")


class Config:
    """A configuration of pytest in which one option or ini key says something; `getini` is pytest's own."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config, self.rootpath, self.inipath = config, path, path / "tox.ini"
        self.hook = config.hook
        self.invocation_params = argparse.Namespace(dir=path)
        self.option = argparse.Namespace(
            **{each.dest: False if each.more.get("action") == "store_true" else None for each in OPTIONS.values()}
        )
        self.said: dict[str, str] = {}

    def getini(self, name: str) -> Any:
        self._config._inicache.clear()
        self._config._inicfg.clear()
        if name in self.said:
            from _pytest.config.findpaths import ConfigValue

            self._config._inicfg[name] = ConfigValue(self.said[name], origin="file", mode="ini")
        return self._config.getini(name)


def give(config: Config, option: Option, text: str, *, ini: bool) -> None:
    """Say `text` in the ini file or on the command line, there after its check and in the list that a repeated option is."""
    if ini:
        config.said[option.dest] = text
    else:
        value = option.check(text)
        setattr(config.option, option.dest, [value] if option.more.get("action") == "append" else value)


@counts
def test_any_text_in_the_ini_file_or_an_option_makes_settings_or_a_usage_error(pytester, monkeypatch, capsys, count):
    monkeypatch.chdir(pytester.path)
    pytester.makeini("[pytest]")
    inner = pytester.parseconfig("-p", "clip")
    random, seen = Random(SEED + 1), Counter()
    keys = [(each, True) for each in OPTIONS.values() if each.ini is not None]
    keys += [(each, False) for each in OPTIONS.values() if each.check is not None and each.help is not None]
    for number in range(count):
        (option, ini), text, config = keys[number % len(keys)], value(random), Config(inner, pytester.path)

        def ask(config=config, option=option, text=text, ini=ini):
            give(config, option, text, ini=ini)
            resolve.resolve(config)

        try:
            seen[held(ask, pytest.UsageError, argparse.ArgumentTypeError)] += 1
        except Exception as error:
            raise AssertionError(f"{option.dest}{' in the ini file' if ini else ''}: {text[:200]!a} ({len(text)} characters)") from error
    assert not [each.name for each in pytester.path.iterdir() if each.name != "tox.ini"]  # asking has made nothing
    with capsys.disabled():
        print(f"\n{count} texts for {len(keys)} keys and options resolved: {dict(seen)}")


LINES = (
    "a photo of a {}", "a photo of a {c}.", "{C}", "{an} {c}", "{an}", "{", "}", "{{c}}", "{c", "{0}", "{c!r}", "{c:>99999999}", "{} {}",
    "# a", " # {c}", "{c} # a", "", " ", "\t", "\0{c}", "{c}\0", "é {c}", "\u202e{c}", "\x1b[2J {c}", "\x0c", "\x1c{c}", "\x85", "\u2028",
    "{c}" * 2000, "x" * 100_000 + "{c}", "{" * 20_000, "{c" * 20_000, "{" * 5000 + "}" * 5000, LONG,
)  # fmt: skip


def prompt_file(random: Random) -> bytes:
    fine = random.random() < 0.5
    lines = [
        random.choice(LINES[:3] if fine else LINES) if random.random() < 0.9 else changed(random, random.choice(LINES[:20]))
        for _ in range(random.randint(0, 4))
    ]
    text = random.choice(("\n", "\r\n", "\r", "\n\n")).join(lines)
    whole = text.encode(random.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-7", "utf-8")), "surrogatepass")
    if whole and random.random() < 0.3:
        at = random.randrange(len(whole))
        whole = whole[:at] + random.choice((b"\xff", b"\0", b"\x80", b"\xed\xa0\x80", b"")) + whole[at + random.randint(0, 3) :]
    return whole


@counts
def test_any_prompts_file_is_templates_or_sentences(tmp_path, capsys, count):
    random, seen, path = Random(SEED + 2), Counter(), tmp_path / "ours.txt"
    for _ in range(count):
        content = prompt_file(random)
        path.write_bytes(content)

        def ask():
            found = prompts.find("ours.txt", base=tmp_path)
            assert found.count == len(found.templates) > 0
            for template in found.templates:
                assert "mug" in prompts.fill(template, "mug").lower()

        try:
            seen[held(ask, ClipError)] += 1
        except Exception as error:
            raise AssertionError(f"{content[:300]!r} ({len(content)} bytes)") from error
    with capsys.disabled():
        print(f"\n{count} prompts files: {dict(seen)}")
