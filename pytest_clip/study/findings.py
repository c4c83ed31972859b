"""What the study of CLIP's robustness (arXiv 2410.01534) states, and what the given models say of each statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_clip.study.correlations import Correlation
from pytest_clip.study.study import Study, Told

Answer = Literal["supported", "contradicted", "cannot tell"]
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


def _differs(factor: str, *levels: str) -> Callable[[Study], tuple[Answer, str]]:
    """Whether levels of a factor differ under any shift at equal clean accuracy."""

    def ask(study: Study) -> tuple[Answer, str]:
        own = [each for each in study.effects if each.effect.question.factor == factor and (not levels or each.effect.level in levels)]
        sure = [each for each in own if each.verdict != "cannot tell"]
        if sure:
            return "supported", "; ".join(_line(each) for each in sure)
        measured = [each for each in own if each.effect.estimate is not None]
        if not measured:
            return "cannot tell", _reasons(own) or f"these models have no {factor}"
        return "cannot tell", f"of {len(measured)} comparisons none is sure and independent of how one asks; {_widest(measured)}"

    return ask


def _trend(amount: str, wanted: Literal["any", "higher"]) -> Callable[[Study], tuple[Answer, str]]:
    def ask(study: Study) -> tuple[Answer, str]:
        own = [each for each in study.effects if each.effect.question.factor == amount]
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


def _predicts(one: str, endings: tuple[str, ...]) -> Callable[[Study], tuple[Answer, str]]:
    """Whether ranks of one value are those of others."""

    def ask(study: Study) -> tuple[Answer, str]:
        own = [each for each in study.correlations if each.one == one and each.other.endswith(endings)]
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


def _no_figure(what: str) -> Callable[[Study], tuple[Answer, str]]:
    return lambda study: ("cannot tell", f"these models have no figures of {what}")


STATEMENTS: tuple[tuple[str, str, Callable[[Study], tuple[Answer, str]]], ...] = (
    (
        "the training distribution sets the accuracy under shift at equal clean accuracy",
        "section on visual factors",
        _differs("collection"),
    ),
    (
        "the architecture of the image encoder plays a role for robustness to natural shifts",
        "section on visual factors",
        _differs("architecture"),
    ),
    ("the contrastive loss changes robustness", "six factors", _differs("loss", "sigmoid", "softmax+caption")),
    ("fine-tuning changes robustness at equal clean accuracy", "six factors", _differs("finetuned")),
    ("a larger training set raises accuracy under shift at equal clean accuracy", "six factors", _trend("training_set_size", "higher")),
    ("zero-shot classification accuracy predicts retrieval", "section on retrieval", _predicts("imagenet", ("recall_at_1",))),
    ("the architecture decides the robustness to 3D corruptions", "abstract", _no_figure("3D corruptions")),
    ("CLIP leans to shape, and less so after fine-tuning on ImageNet", "abstract", _no_figure("shape bias")),
    ("calibration depends on the training set and its size", "section on uncertainty", _no_figure("calibration")),
    ("accuracy and OOD detection go together within a training set", "section on OOD detection", _no_figure("OOD scores")),
    ("fewer prompts improve calibration and OOD detection", "six factors", _no_figure("other prompts")),
    ("a large multimodal model gains on categories that are hard for CLIP", "abstract", _no_figure("large multimodal models")),
)


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
    return "; ".join(dict.fromkeys(each.why for each in own))


def _widest(own: list[Told]) -> str:
    """How large a difference these comparisons would still allow."""
    most = max(max(abs(each.effect.points[1]), abs(each.effect.points[2])) for each in own if each.effect.points is not None)
    return f"differences of up to {100 * most:.1f} points are not excluded"
