"""`pytest-clip report`: the record of a run, or a saved run, as another report; without pytest and without a model."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from pytest_clip import ClipError
from pytest_clip.cli.written import place, put

KINDS = {
    "html": "As one page for a browser, complete in itself: figures, tables, every gate with its rule",
    "md": "As Markdown for a comment: at most 65,535 bytes, says what was cut",
    "github": "For GitHub Actions: annotations to stdout, Markdown to PATH, by default the step's summary ($GITHUB_STEP_SUMMARY)",
}
"""By type the help of its option."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status: 0 written, 2 there is no such record or it is damaged, or a file cannot be written."
    parser.add_argument(
        "record", metavar="RUN", help="A file of --clip-report=json, a name of a run in .clip/runs, the path of its folder, or a packed run"
    )
    for kind, told in KINDS.items():
        more: dict[str, Any] = {"nargs": "?", "const": ""} if kind == "github" else {}
        parser.add_argument(f"--{kind}", metavar="PATH", help=told, **more)


def run(args: argparse.Namespace) -> int:
    from pytest_clip.report import github

    asked = {kind: to for kind in KINDS if (to := getattr(args, kind)) is not None}
    if not asked:
        raise ClipError(f"says nothing to write; add {', '.join(f'--{kind}=PATH' for kind in KINDS)}")
    paths = {kind: place(kind, to) for kind, to in asked.items()}
    record = record_of(args.record)
    for kind, path in paths.items():
        told = put(kind, record, path)
        if kind == "github":
            for line in github.commands(record):
                print(line)
        for line in told:
            print(line)
    return 0


def record_of(text: str) -> Mapping[str, Any]:
    """The record in a JSON file, or that of a saved run."""
    from pytest_clip.runs import packed, shape, store
    from pytest_clip.store import path_of

    path = path_of(text)
    if not path.is_file() or packed.is_packed(path):
        from pytest_clip.cli.runs import open_run

        if path.suffix == ".json" and not path.is_dir():
            raise ClipError(f"{text}: no such file; write one with pytest --clip-report=json:PATH")
        record: Mapping[str, Any] = open_run(text).record
        return record
    try:
        return shape.record(shape.loads(store.content_of(path, store.LARGEST_TEXT)))
    except (OSError, ValueError) as error:
        raise ClipError(f"{text}: not the record of a run ({error}); write one with pytest --clip-report=json:PATH") from None
