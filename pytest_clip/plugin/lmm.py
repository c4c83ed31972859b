"""The fixtures of the suite `lmm`: the large multimodal model, and what it and the CLIP say about the same pairs."""

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
    third, settings, chosen = None, session.settings, None
    if settings.lmm_third is not None:
        chosen = _of_saved_run(session, settings.lmm_third, clip_data)
    if settings.lmm_third is not None and chosen is None:
        other = _third(request.config, session, settings.lmm_third)

        def third(name: str, **how: Any) -> ZeroShot:
            return clip_extraction.zero_shot(other, clip_data, name, **how)

    interviews, name = Interviews(clip_extraction, clip_lmm), settings.lmm_third or ""
    return Beside(zero_shot, clip_data, interviews, settings.lmm_images, third, name, chosen)


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


__all__ = ["clip_beside", "clip_lmm"]
