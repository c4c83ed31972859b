"""FairFace: fairface_label_val.csv (file, age, gender, race, service_test) beside val/; three data sets, one for each question.

`fairface_age`, `fairface_gender` and `fairface_race` ask for one column and hold groups by the others against each other (suite `groups`).
The labels are what annotators saw in a face, not what a person is: a gate on them is about a model's errors, and no licence to use it so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import manifest
from .found import Found, Problem, places
from .owntable import read

if TYPE_CHECKING:
    from ..imageset import ImageSet
    from ..setinfo import SetInfo

NAME = "fairface"
TABLE, PICTURES = "fairface_label_val.csv", "val"
PAGE, LICENCE = "https://github.com/joojs/fairface", "CC BY 4.0"
TEMPLATES = {
    "age": ("a photo of a person aged {c}", "a photo of the face of a person aged {c}"),
    "gender": ("a photo of a {c} person", "a photo of the face of a {c} person"),
    "race": ("a photo of a {c} person", "a photo of the face of a {c} person"),
}
"""By question; the published set has none. Names are the table's own."""
NOT_ABOUT_PEOPLE = ("service_test",)


def detect(root: Path) -> list[Found]:
    """The table, in `root` or one folder below, once for each question."""
    place = next((each for each in places(root) if (each / TABLE).is_file()), None)
    if place is None:
        return []
    parts = {"table": place / TABLE, "pictures": place / PICTURES}
    return [Found(NAME, f"{NAME}_{label}", place, parts, {"label": label, "not": NOT_ABOUT_PEOPLE}) for label in TEMPLATES]


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`clean`, with its groups, and the slices of the other columns."""
    return manifest.sets(found)


def problems(found: Found) -> list[Problem]:
    """Which columns have groups."""
    return manifest.of_groups(read(found.parts["table"], found.folder, **manifest.how(found)), found)


def facts(found: Found) -> dict[str, Any]:
    """Page and licence."""
    return {"imagenet": False, "page": PAGE, "licence": LICENCE}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The images, class by class in turn."""
    return manifest.image_set(found, name, limit=limit)


def classes(found: Found) -> tuple[str, ...]:
    """The values of the column that is asked for, in order."""
    return manifest.classes(found)


def templates(found: Found) -> tuple[str, ...]:
    """Two sentences for each question."""
    return TEMPLATES[found.memo["label"]]
