"""Paths of weights among the models of a run: `wise:BASE::TUNED::0:1:0.1`, whose last model is TUNED."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.session.choices import ModelChoice
    from pytest_clip.session.settings import Settings

SUITE = "finetune"
"""The suite that needs a path, and is measured only where there is one."""
NO_PATH = "no models of this run are a path of weights with an inner point and its end; add --clip-model=wise:BASE::TUNED::0:1:0.1"


@dataclass(frozen=True)
class Path:
    """The models between two, by alpha; the last is TUNED, at 1."""

    alphas: tuple[float, ...]
    choices: tuple[ModelChoice, ...]

    @property
    def end(self) -> ModelChoice:
        return self.choices[-1]


def of(models: Sequence[ModelChoice]) -> dict[str, Path]:
    """By the label of its last model every path with alpha 1 and at least one alpha between 0 and 1."""
    from pytest_clip.models.spec import interpolated

    found: dict[str, dict[float, ModelChoice]] = {}
    for choice in models:
        if choice.spec.kind == "wise" and choice.role is None:
            found.setdefault(choice.spec.name, {}).setdefault(interpolated(choice.spec)[2], choice)
    ordered = [sorted(each.items()) for each in found.values() if _is_path(list(each))]
    return {each[-1][1].label: Path(tuple(a for a, _ in each), tuple(choice for _, choice in each)) for each in ordered}


def asked(settings: Settings) -> bool:
    """Whether the models that were named hold a path; without models nobody knows yet."""
    from pytest_clip.models import alphas

    found: dict[str, set[float]] = {}
    try:
        for text in (text for each in settings.models for text in alphas.expand(each) if text.strip().startswith("wise:")):
            base, tuned, alpha = alphas.parts(text)
            found.setdefault(f"{base}::{tuned}", set()).add(alpha)
    except ClipError:  # said where models are read
        return False
    return not settings.models or any(_is_path(list(each)) for each in found.values())


def _is_path(alphas: list[float]) -> bool:
    return 1.0 in alphas and any(0 < alpha < 1 for alpha in alphas)
