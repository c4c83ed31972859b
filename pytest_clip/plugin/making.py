"""What happens before a fixture hands out a model: data is looked at, pictures begin to be rendered, the project's hook is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.items import sets_asked
from pytest_clip.plugin.keys import MUTATING
from pytest_clip.session import facts, load
from pytest_clip.session.choices import ModelChoice
from pytest_clip.session.run import ClipSession
from pytest_clip.session.settings import Settings

if TYPE_CHECKING:
    from pytest_clip.extract.extraction import Extraction


def begin(request: pytest.FixtureRequest, session: ClipSession) -> None:
    """Start rendering before the model loads, which takes seconds, when a test of this run asks for images of the embedded benchmark."""
    if not any("clip_extraction" in getattr(item, "fixturenames", ()) for item in request.session.items):
        return
    extraction: Extraction = request.getfixturevalue("clip_extraction")
    for choice in session.data:
        if choice.text == "scenes":
            extraction.start(load.data_of(session, choice))


def check_data(request: pytest.FixtureRequest, session: ClipSession) -> None:
    """Pictures that cannot be read, and others than those of the saved baseline, are one error each, said before a model loads."""
    held = session.regressions is not None and session.settings.baseline is not None
    asked = sets_asked(request.session.items, session)
    for choice in session.data:
        if choice.text == "scenes" and not held:  # drawn up while others are rendered, and always readable
            continue
        data = load.data_of(session, choice)
        try:
            facts.inspect(session, choice.label, data, asked[choice.label])
        except ClipError:
            request.session.shouldfail = f"images of {choice.label} cannot be read, so no gate is measured"
            raise
        try:
            if held and session.regressions is not None:
                session.regressions.check_data(choice.label, data)
        except ClipError:
            request.session.shouldfail = "the baseline cannot be compared with this run, so none of its gates is measured"
            raise


def makes_models(config: pytest.Config) -> bool:
    """Whether the project has models of its own: by the hook, or by its own fixture in a conftest.py that has been read."""
    if config.hook.pytest_clip_make_model.get_hookimpls():
        return True
    names = {each: str(getattr(each, "__name__", "pytest_clip")) for each in config.pluginmanager.get_plugins()}
    modules = [each for each, name in names.items() if not name.startswith("pytest_clip")]
    return any(hasattr(each, "clip_model") for each in modules)


def make_model(config: pytest.Config, session: ClipSession, choice: ModelChoice) -> Any:
    """From the project's hook, or else from pytest-clip."""
    model = config.hook.pytest_clip_make_model(spec=choice.spec, config=config)
    return load.load_model(session, choice) if model is None else model


def make_mutant(request: pytest.FixtureRequest, choice: ModelChoice) -> Any:
    return request.config.stash[MUTATING].copies.make(choice, request)


def executor(settings: Settings) -> Any:
    """Who embeds images: None for this process."""
    kind, _, address = settings.executor.partition(":")
    if kind == "local":
        return None
    from pytest_clip.extract.rays import Rays

    return Rays(address, actors=settings.workers, batch_size=settings.batch_size)
