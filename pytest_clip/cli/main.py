"""The console script ``pytest-clip``. Each subcommand imports what it needs when it runs, so ``--help`` is quick.

Exit status: 0 done, 1 the answer is no, 2 the request makes no sense. What the user can put right is one line on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_clip import ClipError, __version__
from pytest_clip.data import commands as data_commands
from pytest_clip.extract import commands as cache_commands
from pytest_clip.runs import commands as runs_commands

YES, NO, USAGE = 0, 1, 2


@dataclass(frozen=True)
class Command:
    """One subcommand: its name, one line of help, how it declares its arguments and what it does with them."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="pytest-clip", description="Robustness gates for CLIP models. The gates themselves run with pytest --clip-model=NAME."
    )
    parser.add_argument("--version", action="version", version=f"pytest-clip {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.arguments(subparser)
        subparser.set_defaults(run=command.run)
    args = parser.parse_args(argv)
    try:
        status = int(args.run(args))
        sys.stdout.flush()
    except ClipError as error:
        print(f"pytest-clip {args.command}: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # whoever reads has seen enough: head, less
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return YES
    return status


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME[,PRETRAINED]", help="Show the rules for this model, repeatable"
    )
    parser.add_argument("--suite", action="append", default=[], metavar="NAME", help="Only this suite, repeatable; default: all")
    parser.add_argument("--data", action="append", default=[], metavar="NAME", help="Data set, repeatable; default: scenes")
    parser.add_argument("--thresholds", action="append", default=[], metavar="PATH", help="Thresholds file, repeatable, later wins")
    parser.add_argument("--limit", type=int, metavar="N", help="Count at most N images per set")


def _list(args: argparse.Namespace) -> int:
    from pytest_clip.collection import choose_suites
    from pytest_clip.report import listing
    from pytest_clip.resolve import default_cache_dir
    from pytest_clip.settings import Settings
    from pytest_clip.starting import start

    settings = Settings(
        models=tuple(args.model),
        suites=tuple(args.suite) or None,
        data=tuple(args.data) or ("scenes",),
        thresholds=tuple((Path(path), "--thresholds") for path in args.thresholds),
        limit=args.limit,
        cache_dir=default_cache_dir(),
        rootpath=Path.cwd(),
    )
    session = start(settings)
    print("\n".join(listing.lines(session, choose_suites(settings, option="--suite"))))
    return YES


def _models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="Also every open_clip architecture, not only the bundled models")


def _models(args: argparse.Namespace) -> int:
    from pytest_clip.models import listing

    rows = [row for row in listing.describe() if args.all or row.kind == "bundled"]
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        scores = row.record.get("metrics", {})
        what = ", ".join(f"{k} {scores[k]:.3f}" for k in ("top1_clean", "top1_typical", "ece_clean", "auroc_near_mcm") if k in scores)
        if row.kind != "bundled":
            what = f"{row.kind}, {row.pretrained or 'name a tag or a checkpoint'}"
        print(f"{row.name:<{width}}  {what or row.kind}")
    if not args.all:
        print("open_clip architectures: pytest-clip models --all")
    return YES


def _scenes_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contact", type=Path, metavar="PATH", help="Write a contact sheet of the embedded benchmark, a PNG")
    parser.add_argument("--corruptions", type=Path, metavar="PATH", help="Write a sheet of every corruption at every severity, a PNG")


def _scenes(args: argparse.Namespace) -> int:
    if args.contact is None and args.corruptions is None:
        raise ClipError("nothing to write; name a file with --contact or --corruptions")
    if args.contact is not None:
        from pytest_clip.data.scenes import contact

        print(f"wrote {contact.write(args.contact)}")
    if args.corruptions is not None:
        from pytest_clip.data.scenes import damage

        print(f"wrote {damage.write(args.corruptions)}")
    return YES


def _train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="Recipe of a bundled model, such as scenes-rn")
    parser.add_argument(
        "--out", type=Path, default=Path("train"), metavar="DIR", help="Folder for checkpoint and curve; default: train/NAME"
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="As --clip-cache-dir of pytest")


def _train(args: argparse.Namespace) -> int:
    from pytest_clip.resolve import default_cache_dir
    from pytest_clip.train.run import run

    print(f"wrote {run(args.name, out=args.out / args.name, cache=args.cache_dir or default_cache_dir())}")
    return YES


COMMANDS = (
    Command("list", "Suites, gates, rules, data and forward passes; loads no model", _list_arguments, _list),
    Command("models", "Model names that --clip-model takes", _models_arguments, _models),
    Command("scenes", "The embedded benchmark", _scenes_arguments, _scenes),
    Command("runs", "Saved runs: list them, show one", runs_commands.runs_arguments, runs_commands.runs),
    Command(
        "compare", "What became worse between two saved runs, and on which images", runs_commands.compare_arguments, runs_commands.compare
    ),
    Command("init", "Write a first thresholds.toml from a run on your data", data_commands.init_arguments, data_commands.init),
    Command("doctor", "Whether data is whole: missing, unreadable, doubled images", data_commands.doctor_arguments, data_commands.doctor),
    Command("cache", "Stored pictures and answers: how much, whether whole, remove", cache_commands.arguments, cache_commands.run),
    Command("train", "Train a bundled model again", _train_arguments, _train),
)

if __name__ == "__main__":
    sys.exit(main())
