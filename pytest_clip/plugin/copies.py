"""Damaged copies of a model, each made of the sound one when its first gate asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_clip import ClipError
from pytest_clip.mutants.catalog import SOUND
from pytest_clip.mutants.excuse import Excuse
from pytest_clip.session import load
from pytest_clip.session.choices import ModelChoice
from pytest_clip.session.run import ClipSession


class Copies:
    """``make_model`` loads a sound model; ``excuses`` are, by the label of a copy, why there is none."""

    def __init__(self, session: ClipSession, make_model: Callable[[ModelChoice], Any]) -> None:
        self.session, self._make_model = session, make_model
        self.excuses: dict[str, Excuse] = {}
        self._model: tuple[str, Any] = ("", None)

    def keep(self, label: str) -> None:
        """The sound model stays in memory as long as its copies run."""
        if self._model[0] != label:
            self._model = (label, self.session.loaded.get(label))

    def make(self, choice: ModelChoice, request: pytest.FixtureRequest) -> Any:
        """The damaged copy, for the fixture ``clip_model``; skips its gates where there is none."""
        label, sound = self._model
        if sound is None:
            sound = self._make_model(next(each for each in self.session.judged if each.label == label))
            self._model = (label, sound)
        if choice.mutant == SOUND:
            return sound
        assert choice.mutant is not None
        try:
            made = load.make_mutant(
                sound, choice.mutant, data=[load.data_of(self.session, each) for each in self.session.data],
                extraction=lambda: request.getfixturevalue("clip_extraction"), other=lambda: self._partner(choice),
            )  # fmt: skip
        except ClipError as error:
            made = Excuse("not_applicable", f"it could not be made: {error}")
        if isinstance(made, Excuse):
            self.excuses[choice.label] = made
            pytest.skip(made.reason)
        return made

    def _partner(self, choice: ModelChoice) -> Any:
        """What a model is mixed with: the baseline of this run, or the other bundled model that was trained from it or to it."""
        base = next((each for each in self.session.models if each.role is not None), None)
        if base is not None:
            return self._make_model(base)
        from pytest_clip.models import bundled, spec

        if choice.spec.kind != "bundled" or choice.spec.pretrained is not None:
            return None
        starts = {name: bundled.record(name).get("recipe", {}).get("start") for name in bundled.names() if not bundled.is_head(name)}
        name = choice.spec.name
        other = starts.get(name) or next((each for each, start in starts.items() if start == name), None)
        return None if other is None else self._make_model(ModelChoice(other, spec.parse(other), ()))
