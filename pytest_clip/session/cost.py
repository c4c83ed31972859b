"""What a run costs: pictures, views, and passes through the image tower, reckoned from names and sizes before anything loads.

Each suite says here what it looks at, in the words of `extract.extraction`: the first images of a set, perhaps under a view. Those of one
set are embedded once; the first few and all of them are two entries of the cache, unless all came first. `tests/layouts/test_cost.py`
counts the calls of a model and holds them against this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.gates.catalog.metric import STORED
from pytest_clip.session import paths

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.run import ClipSession

PROBE, FEW, NORMALIZATIONS = 380, 24, 4
"""Of the suite `checkpoint`: clean images of its comparisons, of its checks, and how many other normalisations are tried."""
AGREE, SEARCHED = 190, 95
"""Of the suite `metamorphic`: clean images that agreement is measured on, and that a search looks at."""
SEVERITIES = range(1, 6)
MAPS = "maps"
"""What stands in the place of a view for dense features of pictures as they are."""


@dataclass(frozen=True)
class Cost:
    """Of one model on one data set: distinct `pictures`, `views` of them, `passes` through the image tower, and at most so many `more` for
    searches that end when they have found something and for variants that not every model has. `about` says that some were guessed."""

    pictures: int
    views: int
    passes: int
    more: int
    about: bool


@dataclass(frozen=True)
class Look:
    """The first images of a set (None: all) under a view; not `kept`: asked anew each time; `perhaps`: not always."""

    name: str
    first: int | None = None
    view: str | None = None
    kept: bool = True
    perhaps: bool = False


def of(session: ClipSession, suites: Sequence[str], data: DataChoice) -> Cost:
    """What one model costs on one data set, as the order of the suites' files makes it."""
    ledger = _Ledger(session, data)
    for suite in sorted(each for each in suites if each != paths.SUITE or paths.of(session.models)):
        gates = [gate for metric in CATALOG if metric.partition("/")[0] == suite for gate in session.reach.gates(metric, data)]
        looks = _SUITES.get(suite)
        for gate in gates if looks is not None else ():
            for look in looks(gate, ledger) if looks is not None else ():
                ledger.add(look)
    return ledger.cost(about=any(suite == "correspondence" for suite in suites))


class _Ledger:
    """What has been looked at."""

    def __init__(self, session: ClipSession, data: DataChoice) -> None:
        limit = session.settings.limit
        there = [each for each in session.sets[data.label] if not getattr(each, "absent", "")]
        self.settings = session.settings
        self.sizes = {each.name: each.n if limit is None else min(each.n, limit) for each in there}
        self.roles = {each.name: each.role for each in there}
        self.within: Mapping[str, str] = {each.name: each.within for each in there if getattr(each, "within", "")}
        self._whole: set[tuple[str, str | None]] = set()
        self._some: set[tuple[str, str | None, int]] = set()
        self._seen: dict[str, int] = {}
        self._views = self._passes = self._more = 0
        self._perhaps: set[tuple[str, str | None]] = set()

    def add(self, look: Look) -> None:
        name = self.within.get(look.name, look.name)
        if name not in self.sizes:
            return
        first = look.first if name == look.name else None  # all of the pictures that a set is some of
        n = min(first or self.sizes[name], self.sizes[name])
        if look.perhaps:
            if (name, look.view) not in self._perhaps:
                self._perhaps.add((name, look.view))
                self._more += n
            return
        self._seen[name] = max(self._seen.get(name, 0), n)
        if not look.kept:
            self._passes += n
            return
        whole = n == self.sizes[name]
        if (name, look.view) in self._whole or (name, look.view, n) in self._some:
            return
        if whole:
            self._whole.add((name, look.view))
        else:
            self._some.add((name, look.view, n))
        self._passes += n
        self._views += n if look.view is not None and not look.view.startswith(MAPS) else 0

    def cost(self, *, about: bool) -> Cost:
        return Cost(sum(self._seen.values()), self._views, self._passes, self._more, about)


Looks = Callable[["GateId", _Ledger], Iterator[Look]]


def _zero_shot(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    if gate.metric == "published_gap":  # for known checkpoints, on sets that are asked for anyway
        return
    yield Look(gate.slice or "clean")
    if gate.suite in ("calibration", "factors", "finetune", "ood") or gate.metric in ("relative_robustness", "effective_robustness"):
        yield Look("clean")
    if gate.metric == "auroc_gl_mcm":
        yield from (Look(name, view=f"{MAPS} of places", perhaps=True) for name in (gate.slice or "clean", "clean"))
    if gate.suite == "factors":
        yield from (Look(name) for name, role in ledger.roles.items() if role == "overall")


def _checkpoint(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    few = Look("clean", FEW, kept=False)
    several = min(ledger.sizes.get("clean", 0), FEW) > 1
    times = {"embedding_norm": 1, "repeatability": 2, "batch_invariance": 2 * several, "order_invariance": 2 * several}
    yield from [few] * times.get(gate.metric, 0)
    if gate.metric in ("image_spread", "alignment", "activation", "normalization"):
        yield Look("clean", PROBE)
    variants = {"finite_weights": 0, "activation": 1, "normalization": NORMALIZATIONS}.get(gate.metric, -1)
    if variants == 0:  # a model without a torch module is asked for a few embeddings
        yield Look("clean", FEW, view="of no module", perhaps=True)
    for k in range(max(variants, 0)):
        yield Look("clean", PROBE, view=f"{gate.metric} {k}", perhaps=True)


def _corruptions(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    if gate.metric.startswith("studio"):
        yield from (Look("studio"), Look("studio", view=gate.slice))
        return
    chosen = ledger.settings.corruptions if gate.suite == "corruptions" else ledger.settings.corruptions_3d
    kind, _, severity = (gate.slice or "").partition("-")
    names = [gate.slice or ""] if severity else [f"{each}-{s}" for each in ([kind] if kind else chosen) for s in SEVERITIES]
    if STORED in ledger.roles.values():
        yield from (Look(name) for name in (*names, "uncorrupted", min(n for n, role in ledger.roles.items() if role == STORED)))
        return
    yield Look("clean", ledger.settings.corruption_images)
    yield from (Look("clean", ledger.settings.corruption_images, view=name) for name in names)


def _metamorphic(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    del ledger
    if gate.metric == "smallest_break":
        from pytest_clip.views.changes import CHANGES

        yield Look("clean", SEARCHED)
        for k in range(CHANGES[str(gate.slice)].steps):
            yield Look("clean", SEARCHED, view=f"{gate.slice} {k}", perhaps=True)
        return
    yield Look("clean", AGREE)
    if gate.metric == "agreement":
        yield Look("clean", AGREE, view=gate.slice)
    elif gate.slice == "batch":
        yield Look("clean", AGREE, kept=False)


def _prompts(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    del ledger
    yield Look("clean")
    if gate.metric.startswith("auroc"):
        yield Look("near")


def _retrieval(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    name = str(gate.slice)
    yield Look(name if name in ledger.sizes else "pairs")


def _shape_bias(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    del ledger
    yield from [Look(str(gate.slice))] if gate.metric == "accuracy" else [Look("cue_conflict"), Look("cue_matched")]


def _correspondence(gate: GateId, ledger: _Ledger) -> Iterator[Look]:
    """Maps of both views of each pair, and of one picture to find the layer; which pictures pairs of a pool share is not known."""
    name = str(gate.slice)
    n = ledger.sizes.get(name, 0)
    if name in ledger.within:
        yield Look(ledger.within[name], 2 * n, view=None)
        return
    yield from (Look(name, view=MAPS), Look(name, 1, view=f"{MAPS}: which layer"))
    yield from (Look("clean", n, view=f"{MAPS} of {n}"), Look("clean", 1, view=f"{MAPS} of {n}: which layer"))


_SUITES: Mapping[str, Looks] = {
    **dict.fromkeys(("accuracy", "calibration", "factors", "finetune", "ood"), _zero_shot),
    "checkpoint": _checkpoint, "correspondence": _correspondence, "corruptions": _corruptions, "corruptions_3d": _corruptions,
    "metamorphic": _metamorphic, "prompts": _prompts, "retrieval": _retrieval, "shape_bias": _shape_bias,
}  # fmt: skip
