"""The rooms of the package, the floors that they stand on, and who imports whom, read from the files themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "pytest_clip"

#: From the top: (room, column, what it is). A room may import rooms of lower floors, and nothing on its own floor but itself.
FLOORS: tuple[tuple[tuple[str, int, str], ...], ...] = (
    (("cli", 2, "the command pytest-clip"),),
    (("plugin", 1, "all that knows pytest"),),
    (("study", 0, "many models, the six factors"),),
    (("report", 1, "terminal, JSON, JUnit, listing"),),
    (("session", 1, "one run, without pytest"),),
    (("mutants", 1, "damaged copies of a model"), ("train", 2, "how bundled models are made")),
    (("extract", 1, "pixels and answers, stored by content"),),
    (("runs", 0, "saved runs, and what two share"),),
    (("data", 2, "image sets, prompts, doctor"),),
    (("gates", 0, "catalog, rules, verdicts"), ("models", 2, "open_clip and the bundled zoo")),
    (("views", 1, "corruptions and small changes"),),
    (("metrics", 0, "pure functions of arrays"), ("store", 2, "finished work on disk")),
)
FLOOR = {room: at for at, floor in enumerate(FLOORS) for room, _, _ in floor}


@dataclass(frozen=True)
class File:
    """A file of the package: its dotted name, and the dotted names that it imports, in functions and for types only included or not."""

    name: str
    path: Path
    imports: frozenset[str]
    runs: frozenset[str]
    """those without the ones under ``if TYPE_CHECKING``"""

    @property
    def room(self) -> str:
        return room(self.name)


def room(name: str) -> str:
    """The part of the package that a dotted name lies in; "" for the package itself."""
    return [*name.split("."), ""][1]


def read(root: Path = ROOT) -> dict[str, File]:
    """Every file of the package by its dotted name."""
    files = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        package = name.split(".")[: None if parts[-1] == "__init__" else -1]
        found = set(_imported(ast.parse(path.read_text(encoding="utf-8")), package))
        files[name] = File(name, path, frozenset(each for each, _ in found), frozenset(each for each, runs in found if runs))
    return files


def _imported(node: ast.AST, package: list[str], *, runs: bool = True) -> Iterator[tuple[str, bool]]:
    """Every name that is imported, and whether that happens when the code runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, runs) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else []
            name = ".".join([*base, *([child.module] if child.module else [])])
            yield from ((each, runs) for each in (name, *(f"{name}.{alias.name}" for alias in child.names)))
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            for_types = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
            yield from _imported(child, package, runs=runs and not for_types)


def arrows(files: Mapping[str, File]) -> dict[str, set[str]]:
    """By room, the other rooms that its files import; the package itself, which holds four names, is none."""
    found: dict[str, set[str]] = {each: set() for each in FLOOR}
    for file in files.values():
        there = {room(name) for name in file.imports if name in files} - {"", file.room}
        if file.room:
            found.setdefault(file.room, set()).update(there)
    return found


def below(graph: Mapping[str, Iterable[str]], start: str, *, without: str = "") -> set[str]:
    """All that can be reached from a room, its direct arrow to `without` not counted."""
    seen: set[str] = set()
    queue = [each for each in graph.get(start, ()) if each != without]
    while queue:
        if (each := queue.pop()) not in seen:
            seen.add(each)
            queue += graph.get(each, ())
    return seen
