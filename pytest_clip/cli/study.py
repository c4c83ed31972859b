"""`pytest-clip study`: many models at once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pytest_clip import ClipError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Factors of a run are those of its record (models[].factors): derived, from clip-card.json, from --clip-factor. With --published "
        "and runs, the runs are drawn among the public checkpoints. Epochs of one training run are followed without being asked."
    )
    parser.add_argument(
        "runs", nargs="*", metavar="RUN", help="Saved or packed runs, folders of them, or records of --clip-report=json:PATH"
    )
    parser.add_argument("--published", action="store_true", help="The public checkpoints of open_clip's table, the runs among them")
    parser.add_argument("--family", action="store_true", help="The saved runs of the bundled models, which come with pytest-clip")
    parser.add_argument("--watch", action="store_true", help="Only the path of a fine-tuning: RUN of each epoch, the untuned model first")
    parser.add_argument("--factor", type=Path, metavar="FILE.csv", help="Factors by model: a column model, one a factor, lineage if wanted")
    parser.add_argument(
        "--clean", action="append", metavar="GATE", help="What is accuracy in distribution; again: several clean sets at once"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="Write every effect as CSV")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="Write a figure of each shift and one of all effects, as SVG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write everything as JSON")
    parser.add_argument("--html", metavar="FILE", help="Write everything as a page for a browser")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.cli import written

    _check(args)
    page = None if args.html is None else written.place("html", args.html)
    from pytest_clip.study import document, text
    from pytest_clip.study.findings import findings
    from pytest_clip.study.told import Everything

    loaded = _loaded(args)
    watched = _watched(args, loaded)
    found, placed = (None, ()) if args.watch else _study(args, loaded)
    told = Everything(found, () if found is None else tuple(findings(found)), tuple(watched), tuple(placed), _left(loaded, found, args))
    if args.csv:
        _put(args.csv, document.table(told))
    if args.json:
        _put(args.json, json.dumps(document.document(told), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    if args.figures:
        _figures(args.figures, told)
    if page is not None:
        from pytest_clip.study.html import page as pages

        _put(page, pages.render(told))
    print("\n".join(text.lines(told)))
    return 0


def _check(args: argparse.Namespace) -> None:
    given = bool(args.runs) + args.family
    if not given and not args.published:
        raise ClipError("say which runs to study (pytest-clip study RUN ...), --family or --published")
    if args.factor and not args.runs:
        raise ClipError("--factor is for runs; the factors of the public checkpoints and of the bundled family come with them")
    if args.watch and (args.published or not given):
        raise ClipError("--watch follows runs: pytest-clip study --watch RUN ..., the untuned model's first, without --published")
    if args.watch and args.csv:
        raise ClipError("--csv writes effects, and a watch has none; --json FILE writes the path")
    if args.published and args.clean:
        raise ClipError("--clean is for runs; the public checkpoints are held against imagenet")


def _loaded(args: argparse.Namespace) -> Any:
    from pytest_clip.study import family
    from pytest_clip.study.load import load

    if not args.runs and not args.family:
        return None
    chosen = paths(args.runs) + (family.runs() if args.family else [])
    return load(chosen, args.factor if args.factor else family.factors() if args.family and not args.runs else None)


def _watched(args: argparse.Namespace, loaded: Any) -> Any:
    from pytest_clip.study.properties import CLEAN
    from pytest_clip.study.watch import watches

    if loaded is None or args.published:
        return ()
    return watches(loaded, clean=args.clean[0] if args.clean else CLEAN, all_of_them=args.watch)


def _study(args: argparse.Namespace, loaded: Any) -> Any:
    from pytest_clip.study.matched import matched
    from pytest_clip.study.placed import placed
    from pytest_clip.study.plan import PUBLISHED, of_gates
    from pytest_clip.study.published import population
    from pytest_clip.study.seeds import seeded
    from pytest_clip.study.study import study

    if args.published:
        found = study(population(), PUBLISHED)
        return found, () if loaded is None else placed(found, loaded.members)
    held = loaded.population
    pairs = matched(list(loaded.saved), loaded.factors, loaded.open)
    return study(held, of_gates(held, clean=tuple(args.clean or ())), pairs=pairs, seeded=seeded(held, loaded.factors)), ()


def _left(loaded: Any, found: Any, args: argparse.Namespace) -> int:
    """Pairs beyond those that were compared."""
    if found is None or loaded is None or args.published:
        return 0
    from pytest_clip.study.matched import differing

    return len(differing(list(loaded.saved), loaded.factors)) - len(found.pairs)


def paths(given: list[str]) -> list[Path]:
    """Every run that was named, folders of runs opened."""
    from pytest_clip.cli.runs import root
    from pytest_clip.runs import names, packed

    found: list[Path] = []
    for text in given:
        path = Path(text)
        if not path.exists() and not names.is_path(text):
            path = names.existing(text, names.folder(text, rootpath=root(), here=Path.cwd()), rootpath=root(), option="RUN")
        inside: list[Path] = []
        if path.is_dir() and not (path / "record.json").exists():
            inside = sorted([*(each.parent for each in path.glob("*/record.json")), *path.glob(f"*{packed.SUFFIX}")])
            if not inside:
                raise ClipError(f"{path} holds no saved run; save runs into it with --clip-save={path}/NAME, or name another folder")
        found += inside or [path]
    return found


def _figures(folder: Path, told: Any) -> None:
    from pytest_clip.study import plots

    try:
        folder.mkdir(parents=True, exist_ok=True)
        plots.write(told, folder)
    except OSError as error:
        raise ClipError(f"{folder} cannot be written: {error.strerror or error}; name another") from error


def _put(path: Path, text: str) -> None:
    from pytest_clip.store import put

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, text)
    except OSError as error:
        raise ClipError(f"{path} cannot be written: {error.strerror or error}; name another") from error
