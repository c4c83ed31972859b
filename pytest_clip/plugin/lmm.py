"""The fixtures of the suite `lmm`: the large multimodal model, and what it and the CLIP say about the same pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip.plugin.keys import running

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


@pytest.fixture(scope="session")
def clip_lmm(request: pytest.FixtureRequest) -> Lmm:
    """The large multimodal model of ``--clip-lmm``, with ``option_scores`` and ``answer``; its weights are read when it is first asked.

    To measure a model of your own, return it from the ``pytest_clip_make_lmm`` hook.
    """
    session = _session(request.config)
    from pytest_clip.plugin.xdist import limit_threads
    from pytest_clip.session import load

    assert session.settings.lmm is not None
    made: Any = request.config.hook.pytest_clip_make_lmm(name=session.settings.lmm.text, config=request.config)
    limit_threads(request.config)
    return made if made is not None else load.load_lmm(session)  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def clip_beside(
    request: pytest.FixtureRequest, clip_lmm: Lmm, clip_model: Any, clip_data: Any, clip_extraction: Extraction,
    zero_shot: Callable[..., ZeroShot],
) -> Beside:  # fmt: skip
    """``clip_beside.asked("clean")``: questions with the CLIP's own failure categories, and what the LMM finds likely."""
    session = _session(request.config)
    from pytest_clip.extract.beside import Beside
    from pytest_clip.extract.interviews import Interviews

    del clip_model  # the CLIP that `zero_shot` asks
    third, settings = None, session.settings
    if settings.lmm_third is not None:
        other = _third(request.config, session, settings.lmm_third)

        def third(name: str, **how: Any) -> ZeroShot:
            return clip_extraction.zero_shot(other, clip_data, name, **how)

    return Beside(zero_shot, clip_data, Interviews(clip_extraction, clip_lmm), settings.lmm_images, third, settings.lmm_third or "")


def _third(config: pytest.Config, session: ClipSession, text: str) -> Any:
    """The model that chooses distractors; its answers are stored like all others."""
    from pytest_clip.models import several
    from pytest_clip.plugin.making import make_model
    from pytest_clip.session.choices import ModelChoice

    spec, *_ = several.specs(text)
    return make_model(config, session, ModelChoice(spec.label, spec, (spec.text,)))


__all__ = ["clip_beside", "clip_lmm"]
