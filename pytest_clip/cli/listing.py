"""`pytest-clip list`: what a run would measure, from the command line of the shell."""

from __future__ import annotations

import argparse
from pathlib import Path

OPTIONS = ("model", "suite", "data", "thresholds", "limit")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME[,PRETRAINED]", help="Show the rules for this model, repeatable"
    )
    parser.add_argument("--suite", action="append", default=[], metavar="NAME", help="Only this suite, repeatable; default: all")
    parser.add_argument("--data", action="append", default=[], metavar="NAME", help="Data set, repeatable; default: scenes")
    parser.add_argument("--thresholds", action="append", default=[], metavar="PATH", help="Thresholds file, repeatable, later wins")
    parser.add_argument("--limit", type=_count, metavar="N", help="Count at most N images per set")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.plugin.suites import choose_suites
    from pytest_clip.report import listing
    from pytest_clip.session import onrequest
    from pytest_clip.session.settings import Settings, default_cache_dir
    from pytest_clip.session.start import start

    settings = Settings(
        models=tuple(args.model),
        suites=tuple(args.suite) or None,
        data=tuple(args.data) or ("scenes",),
        thresholds=tuple((Path(path), "--thresholds") for path in args.thresholds),
        limit=args.limit,
        cache_dir=default_cache_dir(),
        rootpath=Path.cwd(),
    )
    session = start(settings, check=lambda: choose_suites(settings, option="--suite"), ours=False)
    print("\n".join(listing.lines(session, choose_suites(settings, gated=onrequest.gated(session), option="--suite"))))
    return 0


def _count(text: str) -> int:
    from pytest_clip.plugin.checks import count  # imports pytest, which --help need not

    return count(1)(text)
