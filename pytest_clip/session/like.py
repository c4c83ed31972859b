"""`--clip-thresholds=like:NAME`: the published numbers of a public checkpoint as rules, on the published data of this run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.data.setinfo import SetInfo
    from pytest_clip.models.published.table import Checkpoint

PREFIX = "like:"
QUICK = "-quickgelu"
Z = 1.959963984540054
"""Of a two-sided 95 % interval."""
RECALLS = tuple(f"{way}_retrieval_recall_at_{k}" for way in ("image", "text") for k in (1, 5, 10))


def checkpoint(name: str) -> Checkpoint:
    """The row of `NAME,PRETRAINED`, with QuickGELU in its name or not. ClipError, with the nearest names, for one that is not there."""
    from pytest_clip.models.published.table import checkpoints, left_out

    if not name.strip():
        raise ClipError(f"{PREFIX} needs the name of a checkpoint, such as {PREFIX}ViT-B-32,openai; pytest-clip models --all names them")
    known = {row.text: row for row in checkpoints()}
    plain = {text.replace(QUICK, ""): row for text, row in known.items()}
    if found := known.get(name) or plain.get(name.replace(QUICK, "")):
        return found
    out = {each.row.text: each.why for each in left_out()}
    if name in out:
        raise ClipError(f"{PREFIX}{name}: its published numbers are left out ({out[name]})")
    near = get_close_matches(name, plain, n=3, cutoff=0.5)
    hint = f"; near: {', '.join(near)}" if near else "; pytest-clip models --all names them"
    raise ClipError(f"{PREFIX}{name}: no numbers of that checkpoint are published in open_clip's table{hint}")


def bound(share: float, n: int, m: int) -> float:
    """`share` of n less 1.96 standard errors of its difference from a share of m, down to four digits; at least 0.

    Both are measured on the same images, so their difference varies less than that: a model exactly as good fails in less than 2.5 %.
    """
    return max(math.floor((share - Z * math.sqrt(share * (1 - share) * (1 / n + 1 / m))) * 1e4) / 1e4, 0.0)


def text(name: str, sets: Mapping[str, Sequence[SetInfo]], *, limit: int | None = None) -> str:
    """The rules as a thresholds file. ClipError where none of the data is published; what has no published number is said in comments."""
    from pytest_clip.data.published import images
    from pytest_clip.gates.toml_text import comment
    from pytest_clip.models.published.table import source

    row, counts, where = checkpoint(name), images(), source()[0]
    tables, silent = [], []
    for data, own in sets.items():
        for each in own:
            found = _figures(row, each) if each.published else {}
            if not found and each.role in ("clean", "shift", "captions"):
                silent.append(comment(f"# no published number of {row.text} on {data}, {each.name}: nothing is asked there"))
            n = counts.get(each.published, 0)
            for gate, share in found.items():
                why = f"{row.text} has {share:.4f} on {each.published} ({n:,} images), less the sampling error of both"
                tables.append(_table(data, gate, bound(share, n, min(each.n, limit or each.n)), why))
    if not tables:
        raise ClipError(
            f"--clip-thresholds={PREFIX}{name}: none of the data of this run has published numbers; it is for ImageNet and its kin, "
            "Flickr30k and COCO (--clip-data=DIR)"
        )
    head = f"# At least as good as {row.text}, by its published numbers.\n# Source: {where}\n\nschema = 1\n"
    return head + "\n" + "\n".join(tables) + ("\n" + "\n".join(silent) + "\n" if silent else "")


def _figures(row: Checkpoint, each: SetInfo) -> dict[str, float]:
    """Gates on one set and the published number of each."""
    top1 = {f"accuracy/top1[{each.name}]": row.figures[each.published]} if each.published in row.figures else {}
    recalls = {f"retrieval/{one}[{each.name}]": row.figures.get(f"{each.published}/{one}") for one in RECALLS}
    return {**top1, **{gate: share for gate, share in recalls.items() if share is not None}}


def _table(data: str, gate: str, least: float, why: str) -> str:
    from pytest_clip.gates.toml_text import header, quoted

    return f"{header(('data', data, 'gates', gate))}\nmin = {least:.4f}\nwhy = {quoted(why)}\n"
