"""Behind the fixtures of the suite `lmm`: the large multimodal model, and what it and the CLIP say about the same pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip.plugin.keys import running
from pytest_clip.session import third

if TYPE_CHECKING:
    from pytest_clip.extract.beside import Beside
    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.models.lmm.protocol import Lmm
    from pytest_clip.session.run import ClipSession

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

    other, settings = None, session.settings
    saved = third.run(settings)
    if settings.lmm_third is not None and saved is None:
        model = _third(request.config, session)

        def other(name: str, **how: Any) -> ZeroShot:
            return extraction.zero_shot(model, data, name, **how)

    label = next((label for label, each in session.loaded_data.items() if each is data), "")
    chosen = None if saved is None else third.chosen(saved, label)
    return Beside(zero_shot, data, Interviews(extraction, lmm), settings.lmm_images, other, settings.lmm_third or "", chosen)


def _third(config: pytest.Config, session: ClipSession) -> Any:
    """The model that chooses distractors; its answers are stored like all others."""
    from pytest_clip.plugin.making import make_model
    from pytest_clip.session.choices import ModelChoice

    spec = third.spec(session.settings)
    return make_model(config, session, ModelChoice(spec.label, spec, (spec.text,)))
