"""What each suite looks at, in the words of `extract.extraction`: the first images of a set, perhaps under a view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_clip.gates.catalog.lmm import CORRUPTED
from pytest_clip.gates.catalog.metric import STORED
from pytest_clip.session.ledger import MAPS, Ledger, Look

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId

PROBE, FEW, NORMALIZATIONS = 380, 24, 4
"""Of the suite `checkpoint`: clean images of its comparisons, of its checks, and how many other normalisations are tried."""
PHOTOGRAPHS = 400
"""Of the suite `typographic`: clean images of own data that get notes."""
AGREE, SEARCHED = 190, 95
"""Of the suite `metamorphic`: clean images that agreement is measured on, and that a search looks at."""
SEVERITIES = range(1, 6)

Looks = Callable[["GateId", Ledger], Iterator[Look]]


def _zero_shot(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    if gate.metric == "published_gap":  # for known checkpoints, on sets that are asked for anyway
        return
    if gate.metric == "background_gap":
        yield from (Look(name) for name, role in ledger.roles.items() if role == "backdrop")
    yield Look("clean" if gate.suite == "groups" else gate.slice or "clean")
    if gate.suite in ("calibration", "factors", "finetune", "ood") or gate.metric in ("relative_robustness", "effective_robustness"):
        yield Look("clean")
    if gate.metric == "auroc_gl_mcm":
        yield from (Look(name, view=f"{MAPS} of places", perhaps=True) for name in (gate.slice or "clean", "clean"))
    if gate.suite == "factors":
        yield from (Look(name) for name, role in ledger.roles.items() if role == "overall")


def _checkpoint(gate: GateId, ledger: Ledger) -> Iterator[Look]:
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


def _corruptions(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    if gate.metric.startswith("studio"):
        yield from (Look("studio"), Look("studio", view=gate.slice))
        return
    chosen = getattr(ledger.settings, gate.suite) or dict.fromkeys(n.partition("-")[0] for n, r in ledger.roles.items() if r == STORED)
    kind, _, severity = (gate.slice or "").partition("-")
    names = [gate.slice or ""] if severity else [f"{each}-{s}" for each in ([kind] if kind else chosen) for s in SEVERITIES]
    if STORED in ledger.roles.values():
        yield from (Look(name) for name in (*names, "uncorrupted", min(n for n, role in ledger.roles.items() if role == STORED)))
        return
    yield Look("clean", ledger.settings.corruption_images)
    yield from (Look("clean", ledger.settings.corruption_images, view=name) for name in names)


def _metamorphic(gate: GateId, ledger: Ledger) -> Iterator[Look]:
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


def _adversarial(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    """Passes back count as passes forward do not: they take about twice as long. Those of images that break early end."""
    from pytest_clip.views.attacks.budgets import BUDGETS, HALVINGS, TARGETS

    n, steps = ledger.settings.adversarial_images, ledger.settings.adversarial_steps
    tries = (1 + TARGETS) * (steps + 1) + 1
    yield Look("clean", n)
    for k in range(2):
        yield Look("clean", n, view=f"attack slopes {k}", perhaps=True)
    names = list(BUDGETS) if gate.metric == "smallest_break" else list(BUDGETS)[: list(BUDGETS).index(str(gate.slice)) + 1]
    for name in [*names, *([f"half {k}" for k in range(HALVINGS)] if gate.metric == "smallest_break" else [])]:
        for k in range(tries):
            yield Look("clean", n, view=f"attack {name} {k}", perhaps=True)


def _prompts(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    del ledger
    yield Look("clean")
    if gate.metric.startswith("auroc"):
        yield Look("near")


def _retrieval(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    name = str(gate.slice)
    yield Look(name if name in ledger.sizes else "pairs")


def _lmm(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    """Whose failures an LMM is asked about; what the LMM itself is asked is `session.lmmcost`."""
    name, first = str(gate.slice), ledger.settings.lmm_images
    if gate.metric == "tower_is_clip" or ledger.roles.get(name) == "choice":
        return
    yield Look(name if name in ledger.sizes else "clean", first)
    if name in CORRUPTED:
        yield Look("clean", first, view=name)
    if name in ("hard", "easy"):
        yield Look("clean")


def _shape_bias(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    del ledger
    yield from [Look(str(gate.slice))] if gate.metric == "accuracy" else [Look("cue_conflict"), Look("cue_matched")]


def _correspondence(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    """Maps of both views of each pair, and of one picture to find the layer; which pictures pairs of a pool share is not known."""
    name = str(gate.slice)
    n = ledger.sizes.get(name, 0)
    if name in ledger.within:
        yield Look(ledger.within[name], 2 * n, view=None)
        return
    yield from (Look(name, view=MAPS), Look(name, 1, view=f"{MAPS}: which layer"))
    yield from (Look("clean", n, view=f"{MAPS} of {n}"), Look("clean", 1, view=f"{MAPS} of {n}: which layer"))


def _typographic(gate: GateId, ledger: Ledger) -> Iterator[Look]:
    """What was read first, for what depends on it; then every kind of note that a gate compares; words only where a model reads."""
    kinds = {"drop": ("none", "blank"), "attack_success": ("none",)}.get(gate.metric, ()) + ((gate.slice,) if gate.slice else ())
    published = next((name for name, role in ledger.roles.items() if role in ("bare", "written")), None)
    embedded = "note" in ledger.roles.values()
    if gate.slice not in ("none", "blank", "neutral"):
        yield Look("note_read") if embedded else Look(published or "clean", PHOTOGRAPHS, view="note-read")
    for kind in kinds:
        read = kind not in ("none", "blank", "neutral")
        if published:
            yield Look(kind, perhaps=read)
        elif kind == "none":
            yield Look("clean", None if embedded else PHOTOGRAPHS)
        elif embedded:
            yield Look(f"note_{kind}", perhaps=read)
        else:
            yield Look("clean", PHOTOGRAPHS, view=f"note-{kind}", perhaps=read)


SUITES: Mapping[str, Looks] = {
    **dict.fromkeys(("accuracy", "calibration", "factors", "finetune", "groups", "ood"), _zero_shot),
    **dict.fromkeys(("corruptions", "corruptions_3d", "corruptions_laion_c"), _corruptions),
    "adversarial": _adversarial, "checkpoint": _checkpoint, "correspondence": _correspondence, "lmm": _lmm,
    "metamorphic": _metamorphic, "prompts": _prompts, "retrieval": _retrieval, "shape_bias": _shape_bias,
    "typographic": _typographic,
}  # fmt: skip
