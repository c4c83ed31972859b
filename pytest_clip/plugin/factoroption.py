"""The check of --clip-factor."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.models.factors import Value

_FORM = re.compile(r"(?:(?P<name>.+):)?\s*(?P<key>[A-Za-z0-9_-]+)\s*=(?P<value>.*)", re.DOTALL)


def factor(text: str) -> tuple[str, str, Value]:
    """`[NAME:]key=value` as the name of a model ("" for all), the factor and what it is."""
    from pytest_clip.models import factors

    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text[:200]!r} is not KEY=VALUE or NAME:KEY=VALUE, such as training_set=coyo-700m")
    try:
        value = factors.check(found["key"], found["value"].strip())
    except ClipError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return (found["name"] or "").strip(), found["key"], value
