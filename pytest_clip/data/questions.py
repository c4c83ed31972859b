"""How many texts ask for the classes of a data set: told before anything heavy is loaded."""

from __future__ import annotations

from pathlib import Path

from . import layouts, own
from .catalog import one
from .classfolders import class_folders
from .prompts import OPENAI, PromptSet, fill
from .scenes import vocabulary

THOUSAND = 998
"""Distinct names among the 1,000 of ImageNet, as open_clip has them: two classes each are called `missile` and `sunglasses`."""
OPENAIS = ("imagenet", "corrupted")
"""Layouts that take names and templates from open_clip, which loads torch."""


def count(data: str, *, prompts: PromptSet | None) -> int:
    """Distinct class prompts of the data set that --clip-data=`data` names, 0 for one without classes.

    `prompts`: in place of its own templates.
    """
    found = one(data)
    if found is not None and found.layout in OPENAIS:
        return THOUSAND * (OPENAI if prompts is None else prompts.count)
    if found is not None:
        names, templates = layouts.layout(found.layout).classes(found), layouts.layout(found.layout).templates(found)
    elif data == "scenes":
        names, templates = vocabulary.CLASSES, vocabulary.TEMPLATES
    else:
        names, templates = own.class_names(Path(data), list(class_folders(data)))[0], own.templates(Path(data))
    if prompts is not None and prompts.given is None:
        return len(set(names)) * prompts.count
    return len({fill(template, name) for template in (templates if prompts is None else prompts.templates) for name in names})
