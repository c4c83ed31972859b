"""What the study of CLIP's robustness (arXiv 2410.01534) states, and what the given models say of each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_clip.study.correlations import Correlation
from pytest_clip.study.properties import CLEAN, ECE, ECE_SHIFT, IMAGE, NEAR, TEXT, THREE_D
from pytest_clip.study.seeds import GAPS, Seeded
from pytest_clip.study.study import Study, Told
from pytest_clip.study.traits import Answer, calibration, fewer_prompts, leans, seeded_line

REASONS = 4
EQUAL = 0.01
"""Levels whose every interval lies within this much of 0 do not differ: the statement that they do is contradicted."""
STRONG = 0.5
"""A correlation predicts when its interval lies above this, and is contradicted when it lies below."""


@dataclass(frozen=True)
class Finding:
    """A statement of the study, where it is from, what the models say of it and why."""

    statement: str
    source: str
    answer: Answer
    why: str


def findings(study: Study) -> list[Finding]:
    """Every statement, in the study's order; what no figure of these models speaks of is *cannot tell*."""
    return [Finding(statement, source, *ask(study)) for statement, source, ask in STATEMENTS]


def _differs(
    factors: tuple[str, ...], *, on: tuple[str, ...] = (), but: tuple[str, ...] = (), lacking: str = "", equal: float = EQUAL
) -> Callable[[Study], tuple[Answer, str]]:
    """Whether levels of a factor differ under any shift (or in the numbers `on`) at equal clean accuracy, over families or over seeds.

    Where all intervals lie within `equal` of 0 they do not.
    """

    def ask(study: Study) -> tuple[Answer, str]:
        if lacking and not any(name in study.population.values for name in on):
            return "cannot tell", f"these models have no figures of {lacking}"
        wanted = on or study.plan.shifts
        own = [
            each
            for each in study.effects
            if each.effect.question.factor in factors and each.effect.question.on in wanted and each.effect.level not in but
        ]
        seeded = [each for each in study.seeded if each.factor in factors and each.level not in but and each.what in (on or GAPS)]
        sure = [_line(each) for each in own if each.verdict != "cannot tell"] + [seeded_line(each) for each in seeded if each.sure]
        if sure:
            return "supported", "; ".join(sure)
        measured = [each for each in own if each.effect.estimate is not None]
        if not measured:
            why = _reasons(own) or f"these models do not differ in {' or '.join(factors)}"
            return "cannot tell", f"{why}; {_over_seeds(seeded)}" if seeded else why
        if all(max(abs(end) for end in _ends(each)) < equal for each in measured):
            told = f"of {len(measured)} comparisons none is sure and {_widest(measured)}"
            return "contradicted", f"{told}, which is less than {100 * equal:g}"
        return "cannot tell", f"of {len(measured)} comparisons none is sure and independent of how one asks; {_widest(measured)}"

    return ask


def _trend(amount: str, wanted: Literal["any", "higher"], *, on: tuple[str, ...] = ()) -> Callable[[Study], tuple[Answer, str]]:
    def ask(study: Study) -> tuple[Answer, str]:
        wanted_on = on or study.plan.shifts
        own = [each for each in study.effects if each.effect.question.factor == amount and each.effect.question.on in wanted_on]
        sure = [each for each in own if each.verdict != "cannot tell"]
        signs = {each.verdict for each in sure}
        if len(signs) == 2:
            return "cannot tell", f"the sign changes with the shift: {'; '.join(_line(each) for each in sure)}"
        if not sure:
            return "cannot tell", _reasons(own) or f"these models have no {amount}"
        told = "; ".join(_line(each) for each in sure)
        if wanted == "higher" and signs == {"lower"}:
            measured = sum(each.effect.estimate is not None for each in own)
            return (
                ("contradicted", told) if 2 * len(sure) > measured else ("cannot tell", f"{told}; of {measured} shifts, most show nothing")
            )
        return "supported", told

    return ask


def _predicts(ones: tuple[str, ...], endings: tuple[str, ...]) -> Callable[[Study], tuple[Answer, str]]:
    """Whether ranks of one value are those of others."""

    def ask(study: Study) -> tuple[Answer, str]:
        own = [each for each in study.correlations if each.one in ones and each.other.endswith(endings) and not each.within]
        known = [each for each in own if each.interval is not None]
        if not known:
            return "cannot tell", "; ".join(each.refused or "" for each in own) or "no model has both numbers"
        told = "; ".join(_rho(each) for each in known)
        if all(each.interval is not None and each.interval[0] > STRONG for each in known):
            return "supported", told
        if all(each.interval is not None and each.interval[1] < STRONG for each in known):
            return "contradicted", told
        return "cannot tell", told

    return ask


def _together(what: str, other: str) -> Callable[[Study], tuple[Answer, str]]:
    """Whether two numbers go together among models of one level: the interval of the rank correlation leaves out 0."""

    def ask(study: Study) -> tuple[Answer, str]:
        if other not in study.population.values:
            return "cannot tell", f"these models have no figures of {what}"
        own = [each for each in study.correlations if each.within and each.other == other]
        known = [each for each in own if each.interval is not None]
        if not known:
            return "cannot tell", "; ".join(each.refused or "" for each in own) or "their training set is not known"
        told, (low, high) = f"within {known[0].within}: {_rho(known[0])}", known[0].interval or (-1.0, 1.0)
        return ("supported" if low > 0 else "contradicted" if high < 0 else "cannot tell"), told

    return ask


def _no_figure(what: str) -> Callable[[Study], tuple[Answer, str]]:
    return lambda study: ("cannot tell", f"these models have no figures of {what}")


DISTRIBUTION, ARCHITECTURE, FINETUNED = ("collection", "training_set"), ("architecture", "family"), ("finetuned", "finetuned_on")
STATEMENTS: tuple[tuple[str, str, Callable[[Study], tuple[Answer, str]]], ...] = (
    (
        "the training distribution sets the accuracy under shift at equal clean accuracy", "section on visual factors",
        _differs(DISTRIBUTION),
    ),
    (
        "the architecture of the image encoder plays a role for robustness to natural shifts", "section on visual factors",
        _differs(ARCHITECTURE),
    ),
    ("the contrastive loss changes robustness", "six factors", _differs(("loss",), but=("softmax+distillation",))),
    ("fine-tuning changes robustness at equal clean accuracy", "six factors", _differs(FINETUNED)),
    ("a larger training set raises accuracy under shift at equal clean accuracy", "six factors", _trend("training_set_size", "higher")),
    (
        "zero-shot classification accuracy predicts retrieval", "section on retrieval",
        _predicts(("imagenet", CLEAN), ("recall_at_1", IMAGE, TEXT)),
    ),
    (
        "the architecture decides the robustness to 3D corruptions", "abstract",
        _differs(ARCHITECTURE, on=(THREE_D,), lacking="3D corruptions"),
    ),
    ("CLIP leans to shape, and less so after fine-tuning on ImageNet", "abstract", leans),
    ("calibration depends on the training set and its size", "section on uncertainty", calibration(
        _differs(DISTRIBUTION, on=(ECE, ECE_SHIFT), lacking="calibration", equal=0.0),
        _trend("training_set_size", "any", on=(ECE, ECE_SHIFT)),
    )),
    ("accuracy and OOD detection go together within a training set", "section on OOD detection", _together("OOD scores", NEAR)),
    ("fewer prompts improve calibration and OOD detection", "six factors", fewer_prompts),
    ("a large multimodal model gains on categories that are hard for CLIP", "abstract", _no_figure("large multimodal models")),
)  # fmt: skip


def _line(told: Told) -> str:
    effect = told.effect
    assert effect.points is not None
    assert effect.p_holm is not None
    value, low, high = (100 * each for each in effect.points)
    against = "" if effect.level == "x10" else f" against {effect.reference}"
    return (
        f"{effect.question.on}: {effect.question.factor} {effect.level}{against} {value:+.1f} points ({low:+.1f} to {high:+.1f}), "
        f"{effect.families[0]}{f' and {effect.families[1]}' if effect.families[1] else ''} families, p = {effect.p_holm:.2g}, {told.why}"
    )


def _rho(each: Correlation) -> str:
    assert each.interval is not None
    return f"{each.one} and {each.other}: rho {each.rho:.2f} ({each.interval[0]:.2f} to {each.interval[1]:.2f}), {each.lineages} families"


def _reasons(own: Iterable[Told]) -> str:
    found = list(dict.fromkeys(each.why for each in own))
    return "; ".join([*found[:REASONS], *([f"{len(found) - REASONS} more reasons like these"] if len(found) > REASONS else [])])


def _ends(told: Told) -> tuple[float, float]:
    points = told.effect.points
    return (float("-inf"), float("inf")) if points is None else points[1:]


def _over_seeds(seeded: list[Seeded]) -> str:
    known = sum(each.estimate is not None for each in seeded)
    return f"of {known} comparisons over seeds none is sure" if known else "no spread over seeds is known"


def _widest(own: list[Told]) -> str:
    """How large a difference these comparisons would still allow."""
    most = max(max(abs(each.effect.points[1]), abs(each.effect.points[2])) for each in own if each.effect.points is not None)
    return f"differences of up to {100 * most:.1f} points are not excluded"
