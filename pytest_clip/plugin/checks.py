"""Checks of one value of the command line or ini file each. argparse puts the option's name in front of the text."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.data.prompts import PromptSet
    from pytest_clip.models.depth import DepthModel

REPORTS: dict[str, str | None] = {"json": "clip-report.json", "html": "clip-report.html", "md": "clip-report.md", "github": None}
"""By type the file that is written when DEST is left out; None: no file of its own, but what the CI system reads."""
PRECISIONS = ("fp32", "bf16", "fp16", "amp", "amp_bf16")
UPDATES = ("create", "fix", "trim", "force")
UNJUDGED = ("allow", "fail")
JUNIT = ("properties", "schema")
DROP_TESTS = ("observed", "sure", "safe")
DEPTH_OUTPUTS = ("auto", "inverse", "metric")
LMM_DTYPES = ("auto", "fp32", "bf16", "fp16")
DEVICE_MAPS = ("auto", "balanced", "balanced_low_0", "sequential")


DIGITS, LARGEST = 18, 1e18
"""More digits, or bytes, than any number of images, cores or layers, or any disk has; and Python makes no number of 4,301 digits."""


def _shown(text: str) -> str:
    """A value for a message; a long one by its beginning."""
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}... ({len(text)} characters)"


def text(what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not text.strip():
            raise argparse.ArgumentTypeError(f"is empty; give {what}")
        return text.strip()

    return check


def prompts_from(text: str, base: Path) -> PromptSet:
    from pytest_clip.data import prompts

    try:
        return prompts.find(text, base=base)
    except ClipError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def prompts(text: str) -> str:
    prompts_from(text, Path.cwd())
    return text


def depth_model_from(text: str, base: Path, output: str) -> DepthModel:
    from pytest_clip.models import depth

    try:
        return depth.find(text, base=base, output=output)
    except ClipError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def layer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a layer; write 0 for the first, 1 for the next, -1 for the last")
    return _number(text)


def _number(text: str) -> int:
    """Digits as a number; ArgumentTypeError where there are more of them than make sense."""
    if len(text.lstrip("-")) > DIGITS:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is too large; write at most {DIGITS} digits")
    return int(text)


def run(text: str) -> str:
    from pytest_clip.runs import names

    try:
        return names.check(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def update(text: str) -> tuple[str, ...]:
    words = names(text)
    for word in words:
        if word not in UPDATES:
            raise argparse.ArgumentTypeError(f"{_shown(word)} is none of {', '.join(UPDATES)}")
    if set(words) == {"force"}:
        raise argparse.ArgumentTypeError("'force' alone updates nothing; add create, fix or trim")
    return words


def names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{_shown(text)} has an empty name; write NAME[,NAME...]")
    return names


def mutants(text: str) -> tuple[str, ...]:
    from pytest_clip.mutants import catalog

    try:
        return catalog.choose(names(text))
    except ClipError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def report(text: str) -> tuple[str, str | None]:
    kind, colon, dest = text.partition(":")
    if kind not in REPORTS:
        raise argparse.ArgumentTypeError(
            f"{_shown(kind)} is not a report; there is {', '.join(REPORTS)} (JUnit is pytest's own --junitxml)"
        )
    if colon and not dest:
        raise argparse.ArgumentTypeError(f"{_shown(text)} names no file after the colon; write {kind}:PATH or {kind}")
    return kind, dest or REPORTS[kind]


def count(least: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text, re.ASCII) or (number := _number(text)) < least:
            raise argparse.ArgumentTypeError(f"{_shown(text)} is not a whole number of at least {least}")
        return number

    return check


def batch_size(text: str) -> int:
    if text == "auto":
        return 0
    try:
        return count(1)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or write auto") from None


def device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a device; write auto, cpu, cuda, cuda:N or mps")
    return text


def one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"{_shown(text)} is not one of {', '.join(choices)}")
        return text

    return check


def positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is not a positive number")
    return number


def size(text: str) -> int | None:
    """Bytes; None for no limit."""
    if text.strip().lower() == "none":
        return None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(B|KB|MB|GB|TB)\s*", text, re.ASCII | re.IGNORECASE)
    if found is None:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is no size; write such as 20GB, 500MB or none")
    bytes_ = float(found[1]) * 10.0 ** (3 * ("B", "KB", "MB", "GB", "TB").index(found[2].upper()))
    if not bytes_ < LARGEST:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is more than any disk holds; write none for no limit")
    return round(bytes_)


def executor(text: str) -> str:
    """`local`, `ray` or `ray:ADDRESS`; Ray has to be installed."""
    kind, colon, address = text.partition(":")
    if kind not in ("local", "ray") or (kind == "local" and colon) or (colon and not address):
        raise argparse.ArgumentTypeError(f"{_shown(text)} is no executor; write local, ray or ray:ADDRESS")
    if colon and address != "auto":
        from pytest_clip.extract.cluster import ADDRESS

        if ADDRESS.fullmatch(address) is None:
            raise argparse.ArgumentTypeError(
                f"{_shown(address)} is no address of a cluster; write ray:auto, ray:HOST:PORT or ray:ray://HOST:PORT"
            )
    if kind == "ray" and find_spec("ray") is None:
        raise argparse.ArgumentTypeError("ray needs Ray, which is not installed; pip install pytest-clip[ray]")
    return text
