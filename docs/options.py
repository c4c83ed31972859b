"""Writes the tables of docs/options.md from the table that the command line and the ini file are made of.

Usage: python docs/options.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_clip.plugin.optiontable import OPTIONS, Option

PAGE = Path(__file__).with_suffix(".md")
MARK = "<!-- The tables are written by python docs/options.py, from pytest_clip/plugin/optiontable.py. -->\n"
KINDS = {"string": "text", "linelist": "one per line", "paths": "paths, one per line", "bool": "true or false"}


def tables() -> str:
    """The part of the page below the mark."""
    typed = [(_typed(each), _told(each), f"`{each.dest}`" if each.ini else "") for each in OPTIONS.values() if each.help is not None]
    keys = [
        (f"`{each.dest}`", "number or text" if each.native else KINDS[each.kind], each.ini)
        for each in OPTIONS.values()
        if each.ini is not None
    ]
    return "\n".join(
        [
            *("", "## On the command line", ""),
            *_table(("option", "what it does", "ini key"), typed),
            *("", "## In the ini file", ""),
            *_table(("key", "value", "what it does"), keys),
            "",
        ]
    )


def page(text: str) -> str:
    """The whole page with its tables as they should be."""
    return text.partition(MARK)[0] + MARK + tables()


def _typed(option: Option) -> str:
    value = f"={option.metavar}" if option.check is not None else ""
    return f"`{option.flag}[{value}]`" if option.more.get("nargs") == "?" else f"`{option.flag}{value}`"


def _told(option: Option) -> str:
    told = option.help or ""
    return f"{told}; repeatable" if option.more.get("action") == "append" and "repeatable" not in told else told


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, *rows]
    told = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return [told[0], "|---" * len(head) + "|", *told[1:]]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
