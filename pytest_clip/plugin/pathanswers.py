"""The answers of all models on a path of weights, for the gates of its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.making import make_model
from pytest_clip.session import paths
from pytest_clip.session.run import ClipSession

if TYPE_CHECKING:
    from pytest_clip.extract.extraction import Extraction

METRIC = "finetune/below_path"


@dataclass(frozen=True)
class Answered:
    """Right answers, bool [n, k], of the k models at `alphas` to n images; the last is the end of the path, whose `end` are the answers."""

    alphas: tuple[float, ...]
    right: np.ndarray[Any, Any]
    end: Any


class PathAnswers:
    """Called with the name of an image set. Each model is made once, one at a time, and answers at once all that the gates will ask."""

    def __init__(self, config: pytest.Config, session: ClipSession, model: Any, data: Any, extraction: Extraction) -> None:
        self._config, self._session, self._model, self._data, self._extraction = config, session, model, data, extraction
        label = next((label for label, each in session.loaded.items() if each is model), None)
        if label is None:
            raise ClipError(
                "a path of weights cannot be measured: conftest.py puts its own clip_model in the place of every model; "
                "make it in the hook pytest_clip_make_model, which is told which one is meant"
            )
        self.path = paths.of(session.models)[label]
        self._right: dict[str, list[np.ndarray[Any, Any]]] = {}

    def __call__(self, image_set: str) -> Answered:
        end = self._extraction.zero_shot(self._model, self._data, image_set)
        if image_set not in self._right:
            self._ask(image_set)
        return Answered(self.path.alphas, np.stack([*self._right[image_set], end.right], axis=1), end)

    def _ask(self, image_set: str) -> None:
        choice = next(each for each in self._session.data if self._session.loaded_data.get(each.label) is self._data)
        names = {"clean", image_set, *(gate.slice or "clean" for gate in self._session.reach.gates(METRIC, choice))}
        asked: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in sorted(names)}
        for each in self.path.choices[:-1]:
            model = make_model(self._config, self._session, each)
            for name, right in asked.items():
                right.append(self._extraction.zero_shot(model, self._data, name).right)
            self._extraction.forget(model)
            del model
        self._right = asked
