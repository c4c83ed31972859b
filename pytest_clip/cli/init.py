"""`pytest-clip init`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

YES, NO = 0, 1
FAILING = ("fail", "insufficient")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit status: 0 the file is written and the next run will pass, 1 it will not, the data cannot be measured or the run failed, "
        "2 the request makes no sense."
    )
    parser.add_argument("data", metavar="DIR", help="Your data, as --clip-data")
    parser.add_argument("--model", metavar="NAME[,PRETRAINED]", help="As --clip-model; measured by a run of pytest in this folder")
    parser.add_argument("--report", type=Path, metavar="JSON", help="In place of a run: the record of one (--clip-report=json:PATH)")
    parser.add_argument("--like", metavar="NAME,PRETRAINED", help="In place of a run: the published numbers of a public checkpoint")
    parser.add_argument("--out", type=Path, default=Path("thresholds.toml"), metavar="PATH", help="default: thresholds.toml")
    parser.add_argument("--force", action="store_true", help="Overwrite the file")
    parser.add_argument("--options", default="", metavar="TEXT", help="More options of that run, such as --options='--clip-device=cuda'")


def run(args: argparse.Namespace) -> int:
    import tempfile
    from datetime import date

    from pytest_clip import ClipError
    from pytest_clip.data import catalog
    from pytest_clip.data.doctor import quick
    from pytest_clip.gates import first
    from pytest_clip.store import put, unwritable

    if [args.model, args.report, args.like].count(None) != 2:
        raise ClipError(
            "name a --model to be measured, the --report of a run that has been, or a public checkpoint to be --like; one of these"
        )
    if args.out.is_dir():
        raise ClipError(f"{args.out} is a folder; name a file in it with --out")
    if args.out.exists() and not args.force:
        raise ClipError(f"{args.out} is there already; pytest --clip-update=create adds what it lacks, --force overwrites it")
    if not args.out.resolve().parent.is_dir():
        raise ClipError(f"{args.out}: there is no folder {args.out.resolve().parent}; create it")
    if why := unwritable(args.out):
        raise ClipError(f"{args.out} cannot be written: {why}, or name another with --out")
    for text, label in catalog.expand(args.data):
        problems = quick(text)
        for problem in problems:
            print(f"data {label}: {problem.level}: {problem.what}", file=sys.stderr)
        if any(each.level == "refuse" for each in problems):
            return NO
    if args.like is not None:
        return _like(args)
    with tempfile.TemporaryDirectory() as folder:
        report = args.report or Path(folder) / "report.json"
        if args.report is None and not _run(args, report):
            return NO
        record = _record(report)
    rows = [row for row in record["gates"] if not row.get("role")]
    if len(models := {row["model"] for row in rows}) > 1:
        raise ClipError(f"{report}: holds {len(models)} models ({', '.join(sorted(models))}); rules are made from one: run it alone")
    try:
        text = first.text(rows, models=record["models"], today=date.today().isoformat())
        put(args.out, text)
    except ValueError as error:
        raise ClipError(f"{report}: no rules can be made of it: {error}; write one with pytest --clip-report=json:PATH") from None
    except OSError as error:
        raise ClipError(f"{args.out} cannot be written: {error.strerror or error}; name another with --out") from None
    ruled = first.ruled(rows)
    option = "" if args.out.name == "thresholds.toml" and args.out.resolve().parent == Path.cwd() else f" --clip-thresholds={args.out}"
    then = f"pytest --clip-model={args.model or 'NAME'} --clip-data={args.data}{option}"
    print(f"wrote {args.out}: {len(ruled)} rules from {len(rows)} gates; read it, then: {then}")
    return _next(rows, ruled)


def _like(args: argparse.Namespace) -> int:
    from pytest_clip import ClipError
    from pytest_clip.data import labels
    from pytest_clip.session import like, load
    from pytest_clip.store import put

    text = like.text(args.like, {label: load.image_sets(place) for label, place in labels.chosen([args.data])})
    try:
        put(args.out, text)
    except OSError as error:
        raise ClipError(f"{args.out} cannot be written: {error.strerror or error}; name another with --out") from None
    print(f"wrote {args.out}: {text.count('why = ')} rules; read it, then: pytest --clip-model=NAME --clip-data={args.data}")
    return YES


def _next(rows: list[dict[str, Any]], ruled: set[str]) -> int:
    """Whether a run with the rules just written will pass, as far as the one that they are made from tells."""
    failing = [row for row in rows if row.get("verdict") in FAILING and row["gate"] not in ruled]
    if failing:
        named = "; ".join(str(row.get("message") or row["gate"]).splitlines()[0] for row in failing[:3])
        more = f"; and {len(failing) - 3} more" if len(failing) > 3 else ""
        print(
            f"pytest-clip init: that run will fail, as this one did, at {len(failing)} gates with shipped rules: {named}{more}",
            file=sys.stderr,
        )
        return NO
    if not ruled and not any(row.get("verdict") in ("pass", "waived", "warn") for row in rows):
        print("pytest-clip init: no gate could become a rule, so that run will judge nothing; the comments say why", file=sys.stderr)
        return NO
    return YES


def _run(args: argparse.Namespace, report: Path) -> bool:
    """Whether the run measured what it could; its gates may fail, that is no reason to have no rules."""
    import shlex
    import subprocess

    from pytest_clip.extract import children

    asked = [f"--clip-model={args.model}", f"--clip-data={args.data}", f"--clip-report=json:{report}"]
    options = [*asked, "-o", "clip_unjudged=allow", *shlex.split(args.options)]  # there are no rules yet
    done = subprocess.run(children.command("pytest", *options), check=False)
    if done.returncode > 1 or not report.is_file():
        print(f"pytest-clip init: the run ended with status {done.returncode}; nothing is written", file=sys.stderr)
        return False
    return True


def _record(path: Path) -> dict[str, Any]:
    from pytest_clip import ClipError
    from pytest_clip.runs import shape

    try:
        record = shape.record(shape.loads(path.read_bytes()))
        if not record["gates"]:
            raise ValueError("it has no gates")
    except (OSError, ValueError) as error:
        raise ClipError(f"{path}: not the record of a run with gates ({error}); write one with pytest --clip-report=json:PATH") from None
    return record
