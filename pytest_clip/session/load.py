"""The calls to the heavy neighbours, each in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_clip.session.choices import DataChoice, ModelChoice

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.session.run import ClipSession


def image_sets(name: str) -> Sequence[SetInfo]:
    """The image sets of a data set by name, role and size, without making or reading one image."""
    from pytest_clip.data import catalog

    return catalog.sets(name)


def doubts(data: Sequence[DataChoice]) -> dict[str, tuple[str, ...]]:
    """What the doctor says about names and counts; what makes a run impossible has been refused before."""
    from pytest_clip.data import doctor

    return {choice.label: tuple(each.what for each in doctor.quick(choice.text) if each.level == "warn") for choice in data}


def data_of(session: ClipSession, choice: DataChoice) -> Any:
    """The data set of a choice, loaded once in a run."""
    if choice.label not in session.loaded_data:
        session.loaded_data[choice.label] = load_data(session, choice)
    return session.loaded_data[choice.label]


def load_data(session: ClipSession, choice: DataChoice) -> Any:
    from pytest_clip import data
    from pytest_clip.data import content

    settings = session.settings
    content.remember_in(settings.cache_dir / "content" if settings.cache else None)
    known = session.sets.get(choice.label)
    made = data.load(choice.text, limit=settings.limit, prompts=settings.prompts, known=known, max_unreadable=settings.max_unreadable)
    return replace(made, depth_model=settings.depth_model)


def load_model(session: ClipSession, choice: ModelChoice) -> Any:
    from pytest_clip.models import lazy
    from pytest_clip.models.cards import visible_cards

    settings = session.settings

    def build() -> Any:
        from pytest_clip.models.quiet import unswept

        # Said before torch is imported: the imports alone take 3 to 10 s, longer than anybody waits for a sign.
        with session.progress(f"loading {choice.label}", 1).begin():
            with unswept():
                from pytest_clip.models import reader

            return reader.load(
                choice.spec, device=settings.device, precision=settings.precision, compile=settings.compile, cache_dir=settings.cache_dir,
                classes=settings.classes, prefix=settings.strip_prefix,
            )  # fmt: skip

    if not settings.cache or session.copies:  # damaged copies are made of the model itself
        return build()
    conditions = {
        "device": settings.device,
        "precision": settings.precision,
        "compile": settings.compile,
        "cards": len(visible_cards(os.environ)),
        "prefix": settings.strip_prefix,
        "classes": None if settings.classes is None else settings.classes.read_bytes().hex(),
    }
    return lazy.load(choice.spec, cache=settings.cache_dir, conditions=conditions, build=build)


def load_lmm(session: ClipSession) -> Any:
    """The LMM of the run, known by its files; its weights are read when something must go through it."""
    from pytest_clip.models.lmm import load

    assert session.settings.lmm is not None
    return load.load(session.settings.lmm, device=session.settings.device)


def make_mutant(model: Any, name: str, *, data: Sequence[Any], extraction: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """The damaged copy, or the `Excuse` for there being none."""
    from pytest_clip.mutants import build

    return build.attempt(name, model, data=data, extraction=extraction, other=other)
