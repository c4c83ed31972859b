"""The console script ``pytest-clip``. Each subcommand imports what it needs when it runs, so ``--help`` is quick.

Exit status: 0 done, 1 the answer is no, 2 the request makes no sense. What the user can put right is one line on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_clip import ClipError, __version__
from pytest_clip.cli import cache, data, init, listing, models, report, runs, scenes, study, train
from pytest_clip.cli.words import own

DONE, USAGE = 0, 2


@dataclass(frozen=True)
class Command:
    """One subcommand: its name, one line of help, how it declares its arguments and what it does with them."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    options: tuple[str, ...] = ()
    """those that it has without the `clip-` of pytest's"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="pytest-clip", description="Robustness gates for CLIP models. The gates themselves run with pytest --clip-model=NAME."
    )
    parser.add_argument("--version", action="version", version=f"pytest-clip {__version__}")
    subparsers = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.arguments(subparser)
        subparser.set_defaults(run=command.run, options=command.options)
    args = parser.parse_args(argv)
    try:
        status = int(args.run(args))
        sys.stdout.flush()
    except ClipError as error:
        print(f"pytest-clip {args.command}: {own(str(error), args.options)}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # whoever reads has seen enough: head, less
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status


COMMANDS = (
    Command("list", "Suites, gates, rules, data and forward passes; loads no model", listing.arguments, listing.run, listing.OPTIONS),
    Command("models", "What --clip-model takes: kinds, names, factors of each", models.arguments, models.run, models.OPTIONS),
    Command("scenes", "The embedded benchmark", scenes.arguments, scenes.run),
    Command("runs", "Saved runs: list them, show one", runs.runs_arguments, runs.runs),
    Command("compare", "What became worse between two saved runs, and on which images", runs.compare_arguments, runs.compare),
    Command("report", "A record or a saved run as another report: HTML, Markdown, GitHub Actions", report.arguments, report.run),
    Command("init", "Write a first thresholds.toml from a run on your data", init.arguments, init.run),
    Command("doctor", "Whether data is whole: missing, unreadable, doubled images", data.doctor_arguments, data.doctor, data.OPTIONS),
    Command("cache", "Stored pictures and answers: how much, whether whole, remove", cache.arguments, cache.run),
    Command("study", "Many models at once: what architecture, training data, size and loss change", study.arguments, study.run),
    Command("train", "Train a bundled model again", train.arguments, train.run),
)

if __name__ == "__main__":
    sys.exit(main())
