"""The command line and ini options, checked before anything heavy is imported, and the frozen settings that they add up to."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.data.prompts import PromptSet

T = TypeVar("T")

GROUP = "clip"
REPORTS = {"json": "clip-report.json"}  # type -> file it is written to when DEST is left out
PRECISIONS = ("fp32", "bf16", "fp16")
ALL_SUITES = "all"
PARSER = "clip-parser"


class ParserKeeper:
    """The parser of this run; hooks after configuration need it to tell the command line from ``addopts``."""

    def __init__(self, parser: pytest.Parser) -> None:
        self.parser = parser


@dataclass(frozen=True)
class ReportRequest:
    """One ``--clip-report``: what to write and where."""

    type: str
    dest: Path


@dataclass(frozen=True)
class Settings:
    """Everything the user asked for, after command line, ini file and defaults were weighed. Nothing here is loaded yet.

    ``suites`` is None when the user named none. ``thresholds`` are pairs of a file and the option or ini key that named it.
    ``batch_size`` is None for automatic, ``workers`` for all cores.
    """

    models: tuple[str, ...] = ()
    pretrained: str | None = None
    suites: tuple[str, ...] | None = None
    data: tuple[str, ...] = ("scenes",)
    thresholds: tuple[tuple[Path, str], ...] = ()
    reports: tuple[ReportRequest, ...] = ()
    prompts: PromptSet | None = None
    limit: int | None = None
    device: str = "auto"
    precision: str = "fp32"
    batch_size: int | None = None
    workers: int | None = None
    cache_dir: Path = Path()
    cache: bool = True
    mcm_tau: float = 1.0
    corruptions: tuple[str, ...] = field(default_factory=lambda: _catalog().IMAGENET_C)
    corruptions_3d: tuple[str, ...] = field(default_factory=lambda: _catalog().GEOMETRIC)
    corruption_images: int = 95
    rootpath: Path = Path()


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup(GROUP, "CLIP robustness gates (pytest-clip)")

    def option(name: str, **kwargs: Any) -> None:
        group.addoption(name, dest=name.removeprefix("--").replace("-", "_"), **kwargs)

    option(
        "--clip-model",
        action="append",
        type=_text("a model name"),
        metavar="NAME[,PRETRAINED]",
        help="Model to measure, repeatable: an open_clip name with tag or checkpoint file, hf-hub:..., local-dir:... or a bundled name. "
        "Without paths on the command line the shipped suites run and nothing else",
    )
    option("--clip-pretrained", type=_text("a tag or path"), metavar="TAG-or-PATH", help="PRETRAINED for a single --clip-model")
    option(
        "--clip-suite",
        action="append",
        type=_names,
        metavar="NAME[,NAME...]",
        help="Suites to run, in addition to any paths given; default: all when there are no paths, none otherwise",
    )
    option(
        "--clip-data",
        action="append",
        type=_text("a data set"),
        metavar="NAME",
        help="Data set, repeatable; default: scenes, the embedded one",
    )
    option(
        "--clip-thresholds",
        action="append",
        type=_text("a path"),
        metavar="PATH",
        help="Thresholds file, repeatable, later wins; read after the shipped defaults and thresholds.toml in the rootdir",
    )
    option(
        "--clip-report",
        action="append",
        type=_report,
        metavar="TYPE[:DEST]",
        help=f"Write a report, repeatable; types: {', '.join(REPORTS)} (default DEST: {', '.join(REPORTS.values())})",
    )
    option(
        "--clip-prompts",
        type=_prompts,
        metavar="NAME-or-FILE",
        help="Prompt set for the whole run: single, simple, openai, openai-1, openai-5, openai-30, paraphrases, or a file with one "
        "template a line ({c} is the class name); default: the data set's own",
    )
    option("--clip-limit", type=_count(1), metavar="N", help="At most N images per set, drawn by a fixed seed; default: all")
    option("--clip-device", type=_device, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps; default: auto")
    option("--clip-precision", type=_one_of(*PRECISIONS), metavar="PRECISION", help=f"{', '.join(PRECISIONS)}; default: fp32")
    option("--clip-batch-size", type=_batch_size, metavar="N", help="Images per forward pass, or auto; default: auto")
    option(
        "--clip-workers",
        type=_count(1),
        metavar="N",
        help="Cores to render and decode on; default: all (with -n: a fair share)",
    )
    option(
        "--clip-cache-dir",
        type=_text("a folder"),
        metavar="DIR",
        help="Where images and embeddings are kept; default: $PYTEST_CLIP_CACHE, else pytest-clip in $XDG_CACHE_HOME or ~/.cache",
    )
    option("--clip-no-cache", action="store_true", default=False, help="Neither read nor write cached embeddings")
    option("--clip-list", action="store_true", default=False, help="Print suites, gates, rules and data, load no model and exit")

    parser.addini(
        "clip_model", "Models for tests that use the clip fixtures and for --clip-suite, one per line", type="linelist", default=[]
    )
    parser.addini("clip_suite", "Default of --clip-suite when suites run, one per line", type="linelist", default=[])
    parser.addini("clip_data", "Default of --clip-data, one per line", type="linelist", default=[])
    parser.addini("clip_thresholds", "Default of --clip-thresholds, relative to the ini file", type="paths", default=[])
    parser.addini("clip_prompts", "Default of --clip-prompts, a file relative to the ini file", default="")
    parser.addini("clip_device", "Default of --clip-device", default="")
    parser.addini("clip_precision", "Default of --clip-precision", default="")
    parser.addini("clip_batch_size", "Default of --clip-batch-size", default="")
    parser.addini("clip_cache_dir", "Default of --clip-cache-dir, relative to the ini file", default="")
    parser.addini("clip_mcm_tau", "Temperature of the MCM score in the ood suite (default: 1)", default="")
    parser.addini(
        "clip_corruptions", "Kinds of the corruptions suite, one per line (default: the 15 of ImageNet-C)", type="linelist", default=[]
    )
    parser.addini(
        "clip_corruptions_3d",
        "Kinds of the corruptions_3d suite, one per line (default: the six that follow depth)",
        type="linelist",
        default=[],
    )
    parser.addini("clip_corruption_images", "Clean images that each corruption is applied to (default: 95)", default="")


def resolve(config: pytest.Config) -> Settings:
    """Command line over ini over default. A value that makes no sense is a usage error that names its option or ini key."""
    given, kinds = config.option, _catalog()
    base = config.inipath.parent if config.inipath is not None else config.rootpath

    def pick(name: str, check: Callable[[str], T], default: T) -> T:
        value: T | None = getattr(given, name, None)
        return value if value is not None else _ini(config, name, check, default)

    thresholds = [(config.invocation_params.dir / each, "--clip-thresholds") for each in given.clip_thresholds or ()]
    cache_dir = given.clip_cache_dir and config.invocation_params.dir / Path(given.clip_cache_dir).expanduser()
    return Settings(
        models=tuple(given.clip_model or config.getini("clip_model")),
        pretrained=given.clip_pretrained,
        suites=_flat(given.clip_suite) or _flat([_names(line) for line in config.getini("clip_suite")]),
        data=tuple(dict.fromkeys(given.clip_data or config.getini("clip_data") or ["scenes"])),
        thresholds=tuple(thresholds or [(path, "clip_thresholds of the ini file") for path in config.getini("clip_thresholds")]),
        reports=_reports(config),
        prompts=_prompts_from(given.clip_prompts, config.invocation_params.dir)
        if given.clip_prompts
        else _ini(config, "clip_prompts", lambda text: _prompts_from(text, base), None),
        limit=given.clip_limit,
        device=pick("clip_device", _device, "auto"),
        precision=pick("clip_precision", _one_of(*PRECISIONS), "fp32"),
        batch_size=pick("clip_batch_size", _batch_size, 0) or None,
        workers=given.clip_workers,
        cache_dir=cache_dir or _ini(config, "clip_cache_dir", lambda text: base / Path(text).expanduser(), default_cache_dir()),
        cache=not given.clip_no_cache,
        mcm_tau=_ini(config, "clip_mcm_tau", _positive, 1.0),
        corruptions=_kinds(config, "clip_corruptions", kinds.KINDS) or kinds.IMAGENET_C,
        corruptions_3d=_kinds(config, "clip_corruptions_3d", kinds.KINDS_3D) or kinds.GEOMETRIC,
        corruption_images=_ini(config, "clip_corruption_images", _count(1), 95),
        rootpath=config.rootpath,
    )


def _catalog() -> ModuleType:
    """The names of the corruptions; imported here, because a run without a model does not need them."""
    from pytest_clip.views import catalog

    return catalog


def default_cache_dir() -> Path:
    if named := os.environ.get("PYTEST_CLIP_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "pytest-clip"


def _ini(config: pytest.Config, name: str, check: Callable[[str], T], default: T) -> T:
    text = str(config.getini(name))
    if not text:
        return default
    try:
        return check(text)
    except argparse.ArgumentTypeError as error:
        raise pytest.UsageError(f"{config.inipath or 'ini'}: {name}: {error}") from None


def _kinds(config: pytest.Config, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The corruptions that an ini key chooses, in the order of the catalog; codecs only where they can run."""
    views, chosen = _catalog(), config.getini(name)
    where = f"{config.inipath or 'ini'}: {name}"
    for kind in chosen:
        if kind not in known:
            raise pytest.UsageError(f"{where}: no corruption {kind!r}; there is {', '.join(known)}")
    if (codecs := [kind for kind in chosen if kind in views.VIDEO]) and find_spec("av") is None:
        raise pytest.UsageError(f"{where}: {', '.join(codecs)}: {views.NEEDS_AV}")
    return tuple(kind for kind in known if kind in chosen)


def _reports(config: pytest.Config) -> tuple[ReportRequest, ...]:
    reports = tuple(
        ReportRequest(kind, config.invocation_params.dir / Path(dest).expanduser()) for kind, dest in config.option.clip_report or ()
    )
    for at, each in enumerate(reports):
        if each.dest in [other.dest for other in reports[:at]]:
            raise pytest.UsageError(f"--clip-report: two reports cannot share the file {each.dest}; give each its own DEST")
        check_writable(each.dest)
    return reports


def check_writable(path: Path) -> None:
    """A report that cannot be written is said now, not after an hour of forward passes."""
    if path.is_dir():
        raise pytest.UsageError(f"--clip-report: {path} is a folder; name a file in it")
    nearest = next(parent for parent in path.parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise pytest.UsageError(f"--clip-report: cannot write {path}: {nearest} is not a writable folder; choose another DEST")


# Checks of one value each. argparse puts the option's name in front of the text.


def _text(what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not text.strip():
            raise argparse.ArgumentTypeError(f"is empty; give {what}")
        return text.strip()

    return check


def _prompts_from(text: str, base: Path) -> PromptSet:
    from pytest_clip.data import prompts

    try:
        return prompts.find(text, base=base)
    except ClipError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prompts(text: str) -> str:
    _prompts_from(text, Path.cwd())
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty name; write NAME[,NAME...]")
    return names


def _report(text: str) -> tuple[str, str]:
    kind, colon, dest = text.partition(":")
    if kind not in REPORTS:
        raise argparse.ArgumentTypeError(f"{kind!r} is not a report; there is {', '.join(REPORTS)} (JUnit is pytest's own --junitxml)")
    if colon and not dest:
        raise argparse.ArgumentTypeError(f"{text!r} names no file after the colon; write {kind}:PATH or {kind}")
    return kind, dest or REPORTS[kind]


def _count(least: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not re.fullmatch(r"[0-9]+", text, re.ASCII) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return check


def _batch_size(text: str) -> int:
    if text == "auto":
        return 0
    try:
        return _count(1)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or write auto") from None


def _device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not a device; write auto, cpu, cuda, cuda:N or mps")
    return text


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in choices:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return check


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def _flat(lists: Sequence[Sequence[str]] | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(name for names in lists or () for name in names)) or None
