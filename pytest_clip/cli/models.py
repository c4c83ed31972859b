"""`pytest-clip models`: what --clip-model takes, and what is known of the models that have a name."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.models.factors import Value
    from pytest_clip.models.listing import Row

OPTIONS = ("factor",)
_WIDEST = 10_000
_GAP = "  "
#: From the left, the columns of the table; what does not fit is left out from the right.
_COLUMNS = {
    "loss": "loss", "training_set": "training set", "training_set_size": "size", "samples_seen": "seen", "parameters": "params",
    "resolution": "px", "gflops": "GFLOPs", "family": "family", "finetuned_on": "fine-tuned on", "activation": "activation",
}  # fmt: skip
_COUNTS = ("training_set_size", "samples_seen", "parameters")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="Also open_clip's architectures with every tag, and what is known of each")
    parser.add_argument(
        "--factor", action="append", default=[], metavar="CONDITION",
        help="Only models with this factor, repeatable: loss=sigmoid, training_set=laion*, resolution>=336, samples_seen=unknown",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="As JSON")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.models import listing

    every = args.all or bool(args.factor)
    rows = listing.chosen([*listing.shipped(), *(listing.published() if every else [])], args.factor)
    if args.json:
        print(json.dumps(_document(rows), indent=1, ensure_ascii=False))
        return 0
    width = _width()
    lines = _table(rows, width) if every else [*_notations(width), *_shipped(rows, width)]
    print("\n".join(lines))
    return 0 if rows else 1


def _document(rows: Sequence[Row]) -> dict[str, object]:
    from pytest_clip.models.kinds import NOTATIONS

    return {
        "notations": [asdict(each) for each in NOTATIONS],
        "models": [
            {"text": row.text, "kind": row.kind, "name": row.name, "pretrained": row.pretrained, "default": row.default, "what": row.what}
            | {"factors": asdict(row.factors)}
            for row in rows
        ],
    }


def _notations(width: int) -> list[str]:
    from pytest_clip.models.kinds import NOTATIONS

    indent = max(len(each.form) for each in NOTATIONS) + 4
    return ["--clip-model takes:", *(line for each in NOTATIONS for line in _beside(f"  {each.form}", each.what, indent, width))]


def _shipped(rows: Sequence[Row], width: int) -> list[str]:
    indent = max((len(row.name) for row in rows), default=0) + 4
    lines = ["", "bundled, and trained on photographs:"]
    lines += [line for row in rows for line in _beside(f"  {row.name}", row.what or row.kind, indent, width)]
    return [
        *lines,
        "",
        *textwrap.wrap("open_clip's tags and what is known of them: pytest-clip models --all, or --factor loss=sigmoid", width),
    ]


def _beside(left: str, right: str, indent: int, width: int) -> list[str]:
    folded = textwrap.wrap(right, max(width - indent, 20)) or [""]
    return [f"{left:<{indent}}{folded[0]}".rstrip(), *(f"{'':<{indent}}{line}" for line in folded[1:])]


def _table(rows: Sequence[Row], width: int) -> list[str]:
    """A line a model. A column that says nothing of any of them is left out first, then those that do not fit."""
    if not rows:
        return ["no model has all of these factors"]
    cells = {key: [title, *(_cell(key, getattr(row.factors, key)) for row in rows)] for key, title in _COLUMNS.items()}
    table = [["--clip-model=", *(f"{row.text}{'*' if row.default and row.kind == 'open_clip' else ''}" for row in rows)]]
    left, out = width - max(map(len, table[0])), []
    for key, column in cells.items():
        room = len(_GAP) + max(map(len, column))
        if all(cell == "?" for cell in column[1:]) or room > left:
            out.append(_COLUMNS[key])
            continue
        left -= room
        table.append(column)
    sizes = [max(map(len, column)) for column in table]
    lines = [_GAP.join(f"{cell:<{size}}" for cell, size in zip(line, sizes, strict=True)).rstrip() for line in zip(*table, strict=True)]
    notes = ["", "* what the name alone loads; ? not known"]
    if out:
        notes.append(f"left out here: {', '.join(out)}; --json has all")
    return [*lines, *(line for note in notes for line in (textwrap.wrap(note, width) or [""]))]


def _cell(key: str, value: Value) -> str:
    if value is None:
        return "?"
    return _count(value) if key in _COUNTS and not isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _count(number: float) -> str:
    """12.8B, 400M, 0."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:g}"


def _width() -> int:
    """Of the terminal; without one nothing needs to fit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDEST
