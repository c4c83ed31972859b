"""Where a run writes to, checked before it begins: what cannot be written is said now, not after an hour of forward passes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_clip.session.settings import ReportRequest, RunRequest
from pytest_clip.store import path_of


def save(config: pytest.Config) -> RunRequest | None:
    """Where this run goes. What is there already is not lost by a name given twice, and is said before an hour of forward passes."""
    from pytest_clip.runs import names, place
    from pytest_clip.store import unwritable

    text = config.option.clip_save
    if not text:
        if config.option.clip_save_replace:
            raise pytest.UsageError("--clip-save-replace says how to save; add --clip-save=NAME")
        return None
    folder = names.folder(text, rootpath=config.rootpath, here=config.invocation_params.dir)
    place.recover(folder)
    if folder.exists() and not hasattr(config, "workerinput"):
        if not (folder / names.MANIFEST).is_file():
            raise pytest.UsageError(f"--clip-save: {folder} exists and is no saved run; choose another name or path")
        if not config.option.clip_save_replace:
            raise pytest.UsageError(
                f"--clip-save: there is a saved run {text!r} already, {folder}; choose another name, or replace it with --clip-save-replace"
            )
        if problem := unwritable(folder):
            raise pytest.UsageError(f"--clip-save: {folder} cannot be replaced: {problem}, or choose another name")
    nearest = next(parent for parent in folder.parents if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise pytest.UsageError(f"--clip-save: cannot write {folder}: {nearest} is not a writable folder; choose another place")
    return RunRequest(text, folder, "--clip-save")


def reports(config: pytest.Config) -> tuple[ReportRequest, ...]:
    here = config.invocation_params.dir
    asked = tuple(ReportRequest(kind, here / path_of(dest) if dest else None) for kind, dest in config.option.clip_report or ())
    for at, each in enumerate(asked):
        if each.dest is None:
            continue
        if each.dest in [other.dest for other in asked[:at]]:
            raise pytest.UsageError(f"--clip-report: two reports cannot share the file {each.dest}; give each its own DEST")
        check_writable(each.dest)
    return asked


def check_writable(path: Path) -> None:
    """A report that cannot be written is said now, not after an hour of forward passes."""
    from pytest_clip.store import unwritable

    if path.is_dir():
        raise pytest.UsageError(f"--clip-report: {path} is a folder; name a file in it")
    nearest = next(parent for parent in path.parents if parent.exists())
    if path.exists() and (problem := unwritable(path)):
        raise pytest.UsageError(f"--clip-report: cannot write {path}: {problem}, or choose another DEST")
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise pytest.UsageError(f"--clip-report: cannot write {path}: {nearest} is not a writable folder; choose another DEST")
