"""Behind the fixtures of the suite `lmm`: the large multimodal model, and what it and the CLIP say about the same pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.keys import running

if TYPE_CHECKING:
    from pytest_clip.extract.beside import Beside
    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.models.lmm.protocol import Lmm
    from pytest_clip.session.run import ClipSession

CHOSEN = "lmm/position_bias[circular-2]"
"""The gate whose outcomes hold the distractor of each image."""
NONE_NAMED = "no large multimodal model was named: run pytest with --clip-lmm=ID-or-PATH"


def _session(config: pytest.Config) -> ClipSession:
    session = running(config)
    if session is None or session.settings.lmm is None:
        pytest.skip(NONE_NAMED)
    return session


def make_lmm(request: pytest.FixtureRequest) -> Lmm:
    """From the project's hook, or else from pytest-clip."""
    session = _session(request.config)
    from pytest_clip.plugin.xdist import limit_threads
    from pytest_clip.session import load

    assert session.settings.lmm is not None
    made: Any = request.config.hook.pytest_clip_make_lmm(name=session.settings.lmm.text, config=request.config)
    limit_threads(request.config)
    return made if made is not None else load.load_lmm(session)  # type: ignore[no-any-return]


def make_beside(request: pytest.FixtureRequest, lmm: Lmm, data: Any, extraction: Extraction, zero_shot: Callable[..., ZeroShot]) -> Beside:
    """What both say about the same pairs."""
    session = _session(request.config)
    from pytest_clip.extract.beside import Beside
    from pytest_clip.extract.interviews import Interviews

    third, settings, chosen = None, session.settings, None
    if settings.lmm_third is not None:
        chosen = _of_saved_run(session, settings.lmm_third, data)
    if settings.lmm_third is not None and chosen is None:
        other = _third(request.config, session, settings.lmm_third)

        def third(name: str, **how: Any) -> ZeroShot:
            return extraction.zero_shot(other, data, name, **how)

    return Beside(zero_shot, data, Interviews(extraction, lmm), settings.lmm_images, third, settings.lmm_third or "", chosen)


def _of_saved_run(session: ClipSession, text: str, data: Any) -> dict[str, int] | None:
    """By image id the distractors of the first model of a saved run; None where the text names no run."""
    from pytest_clip.runs import names, store

    folder = names.folder(text, rootpath=session.settings.rootpath, here=session.settings.rootpath)
    if not folder.is_dir() or not (names.is_path(text) or text in names.known(session.settings.rootpath)):
        return None
    run = store.read(folder)
    label = next((label for label, each in session.loaded_data.items() if each is data), "")
    found = next((each for model in run.models if (each := run.outcomes(model, label, CHOSEN)) is not None), None)
    if found is None or "distractor" not in found.arrays:
        raise ClipError(
            f"clip_lmm_third: the saved run {text} has no {CHOSEN} on {label}; save one: "
            "pytest --clip-model=THIRD --clip-suite=lmm --clip-lmm=ID-or-PATH --clip-save=NAME"
        )
    return dict(zip(found.ids, found.arrays["distractor"].astype(int).tolist(), strict=True))


def _third(config: pytest.Config, session: ClipSession, text: str) -> Any:
    """The model that chooses distractors; its answers are stored like all others."""
    from pytest_clip.models import several
    from pytest_clip.plugin.making import make_model
    from pytest_clip.session.choices import ModelChoice

    spec, *_ = several.specs(text)
    return make_model(config, session, ModelChoice(spec.label, spec, (spec.text,)))
