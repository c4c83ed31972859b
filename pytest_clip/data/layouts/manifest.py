"""Own data listed in a table: manifest.csv (.tsv, .jsonl, .parquet) with a column `path`, `label` or `caption` or both, and any others.

Columns of a few different values become factor slices: `factors/accuracy[scanner=a]` is measured on the images whose scanner is a. Several
rows of one image are its several captions. `classnames.txt` gives the order of the classes (then labels may be numbers), `templates.txt`
the prompts; maps in `depth/` and unknown images in `ood/NAME/` are used when present.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import ClipError
from .. import depthmaps, groups, leftout, listed, naming
from .. import own as beside
from ..setinfo import Role, SetInfo
from .found import Found, Problem, own_name
from .owntable import Own, read

if TYPE_CHECKING:
    from ..imageset import ImageSet

NAME = "manifest"


def detect(root: Path) -> list[Found]:
    """A folder with a table of that name, itself only: a folder of data sets may hold tables of many kinds."""
    path = listed.table_of(root)
    return [] if path is None else [Found(NAME, own_name(root), root, {"table": path})]


def sets(found: Found) -> tuple[SetInfo, ...]:
    """`clean` and the slices of its columns, or `test` where there are captions and no labels; ClipError names file and line."""
    own, whole = _own(found), _whole(found)
    labelled, captions, depth = bool(own.labels), bool(own.captions), _depth(found) is not None
    columns = groups.columns(own.attributes)[0] if labelled else ()
    role: Role = "clean" if labelled else "captions"
    out = [SetInfo(whole, role, len(own.ids), depth=depth, labelled=labelled, captions=captions, columns=columns)]
    out += [SetInfo(name, "factor", len(rows), depth=depth, captions=captions, within=whole) for name, rows in own.slices.items()]
    if rows := _with_false(own):
        out.append(SetInfo("negatives", "pairs", len(rows), labelled=False, captions=True, within=whole))
    if not labelled:
        return tuple(out)
    unknown = beside.unknown_sets(found.folder)
    if twice := {each.name for each in out} & {each.name for each in unknown}:
        raise ClipError(f"{found.folder / beside.UNKNOWN}: an image set {twice.pop()} is there already; rename the folder")
    return (*out, *unknown)


def problems(found: Found) -> list[Problem]:
    """Classes without images, and which columns are left out."""
    own, out = _own(found), []
    if own.labels:
        often = Counter(own.labels)
        counts = {name: often[k] for k, name in enumerate(own.classes)}
        if not (found.folder / beside.CLASSES).is_file():
            cure = f"write {found.folder / beside.CLASSES}, and its line numbers, counted from 0, into the table"
            out += naming.of_codes(str(found.parts["table"]), list(counts), cure=cure)
        out += naming.of_sizes(str(found.parts["table"]), {name: n for name, n in counts.items() if n})
        if empty := [name for name, n in counts.items() if not n]:
            out.append(Problem("warn", f"{found.parts['table']}: no image of {', '.join(empty[:5])}; is a part of the table missing?"))
    if own.named and (others := len(own.named) - len(own.ids)):
        out.append(Problem("note", f"{found.parts['table']}: {others} images of other splits than test are not measured"))
    out += listed.problems(found.folder)
    if _depth(found) is not None:
        out += depthmaps.missing(found.folder, own.files)
    out += leftout.of_table(found.parts["table"], own.named)
    return [*out, *(Problem("note", note) for note in own.notes), *of_groups(own, found)]


def of_groups(own: Own, found: Found) -> list[Problem]:
    """Which columns, and pairs of them, the suite `groups` measures, and why not the others."""
    names, notes = groups.columns(own.attributes) if own.labels else ((), ())
    said = [f"groups by {', '.join(names)} are held against each other (suite groups)"] if names else []
    return [Problem("note", f"{found.parts['table']}: {each}") for each in (*said, *notes)]


def facts(found: Found) -> dict[str, Any]:
    """Nothing is known about own data."""
    return {"imagenet": False}


def image_set(found: Found, name: str, *, limit: int | None) -> ImageSet:
    """The images, class by class in turn; a slice is cut to those that the limit leaves in `clean`."""
    import numpy as np

    from ..imageset import ImageSet
    from ..order import balanced
    from .captioned import fingerprint

    own, whole = _own(found), _whole(found)
    order = (balanced(own.labels) if own.labels else list(range(len(own.ids))))[:limit]
    if name in beside.unknown(found.folder):
        return beside.unknown_images(found.folder, name, data=found.name, classes=own.classes, limit=limit)
    chosen = set(own.slices.get(name, ())) if name in own.slices else set(_with_false(own)) if name == "negatives" else None
    at = [k for k, row in enumerate(order) if chosen is None or row in chosen]
    rows = [order[k] for k in at]
    files = tuple(own.files[row] for row in rows)
    captions = [own.captions[row] for row in rows] if own.captions else []
    several = any(len(each) != 1 for each in captions)
    false = {name: tuple(own.false[row] for row in rows)} if name == "negatives" else {}
    labels = [own.labels[row] for row in rows] if own.labels else [-1] * len(rows)
    role = "pairs" if name == "negatives" else "factor" if chosen is not None else "clean" if own.labels else "captions"
    maps = _depth(found)
    said = [f"{own.ids[row]} {label} {own.captions[row] if captions else ''}" for row, label in zip(rows, labels, strict=True)]
    held = [] if maps is None else depthmaps.held([maps[row] for row in rows])
    return ImageSet(
        name=name, data=found.name, role=role, ids=tuple(own.ids[row] for row in rows), labels=np.array(labels, dtype=np.int64),
        classes=own.classes, files=files, fingerprint=fingerprint(files, [*own.classes, *said, *false.get(name, ()), *held]),
        captions=tuple(each[0] for each in captions) if captions and not several else None,
        all_captions=tuple(captions) if captions and several else None, foils=false,
        depth=None if maps is None else tuple(maps[row] for row in rows),
        attributes={column: tuple(values[row] for row in rows) for column, values in own.attributes.items()},
        within=None if chosen is None else whole, at=None if chosen is None else np.array(at, dtype=np.int64),
    )  # fmt: skip


def classes(found: Found) -> tuple[str, ...]:
    """classnames.txt, or the labels in order."""
    return _own(found).classes


def templates(found: Found) -> tuple[str, ...]:
    """templates.txt, or one template."""
    return beside.templates(found.folder)


def _whole(found: Found) -> str:
    return "clean" if _own(found).labels else "test"


def _with_false(own: Own) -> tuple[int, ...]:
    return tuple(row for row, text in enumerate(own.false) if text)


def _own(found: Found) -> Own:
    return read(found.parts["table"], found.folder, **how(found))


def how(found: Found) -> dict[str, Any]:
    """How a published table is read: which column holds the classes, and which ones are passed over."""
    return {"label": found.memo.get("label"), "passed_over": found.memo.get("not", ())}


def _depth(found: Found) -> tuple[Path, ...] | None:
    own = _own(found)
    if not all(file.is_relative_to(found.folder) for file in own.files):
        return None
    return depthmaps.beside(found.folder, own.files)
