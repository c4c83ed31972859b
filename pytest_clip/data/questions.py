"""How many texts ask for the classes of a data set: told before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from . import layouts, own
from .catalog import one
from .classfolders import class_folders
from .layouts import owntable
from .prompts import OPENAI, PromptSet, fill, published
from .prompts import family as sets_of
from .scenes import vocabulary
from .writing import READING, choices

THOUSAND = 998
"""Distinct names among the 1,000 of ImageNet, as open_clip has them: two classes each are called `missile` and `sunglasses`."""
OPENAIS = ("imagenet", "corrupted")
"""Layouts that take names and templates from open_clip."""


def count(data: str, *, prompts: PromptSet | None) -> int:
    """Distinct class prompts of the data set that --clip-data=`data` names, 0 for one without classes.

    `prompts`: in place of its own templates.
    """
    found = one(data)
    if found is not None and found.layout in OPENAIS:
        return THOUSAND * (OPENAI if prompts is None else prompts.count)
    names, templates = _own(data)
    if prompts is not None and prompts.given is None:
        return len(set(names)) * prompts.count
    return len(_filled(names, templates if prompts is None else prompts.templates))


def classes(data: str) -> int:
    """Distinct class names of the data set, 0 for one without classes."""
    found = one(data)
    return THOUSAND if found is not None and found.layout in OPENAIS else len(set(_own(data)[0]))


def texts(
    data: str, *, prompts: PromptSet | None, families: Collection[str] = (), spelling: bool = False, captions: bool = False,
    reading: bool = False,
) -> int:  # fmt: skip
    """Distinct texts that a model is asked: the class prompts, those of the prompts suite's `families`, the first template in other
    `spelling`, what a note may say (`reading`), and `captions` where a table tells them (those of other data are not known before it is
    read)."""
    found = one(data)
    if found is not None and found.layout in OPENAIS:
        names: Sequence[str] = tuple(published().IMAGENET_CLASSNAMES)
        templates: Sequence[str] = PromptSet("openai").templates
    else:
        names, templates = _own(data)
    asked = templates if prompts is None else prompts.templates
    all_of_them = _filled(names, asked)
    for family in families:
        for some in sets_of(family).values():
            all_of_them |= _filled(names, some)
    if spelling and asked:
        plain = [asked[0].replace("{c}", name) for name in names]
        all_of_them |= {*plain, *(text.upper() for text in plain), *(f" {text} ".replace(" ", "  ") for text in plain)}
    if reading:
        all_of_them |= _filled(choices(names), READING)
    if captions and found is not None and found.layout == "manifest":
        table = owntable.read(found.parts["table"], found.folder)
        all_of_them |= {text for each in table.captions for text in each} | set(table.false) - {""}
    return len(all_of_them)


def _own(data: str) -> tuple[Sequence[str], Sequence[str]]:
    """Class names and templates."""
    found = one(data)
    if found is not None:
        return layouts.layout(found.layout).classes(found), layouts.layout(found.layout).templates(found)
    if data == "scenes":
        return vocabulary.CLASSES, vocabulary.TEMPLATES
    return own.class_names(Path(data), list(class_folders(data)))[0], own.templates(Path(data))


def _filled(names: Sequence[str], templates: Sequence[str]) -> set[str]:
    return {fill(template, name) for template in templates for name in names}
