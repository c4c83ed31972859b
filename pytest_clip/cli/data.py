"""`pytest-clip doctor`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pytest_clip.cli.words import own

if TYPE_CHECKING:
    from pytest_clip.data.doctor import Examined

YES, NO = 0, 1
CELLS = 30
OPTIONS = ("data", "max-unreadable")


def doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status: 0 nothing in the way of a run, 1 something is, 2 there is no such data."
    parser.add_argument("--data", action="append", required=True, metavar="DIR", help="As --clip-data, repeatable")
    parser.add_argument("--quick", action="store_true", help="Names and counts only, as before every run; open no image")
    parser.add_argument("--max-unreadable", type=int, default=0, metavar="N", help="Unreadable images to put up with; default: 0")
    parser.add_argument("--json", action="store_true", help="The findings as JSON")


def doctor(args: argparse.Namespace) -> int:
    from pytest_clip import ClipError
    from pytest_clip.data import catalog
    from pytest_clip.data.doctor import Examined, examine, quick
    from pytest_clip.data.layouts import SEPARATOR
    from pytest_clip.data.layouts.found import is_folder, shown
    from pytest_clip.store import path_of

    if args.max_unreadable < 0:
        raise ClipError(f"--max-unreadable={args.max_unreadable}: write 0 or more")
    found = []
    for given in map(_local, args.data):
        folder = path_of(given.partition(SEPARATOR)[0])
        told = shown(given)[:200]
        if os.path.isfile(folder):  # noqa: PTH113 - Path's raises for a name that is too long
            raise ClipError(f"--data={told}: is a file; data is a folder: --data={folder.parent} looks at what lies beside it")
        if given != "scenes" and not is_folder(folder):
            raise ClipError(f"--data={told}: no such folder")
        for text, label in catalog.expand(given):
            if args.quick:
                found.append(Examined(label, 0, 0, tuple(quick(text))))
                continue
            found.append(examine(text, max_unreadable=args.max_unreadable, advance=_show if sys.stderr.isatty() else lambda i, n: None))
    if args.json:
        print(json.dumps([asdict(each) | {"well": each.well} for each in found], indent=2))
    else:
        for each in found:
            _print(each, quick=args.quick)
    return YES if all(each.well for each in found) else NO


def _local(given: str) -> str:
    from pytest_clip.data import remote

    if not remote.is_url(given):
        return given
    from pytest_clip.session.settings import default_cache_dir

    return str(remote.fetch(given, cache=default_cache_dir()))


def _print(each: Examined, *, quick: bool) -> None:
    looked = "names only" if quick else f"{each.sets} image sets, {each.images} images"
    print(f"data {each.name}: {looked}, {len(each.problems) or 'no'} finding{'s' * (len(each.problems) != 1)}")
    for problem in each.problems:
        print(f"  {problem.level:<6}  {own(problem.what, OPTIONS)}")


def _show(done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        bar = "#" * (CELLS * done // total)
        print(f"\r[{bar:<{CELLS}}] {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)
