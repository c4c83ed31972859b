"""From settings to a session: everything that can be checked without a model is checked here, and loads nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_clip import ClipError, session
from pytest_clip.session import ClipSession, DataChoice, ModelChoice

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.rules import Rulebook
    from pytest_clip.runs.regressions import Regressions
    from pytest_clip.settings import Settings
    from pytest_clip.updating import Target


def start(settings: Settings) -> ClipSession:
    """Check everything that can be checked without a model. Loads nothing heavy; all user errors are ``ClipError``."""
    models = _models(settings)
    data = _data(settings)
    sets = {choice.label: session.image_sets(choice.text) for choice in data}
    files = _threshold_files(settings)
    goal = _update_target(settings, files)
    held = _regressions(settings, models, data)
    paths = tuple(path for path, _ in files)
    return ClipSession(
        settings, models, data, sets, _rulebook(files, sets), paths, regressions=held, update=goal, doubts=session.doubts(data)
    )


def _models(settings: Settings) -> tuple[ModelChoice, ...]:
    from pytest_clip.models import spec

    if settings.pretrained is not None and len(settings.models) != 1:
        raise ClipError(
            f"--clip-pretrained belongs to a single --clip-model, but there are {len(settings.models)}; "
            "write --clip-model=NAME,PRETRAINED for each model"
        )
    specs = [spec.parse(text, pretrained=settings.pretrained) for text in dict.fromkeys(settings.models)]
    labels = _unique([_id_safe(label) for label in spec.labels(specs)])
    models = tuple(
        ModelChoice(label, each, tuple(dict.fromkeys((label, each.label, each.text, each.key))))
        for label, each in zip(labels, specs, strict=True)
    )
    if settings.baseline_model is None:
        return models
    base = spec.parse(settings.baseline_model)
    return (ModelChoice(_unique([*labels, _id_safe(f"base-{base.label}")])[-1], base, (), "baseline"), *models)


def _data(settings: Settings) -> tuple[DataChoice, ...]:
    from pytest_clip.data import labels, remote

    texts = [str(remote.fetch(text, cache=settings.cache_dir)) if remote.is_url(text) else text for text in settings.data]
    return tuple(DataChoice(label, text) for label, text in labels.chosen(texts))


def _regressions(settings: Settings, models: Sequence[ModelChoice], data: Sequence[DataChoice]) -> Regressions | None:
    if settings.baseline is None and settings.baseline_model is None and settings.save is None:
        return None
    from pytest_clip.runs import regressions

    labels = [choice.label for choice in models if choice.role is None]
    return regressions.start(settings, models=labels, data=[choice.label for choice in data])


def _threshold_files(settings: Settings) -> tuple[tuple[Path, str], ...]:
    own = settings.rootpath / "thresholds.toml"
    named = settings.thresholds
    if settings.update and named and not named[-1][0].exists():
        named = named[:-1]  # --clip-update makes it
    if own.is_file() and own.resolve() not in [path.resolve() for path, _ in named]:
        return ((own, "the rootdir"), *named)
    return named


def _update_target(settings: Settings, files: Sequence[tuple[Path, str]]) -> Target | None:
    if not settings.update:
        return None
    from pytest_clip import updating

    return updating.target(settings, [path for path, _ in files])


def _rulebook(files: Sequence[tuple[Path, str]], sets: Mapping[str, Sequence[SetInfo]]) -> Rulebook:
    from datetime import date

    from pytest_clip.gates import thresholds
    from pytest_clip.gates.catalog import CATALOG, SUITES
    from pytest_clip.gates.layers import ThresholdsFile

    # Tests are not collected yet, so gates of a project's own suites cannot be known; only what looks like a shipped gate is refused.
    book = thresholds.load([ThresholdsFile(path, by) for path, by in files], today=date.today(), extra_gates=None, known=sets)
    for entry in book.entries:
        if entry.gate.suite in SUITES:
            continue
        if close := get_close_matches(entry.gate.metric_id, CATALOG, n=1, cutoff=0.85):
            raise ClipError(f"{entry.source}: no gate {str(entry.gate)!r}; did you mean {close[0]!r}?")
    return book


def _id_safe(text: str) -> str:
    """ASCII that neither pytest nor xdist reads anything into."""
    return re.sub(r"[^A-Za-z0-9_.,+=-]+", "-", text).strip("-")[:60] or "model"


def _unique(labels: Sequence[str]) -> list[str]:
    """Two things that shorten to one name must not share a node id: the second gets ``-2``."""
    taken: list[str] = []
    for label in labels:
        candidate, count = label, 1
        while candidate in taken:
            count += 1
            candidate = f"{label}-{count}"
        taken.append(candidate)
    return taken
