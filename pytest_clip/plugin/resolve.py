"""From command line, ini file and defaults to `Settings`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import pytest_clip.plugin.checks as checks
import pytest_clip.plugin.destinations as destinations
from pytest_clip import ClipError
from pytest_clip.plugin.optiontable import OPTIONS
from pytest_clip.session.like import PREFIX
from pytest_clip.session.settings import RunRequest, Settings, default_cache_dir
from pytest_clip.store import path_of

if TYPE_CHECKING:
    from pytest_clip.models.depth import DepthModel
    from pytest_clip.models.lmm.names import LmmChoice

T = TypeVar("T")


def resolve(config: pytest.Config) -> Settings:
    """Command line over ini over default. A value that makes no sense is a usage error that names its option or ini key."""
    try:
        return _resolved(config)
    except ClipError as error:
        raise pytest.UsageError(str(error)) from None


def _resolved(config: pytest.Config) -> Settings:
    given, kinds = config.option, _catalog()
    base = config.inipath.parent if config.inipath is not None else config.rootpath

    named = given.clip_thresholds or ()
    likes = tuple(each.removeprefix(PREFIX) for each in named if each.startswith(PREFIX))
    thresholds = [(config.invocation_params.dir / path_of(each), "--clip-thresholds") for each in named if not each.startswith(PREFIX)]
    cache_dir = given.clip_cache_dir and config.invocation_params.dir / path_of(given.clip_cache_dir)
    return Settings(
        models=tuple(given.clip_model or _read(config, "clip_model")),
        pretrained=given.clip_pretrained,
        suites=_flat(given.clip_suite) or _flat([checks.names(line) for line in _read(config, "clip_suite")]),
        data=tuple(dict.fromkeys(given.clip_data or _read(config, "clip_data") or ["scenes"])),
        thresholds=tuple(thresholds or [(path, "clip_thresholds of the ini file") for path in _read(config, "clip_thresholds")]),
        likes=likes,
        reports=destinations.reports(config),
        prompts=checks.prompts_from(given.clip_prompts, config.invocation_params.dir)
        if given.clip_prompts
        else _ini(config, "clip_prompts", lambda text: checks.prompts_from(text, base), None),
        limit=given.clip_limit,
        evidence=_pick(config, "clip_evidence", 3),
        max_unreadable=_pick(config, "clip_max_unreadable", 0),
        device=_pick(config, "clip_device", "auto"),
        precision=_pick(config, "clip_precision", "fp32"),
        compile=given.clip_compile or _read(config, "clip_compile"),
        batch_size=_pick(config, "clip_batch_size", 0) or None,
        workers=given.clip_workers,
        cache_dir=cache_dir or _ini(config, "clip_cache_dir", lambda text: base / path_of(text), None) or default_cache_dir(),
        executor=_pick(config, "clip_executor", "local"),
        cache=not given.clip_no_cache,
        shared_cache=given.clip_shared_cache or config.getini("clip_shared_cache"),
        cache_size=_pick(config, "clip_cache_size", Settings.cache_size),
        mcm_tau=_pick(config, "clip_mcm_tau", 1.0),
        neglabel_words=_ini(config, "clip_neglabel_words", lambda text: _words(text, base), None),
        corruptions=_kinds(config, "clip_corruptions", kinds.KINDS) or kinds.IMAGENET_C,
        corruptions_3d=_kinds(config, "clip_corruptions_3d", kinds.KINDS_3D) or kinds.GEOMETRIC,
        corruptions_laion_c=_kinds(config, "clip_corruptions_laion_c", kinds.KINDS_LAION),
        corruption_images=_pick(config, "clip_corruption_images", 95),
        adversarial_images=_pick(config, "clip_adversarial_images", Settings.adversarial_images),
        adversarial_steps=_pick(config, "clip_adversarial_steps", Settings.adversarial_steps),
        depth_model=_depth_model(config, base),
        lmm=_lmm(config, base),
        lmm_images=_pick(config, "clip_lmm_images", Settings.lmm_images),
        lmm_third=_pick(config, "clip_lmm_third", None),
        dense_layer=_pick(config, "clip_dense_layer", None),
        classes=_classes(config, base),
        strip_prefix=_pick(config, "clip_strip_prefix", None),
        factors=tuple(given.clip_factor or ()),
        baseline=_baseline(config, base),
        baseline_model=given.clip_baseline_model,
        save=destinations.save(config),
        save_replaces=given.clip_save_replace,
        save_pictures=_read(config, "clip_save_pictures"),
        family_wise=_read(config, "clip_family_wise"),
        unjudged=_pick(config, "clip_unjudged", ""),
        junit=_pick(config, "clip_junit", Settings.junit),
        strict_rules=_read(config, "clip_strict_rules"),
        drop_test=_pick(config, "clip_drop_test", Settings.drop_test),
        mutants=_mutants(given.clip_mutants),
        update=tuple(dict.fromkeys(word for words in given.clip_update or () for word in words)),
        rootpath=config.rootpath,
    )


def _mutants(given: Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    from pytest_clip.mutants import catalog

    return catalog.choose(given)


def _catalog() -> ModuleType:
    """The names of the corruptions; imported here, because a run without a model does not need them."""
    from pytest_clip.views import catalog

    return catalog


def _pick(config: pytest.Config, name: str, default: Any) -> Any:
    """The value of the command line, else that of the ini file, by the check that the table of options has for both."""
    value = getattr(config.option, name, None)
    check = OPTIONS[name].check
    assert check is not None
    return value if value is not None else _ini(config, name, check, default)


def _ini(config: pytest.Config, name: str, check: Callable[[str], T], default: T) -> T:
    text = str(_read(config, name))
    if not text:
        return default
    try:
        return check(text)
    except (argparse.ArgumentTypeError, ClipError) as error:
        raise pytest.UsageError(f"{config.inipath or 'ini'}: {name}: {error}{_comment(text)}") from None


def _words(text: str, base: Path) -> Path | str:
    """A file of words that is there, relative to the ini file, or `wordnet`."""
    if text.strip().lower() == "wordnet":
        return "wordnet"
    path = base / path_of(text.strip())
    if not path.is_file():
        raise ClipError(f"no file {path}; name a file with one word a line, or wordnet")
    return path


def _comment(text: str) -> str:
    """pytest takes what follows a value for a part of it."""
    return "; a comment stands on a line of its own" if "#" in text or " ;" in text else ""


def _read(config: pytest.Config, name: str) -> Any:
    """What pytest makes of an ini key; a value that it cannot take is told with file and key, which not every version of it says."""
    try:
        return config.getini(name)
    except (ValueError, TypeError, pytest.UsageError) as error:
        told = str(error).removeprefix(f"{config.inipath}: ")
        if OPTIONS[name].kind == "bool":
            told = f"{told}; write true or false"
        elif OPTIONS[name].native is not None:
            told = f"{told}; write it in quotes"
        raise pytest.UsageError(f"{config.inipath or 'ini'}: {name}: {told}") from None


def _kinds(config: pytest.Config, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The corruptions that an ini key chooses, in the order of the catalog; codecs only where they can run."""
    views, chosen = _catalog(), _read(config, name)
    where = f"{config.inipath or 'ini'}: {name}"
    for kind in chosen:
        if kind not in known:
            raise pytest.UsageError(f"{where}: no corruption {kind!r}{_comment(kind)}; there is {', '.join(known)}")
    if (codecs := [kind for kind in chosen if kind in views.VIDEO]) and find_spec("av") is None:
        raise pytest.UsageError(f"{where}: {', '.join(codecs)}: {views.NEEDS_AV}")
    return tuple(kind for kind in known if kind in chosen)


def _depth_model(config: pytest.Config, base: Path) -> DepthModel | None:
    """The one of the command line, a folder relative to where it was typed, or that of the ini file."""
    output = _pick(config, "clip_depth_output", "auto")
    if text := config.option.clip_depth_model:
        try:
            return checks.depth_model_from(text, config.invocation_params.dir, output)
        except argparse.ArgumentTypeError as error:
            raise pytest.UsageError(f"--clip-depth-model: {error}") from None
    return _ini(config, "clip_depth_model", lambda text: checks.depth_model_from(text, base, output), None)


def _lmm(config: pytest.Config, base: Path) -> LmmChoice | None:
    """The LMM of the command line, a folder relative to where it was typed, or that of the ini file, relative to it. Where the project
    may make its own, any name will do until the project leaves it to us."""
    from pytest_clip.models.lmm import names

    text, here, by = config.option.clip_lmm, config.invocation_params.dir, "--clip-lmm"
    if not text:
        text, here, by = _ini(config, "clip_lmm", str, ""), base, f"{config.inipath or 'ini'}: clip_lmm"
    if not text:
        return None
    how = {
        "dtype": _pick(config, "clip_lmm_dtype", "auto"),
        "device_map": _pick(config, "clip_lmm_device_map", None),
        "batch_size": _pick(config, "clip_lmm_batch_size", 8),
    }
    hooked = bool(config.hook.pytest_clip_make_lmm.get_hookimpls())
    try:
        return names.find(text, base=here, hooked=hooked, **how)
    except ClipError as error:
        if hooked:
            return names.LmmChoice(text, None, hooked=True, fault=f"{by}: {error}", **how)
        raise pytest.UsageError(f"{by}: {error}") from None


def _classes(config: pytest.Config, base: Path) -> Path | None:
    """The file that --clip-classes names, else that of the ini file; its names are read when the model is built."""
    if text := config.option.clip_classes:
        path, by = config.invocation_params.dir / path_of(text), "--clip-classes"
    elif text := str(config.getini("clip_classes")):
        path, by = base / path_of(text), "clip_classes of the ini file"
    else:
        return None
    named = config.option.clip_model or config.getini("clip_model")
    if config.option.clip_classes and not any(model.strip().startswith("timm:") for model in named):
        raise pytest.UsageError("--clip-classes names the classes of a timm: model, and this run has none; leave it out")
    if not path.is_file():
        raise pytest.UsageError(f"{by}: there is no file {path}; write one class name a line, in the order of the model's scores")
    return path


def _baseline(config: pytest.Config, base: Path) -> RunRequest | None:
    """The run that --clip-baseline names, or the ini key where nothing is on the command line."""
    from pytest_clip.runs import names

    given = config.option
    if given.clip_baseline and given.clip_baseline_model:
        raise pytest.UsageError("--clip-baseline and --clip-baseline-model both name a baseline; give one of them")
    if given.clip_baseline_model:
        return None
    text, here, by = given.clip_baseline, config.invocation_params.dir, "--clip-baseline"
    if not text:
        text, here, by = _ini(config, "clip_baseline", checks.run, ""), base, "clip_baseline of the ini file"
    return RunRequest(text, names.folder(text, rootpath=config.rootpath, here=here), by) if text else None


def _flat(lists: Sequence[Sequence[str]] | None) -> tuple[str, ...] | None:
    return tuple(dict.fromkeys(name for names in lists or () for name in names)) or None
