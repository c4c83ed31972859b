"""`pytest-clip runs` and `pytest-clip compare`: saved runs without pytest and without torch."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.cli import written
from pytest_clip.runs import names

YES, NO = 0, 1


def root() -> Path:
    """Where the named runs of this place are: the nearest folder upwards that has any, else here."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / names.HOME).is_dir()), here)


def runs_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status: 0 done, 1 no run is saved here, 2 there is no such run or it is damaged."
    parser.add_argument(
        "action", nargs="?", choices=("list", "show", "pack"), default="list", help="list saved runs (default), show one, pack one"
    )
    parser.add_argument("which", nargs="?", metavar="RUN", help="Name of a run in .clip/runs, the path of its folder, or a packed run")
    parser.add_argument("to", nargs="?", type=Path, metavar="FILE", help="With pack: NAME.run.xz, which is read wherever a run is")
    parser.add_argument("--json", action="store_true", help="With show: the whole JSON record")


def runs(args: argparse.Namespace) -> int:
    if args.action == "show":
        if args.which is None or args.to is not None:
            raise ClipError("show needs the name of a run; pytest-clip runs lists them")
        return _show(args.which, whole=args.json)
    if args.action == "pack":
        if args.which is None or args.to is None or args.json:
            raise ClipError("pack needs the name of a run and of the file: pytest-clip runs pack RUN NAME.run.xz")
        return _pack(args.which, args.to)
    if args.which is not None or args.json:
        raise ClipError("list takes nothing more; pytest-clip runs show RUN [--json] shows one run")
    return _list()


def _pack(text: str, to: Path) -> int:
    from pytest_clip.runs import packed
    from pytest_clip.store import put

    if not to.name.endswith(packed.SUFFIX) or to.name == packed.SUFFIX:
        raise ClipError(f"a packed run is called NAME{packed.SUFFIX}, and not {to.name}")
    run = open_run(text)
    content = packed.pack(run)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        put(to, content)
    except OSError as error:
        raise ClipError(f"{to} cannot be written: {error.strerror or error}; name another") from error
    made = packed.read(to)
    held, before = (len(each.index["gates"]) for each in (made, run))
    print(f"{to}: {len(content):,} bytes, {len(made.rows)} gates, outcomes of single images of {held} of {before}")
    return YES


def _list() -> int:
    from pytest_clip.gates.toml_text import comment

    where = root()
    found = names.known(where)
    if not found:
        print(f"no run is saved in {where / names.HOME}; save one with pytest --clip-model=NAME --clip-save=NAME")
        return NO
    lines = {comment(name): comment(_told(where / names.HOME / name)) for name in found}
    width = max(map(len, lines))
    print("\n".join(f"{name:<{width}}  {told}" for name, told in lines.items()))
    return YES


def _told(folder: Path) -> str:
    """One line about a run, also when it is damaged: the others are still listed."""
    from pytest_clip.runs import store

    try:
        return _line(store.manifest_of(folder))
    except ClipError as error:
        return str(error)


def _line(manifest: Mapping[str, Any]) -> str:
    models = ", ".join(f"{each['name']} {each.get('fingerprint') or ''}".strip() for each in manifest["models"])
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(manifest.get("verdicts", {}).items()))
    data = ", ".join(each["name"] for each in manifest["data"])
    parts = [manifest.get("saved") or "", models, *([f"on {data}"] if data else []), verdicts]
    partial = f"; partial: {', '.join(manifest['partial'])}" if manifest["partial"] else ""
    return f"{'; '.join(part for part in parts if part)}{partial}"


def _show(text: str, *, whole: bool) -> int:
    from pytest_clip.gates.digits import short
    from pytest_clip.gates.toml_text import comment

    run = open_run(text)
    if whole:
        print(json.dumps(run.record, indent=1, ensure_ascii=False))
        return YES
    print(comment(f"{run.name}: {_line(run.manifest)}"))
    print(f"folder {run.folder}; commit {run.manifest.get('commit') or 'unknown'}; pytest-clip {run.manifest.get('pytest-clip')}")
    rows = run.record["gates"]
    width = max((len(row["gate"]) for row in rows), default=0)
    many = len({(row["model"], row["data"]) for row in rows}) > 1
    for row in rows:
        value = "no value" if row["value"] is None else short(row["value"])
        interval = "" if not row["ci"] or None in row["ci"] else f" ({short(row['ci'][0])}..{short(row['ci'][1])})"
        on = f"  {row['model']}, {row['data']}" if many else ""
        print(f"{row['gate']:<{width}}  {value}{interval}  n = {row['n']}  {row['verdict']}{on}")
    return YES


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit status: 0 nothing became worse by more than chance explains (Holm over all gates, 5 %), 1 something did, or is worse "
        "and has no outcomes of single images that could tell, 2 no comparison."
    )
    parser.add_argument("a", metavar="A", help="The earlier run: a name in .clip/runs, the path of its folder, or a packed run")
    parser.add_argument("b", metavar="B", help="The run that is held against it")
    parser.add_argument("--all", action="store_true", help="All gates that are worse, not only the ten worst")
    parser.add_argument("--ids", action="store_true", help="Every image that went from right to wrong")
    parser.add_argument("--json", action="store_true", help="Everything as JSON")
    parser.add_argument("--html", metavar="PATH", help="Also as a page for a browser: B with every gate held against A")


def compare(args: argparse.Namespace) -> int:
    from pytest_clip.runs import changes

    to = None if args.html is None else written.place("html", args.html)
    first, second = open_run(args.a), open_run(args.b)
    found = changes.changes(first, second)
    if not changes.compared(found):
        why = f": {found[0].gate}: {found[0].found.refused}" if found else ""
        raise ClipError(f"{first.name} and {second.name} have no gate in common that can be compared{why}")
    if args.json:
        print(json.dumps([changes.row(each) for each in found], indent=1, ensure_ascii=False))
    else:
        print(f"{second.name} against {first.name}")
        print("\n".join(changes.told(found, most=len(found) if args.all else 10, ids=args.ids)))
    if to is not None:
        told = written.put("html", changes.record(first, second, found), to)
        print("\n".join(told), file=sys.stderr if args.json else sys.stdout)
    return NO if any(each.sure or each.unknown for each in found) else YES


def open_run(text: str) -> Any:
    """The saved run that a person names on the command line, or its packed file."""
    from pytest_clip.runs import packed, store

    if packed.is_packed(Path(text)):
        return packed.read(Path(text))
    try:
        names.check(text)
    except ValueError as error:
        raise ClipError(str(error)) from None
    where = root()
    folder = names.folder(text, rootpath=where, here=Path.cwd())
    return store.read(names.existing(text, folder, rootpath=where, option="RUN"))
