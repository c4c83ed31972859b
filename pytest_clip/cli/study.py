"""`pytest-clip study`: many models at once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pytest_clip import ClipError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Factors of a run are those of its record (models[].factors): derived, from clip-card.json, from --clip-factor."
    parser.add_argument("runs", nargs="*", metavar="RUN", help="Saved runs, folders of saved runs, or records of --clip-report=json:PATH")
    parser.add_argument("--published", action="store_true", help="The public checkpoints of open_clip's table instead of runs")
    parser.add_argument("--factor", type=Path, metavar="FILE.csv", help="Factors by model: a column model, one a factor, lineage if wanted")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="Write every effect as CSV")
    parser.add_argument("--figures", type=Path, metavar="DIR", help="Write a figure of each shift and one of all effects, as SVG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write everything as JSON")


def run(args: argparse.Namespace) -> int:
    if bool(args.runs) == args.published:
        raise ClipError("say either which runs to study (pytest-clip study RUN ...) or --published")
    if args.published and args.factor:
        raise ClipError("--factor is for runs; the factors of the public checkpoints come with them")
    from pytest_clip.study import text

    found, pairs = (_published(), []) if args.published else _runs(args)
    if args.csv:
        _put(args.csv, text.table(found))
    if args.json:
        _put(args.json, json.dumps(text.document(found, pairs), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    if args.figures:
        _figures(args.figures, found)
    print("\n".join(text.lines(found, pairs)))
    return 0


def _published() -> Any:
    from pytest_clip.study.plan import PUBLISHED
    from pytest_clip.study.published import population
    from pytest_clip.study.study import study

    return study(population(), PUBLISHED)


def _runs(args: argparse.Namespace) -> tuple[Any, Any]:
    from pytest_clip.runs import names, packed, store
    from pytest_clip.study import records
    from pytest_clip.study.matched import matched
    from pytest_clip.study.plan import of_gates
    from pytest_clip.study.study import study

    chosen = paths(args.runs)
    held = [each for path in chosen for each in records.members(records.read(path), run=path.name.removesuffix(packed.SUFFIX))]
    more = records.table(args.factor, [each.name for each in held]) if args.factor else None
    population = records.population(held, more=more)
    told = {each.name: {**each.factors, **(more or {}).get(each.name, {})} for each in held}
    saved = [packed.read(path) for path in chosen if packed.is_packed(path)]
    saved += [store.read(path) for path in chosen if (path / names.MANIFEST).is_file()]
    return study(population, of_gates(population)), matched([each for each in saved if each.name in told], told)


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


def _figures(folder: Path, found: Any) -> None:
    from pytest_clip.study import plots

    try:
        folder.mkdir(parents=True, exist_ok=True)
        plots.write(found, folder)
    except OSError as error:
        raise ClipError(f"{folder} cannot be written: {error.strerror or error}; name another") from error


def _put(path: Path, text: str) -> None:
    from pytest_clip.store import put

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path, text)
    except OSError as error:
        raise ClipError(f"{path} cannot be written: {error.strerror or error}; name another") from error
