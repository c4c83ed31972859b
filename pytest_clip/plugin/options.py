"""The command line and ini options; argparse and `checks` reject nonsense before anything heavy is imported."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_clip.plugin.optiontable import OPTIONS, Option

GROUP = "clip"
ALL_SUITES = "all"
PARSER = "clip-parser"


class ParserKeeper:
    """The parser of this run; hooks after configuration need it to tell the command line from ``addopts``."""

    def __init__(self, parser: pytest.Parser) -> None:
        self.parser = parser


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup(GROUP, "CLIP robustness gates (pytest-clip)")
    empty: dict[str, Any] = {"string": "", "linelist": [], "paths": [], "bool": False}
    for option in OPTIONS.values():
        if option.help is not None:
            told = {} if option.check is None else {"type": option.check, "metavar": option.metavar}
            group.addoption(option.flag, dest=option.dest, help=option.help, **told, **option.more)
        if option.ini is not None:
            parser.addini(option.dest, option.ini, type=_type(option), default=empty[option.kind])


def _type(option: Option) -> Any:
    """What pytest takes the key for. `47` and `"47"` both where it knows types (9.2); before, TOML of its own has to say it in quotes."""
    if option.native is not None and pytest.version_tuple >= (9, 2):
        return str | option.native
    return None if option.kind == "string" else option.kind
