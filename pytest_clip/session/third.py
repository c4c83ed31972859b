"""Who chooses the wrong options of `lmm/accuracy[third-2]`: the model that `clip_lmm_third` names, or the saved run of one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec
    from pytest_clip.runs.saved import SavedRun
    from pytest_clip.session.settings import Settings

KEY = "clip_lmm_third"
CHOSEN = "lmm/position_bias[circular-2]"
"""The gate whose outcomes hold the distractor of each image."""
DISTRACTOR = "distractor"


def folder(settings: Settings) -> Path | None:
    """Of the saved run that is meant; None where the text is the name of a model."""
    from pytest_clip.runs import names

    text, root = settings.lmm_third, settings.rootpath
    if text is None or not (names.is_path(text) or text in names.known(root)):
        return None
    found = names.folder(text, rootpath=root, here=root)
    return found if (found / names.MANIFEST).is_file() else None


def run(settings: Settings) -> SavedRun | None:
    """The saved run that is meant."""
    from pytest_clip.runs import store

    found = folder(settings)
    return None if found is None else store.read(found)


def spec(settings: Settings) -> ModelSpec:
    """The one model that is meant; ClipError for a text that stands for several."""
    from pytest_clip.models import several

    assert settings.lmm_third is not None
    one, *more = several.specs(settings.lmm_third)
    if more:
        raise ClipError(f"{KEY} = {settings.lmm_third!r} stands for {len(more) + 1} models; name one")
    return one


def check(settings: Settings, data: Collection[str]) -> ModelSpec | None:
    """The model that is meant, None where it is a saved run or nothing; ClipError for one that chose on none of the data sets `data`."""
    if settings.lmm is None or settings.lmm_third is None:
        return None
    found = run(settings)
    if found is None:
        return spec(settings)
    if not any(chosen(found, each) for each in data):
        raise ClipError(
            f"{KEY}: the saved run {settings.lmm_third} has no {CHOSEN} on {' or '.join(data)}; save one: "
            "pytest --clip-model=THIRD --clip-suite=lmm --clip-lmm=ID-or-PATH --clip-save=NAME"
        )
    return None


def chosen(found: SavedRun, data: str) -> dict[str, int]:
    """By image id the `extract.beside.mark` of the class that the first model of a run chose; empty where it was not asked on `data`."""
    told = next((each for model in found.models if (each := found.outcomes(model, data, CHOSEN)) is not None), None)
    if told is None or DISTRACTOR not in told.arrays:
        return {}
    return dict(zip(told.ids, told.arrays[DISTRACTOR].astype(int).tolist(), strict=True))
