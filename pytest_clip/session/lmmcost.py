"""What a large multimodal model is asked in a run, reckoned from names and sizes before anything loads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_clip import ClipError
from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.catalog.lmm import NAME, PROTOCOLS

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.run import ClipSession

EVERY = 5
"""Options up to which a question is asked in all rotations (`suites/test_lmm.py`)."""
WORDS = "words"


@dataclass(frozen=True)
class LmmCost:
    """Of one CLIP on one data set: how many questions, with how many options in all, and how many of them are answered in words."""

    questions: int
    options: int
    words: int


def of(session: ClipSession, data: DataChoice) -> LmmCost:
    """What one CLIP's failures are asked about on one data set; questions of a table are taken to have two options."""
    limit, sizes = session.settings.limit, {}
    for each in session.sets[data.label]:
        if not getattr(each, "absent", "") and not (each.role == "choice" and each.within):
            some = each.n if each.role == "choice" else min(each.n, session.settings.lmm_images)
            sizes[each.name] = some if limit is None else min(some, limit)
    classes = _classes(data.text)
    asked: dict[tuple[object, ...], tuple[int, int]] = {}
    for metric in (each for each in CATALOG if each.partition("/")[0] == NAME):
        for gate in session.reach.gates(metric, data):
            for key, k in _asked(gate, classes, third=session.settings.lmm_third is not None):
                n = sizes.get(str(key[0]), sizes.get("clean", 0))
                asked[key] = n * (k if k <= EVERY else 1), k
    words = sum(n for key, (n, _) in asked.items() if key[-1] == WORDS)
    return LmmCost(sum(n for n, _ in asked.values()), sum(n * k for key, (n, k) in asked.items() if key[-1] != WORDS), words)


def _asked(gate: GateId, classes: int, *, third: bool) -> Iterator[tuple[tuple[object, ...], int]]:
    """Of a gate the questions (where, number of options, who chose them, pictures) and the number of options; gates share them."""
    name = str(gate.slice)
    if gate.metric == "tower_is_clip":
        return
    if gate.metric in ("blank", "shuffled", "gain_over_blank"):
        yield ("clean", 2, "clip", gate.metric.removeprefix("gain_over_")), 2
    elif gate.metric == "unparsed" or name == "generated-2":
        yield ("clean", 2, "clip", WORDS), 2
    elif name in PROTOCOLS:
        how, _, asked = name.partition("-")
        k = classes if asked == "all" else int(asked)
        if k <= max(classes, 2) and (third or how != "third"):
            yield ("clean", k, how if how in ("random", "third") else "clip", ""), k
    else:
        yield ("clean" if name in ("all", "hard", "easy") else name, 2, "clip", ""), 2


def _classes(text: str) -> int:
    from pytest_clip.data.questions import classes

    try:
        return classes(text)
    except ClipError:  # a project's own data
        return 0
