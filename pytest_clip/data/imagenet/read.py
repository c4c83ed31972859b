"""From a listing to an image set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import content, prompts
from ..imageset import ImageSet
from .listing import tidy
from .members import Listing


@cache
def class_names() -> tuple[str, ...]:
    """ImageNet's class names in label order, as OpenAI cleaned them up and open_clip ships them."""
    return tuple(prompts.published().IMAGENET_CLASSNAMES)


def image_set(name: str, role: str, listings: Mapping[str, Listing], *, data: str, limit: int | None) -> ImageSet:
    """Set `name` of `listings`, cut to `limit` images; where it is part of another set, to those within that one's limit.

    The fingerprint covers relative path and content of every file and how they are answered.
    """
    found = listings[name]
    order = tidy(found.rows)
    how = dict(found.how)
    at = None
    if found.within is not None:
        other = listings[found.within]
        place = {other.rows[row][0]: k for k, row in enumerate(_kept(other, limit))}
        order = [row for row in order if found.rows[row][0] in place]
        at = np.array([place[found.rows[row][0]] for row in order], dtype=np.int64)
    elif "worst_of" in how:
        order = _kept(found, limit)
        there = {row: k for k, row in enumerate(order)}
        how["worst_of"] = tuple(tuple(there[r] for r in rows) for rows in how["worst_of"] if rows[0] in there)
    else:
        order = order[:limit]
    rows = [found.rows[row] for row in order]
    accepted = found.per_row.get("accepted")
    answers = found.answers
    if answers is None:
        names = class_names()
        answers = names if "members" not in how else tuple(names[ids[0]] for ids in how["members"])
    return ImageSet(
        name=name, data=data, role=role, ids=tuple(str(path.relative_to(found.root)) for path, _ in rows),
        labels=np.array([label for _, label in rows], dtype=np.int64), classes=answers,
        fingerprint=_fingerprint(found, [path for path, _ in rows], [label for _, label in rows]),
        files=tuple(path for path, _ in rows), accepted=None if accepted is None else tuple(accepted[row] for row in order),
        attributes={k: tuple(values[row] for row in order) for k, values in found.per_row.items() if k != "accepted"},
        within=found.within, at=at, **how,
    )  # fmt: skip


def _kept(found: Listing, limit: int | None) -> list[int]:
    """Which rows a limit leaves, in order. Of films whole anchors with all their frames, so that the worst of them stays the worst."""
    if "worst_of" not in found.how:
        return tidy(found.rows)[:limit]
    kept: dict[int, None] = {}
    for rows in found.how["worst_of"]:
        if limit is not None and len(kept) + len(set(rows) - kept.keys()) > limit:
            break
        kept |= dict.fromkeys(rows)
    return list(kept)


def _fingerprint(found: Listing, files: list[Path], labels: list[int]) -> str:
    how: dict[str, Any] = {k: v for k, v in found.how.items() if k in ("border",)}
    digest = hashlib.sha256(repr(sorted(how.items())).encode())
    for path, label, held in zip(files, labels, content.sha256(files), strict=True):
        digest.update(f"{path.relative_to(found.root)} {label} {held}\n".encode())
    return digest.hexdigest()[:16]
