"""What a run says of the factors of its models: derived, from cards beside the weights, and from --clip-factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.models.factors import Value
    from pytest_clip.session.choices import ModelChoice
    from pytest_clip.session.settings import Settings


@dataclass(frozen=True)
class Said:
    """Of one model, what people say of its factors."""

    card: Mapping[str, Value] = field(default_factory=dict)
    option: Mapping[str, Value] = field(default_factory=dict)


def collect(settings: Settings, models: Sequence[ModelChoice]) -> dict[str, Said]:
    """By label what cards and options say. ClipError for a card that is none, and for a factor of a model that is not in the run.

    `key=value` is for every model under test, `NAME:key=value` for one of them and before the other.
    """
    from pytest_clip.models import clipcard

    given: dict[str, dict[str, Value]] = {choice.label: {} for choice in models}
    for name, key, value in sorted(settings.factors, key=lambda each: bool(each[0])):
        meant = [choice for choice in models if (name in (choice.label, *choice.names) if name else choice.role is None)]
        if not meant:
            from pytest_clip.gates.catalog import did_you_mean

            labels = [choice.label for choice in models]
            hint = did_you_mean(name, labels, otherwise=f"; there is {', '.join(labels)}")
            raise ClipError(f"--clip-factor={name}:{key}={value}: no model {name!r} in this run{hint}")
        for choice in meant:
            given[choice.label][key] = value
    cards = {choice.label: clipcard.place(choice.spec) for choice in models}
    return {label: Said({} if card is None else clipcard.read(card), given[label]) for label, card in cards.items()}


def of(said: Mapping[str, Said], choices: Sequence[ModelChoice], label: str, model: Any) -> dict[str, dict[str, Value]]:
    """The factors of a model that was really used; of a damaged copy those of its model."""
    from pytest_clip.models import derived, factors

    choice = next((each for each in choices if each.label == label), None)
    people = said.get(label, Said())
    return factors.told(derived.of_model(None if choice is None else choice.spec, model), card=people.card, option=people.option)
