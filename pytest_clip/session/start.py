"""From settings to a session: everything that can be checked without a model is checked here, and loads nothing heavy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_clip import ClipError
from pytest_clip.session import factors, load, third
from pytest_clip.session.choices import DataChoice, ModelChoice
from pytest_clip.session.ownership import refuse_shared
from pytest_clip.session.run import ClipSession

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.rules import Rulebook
    from pytest_clip.session.regressions import Regressions
    from pytest_clip.session.settings import Settings
    from pytest_clip.session.updating import Target

T = TypeVar("T")


def start(settings: Settings, *, check: Callable[[], object] = lambda: None, ours: bool = True, hooked: bool = False) -> ClipSession:
    """Check everything that can be checked without a model, and what the caller asks to ``check`` besides. Loads nothing heavy.

    ``ours`` says that models are built by pytest-clip and not by the project, so that names and files can be looked at first;
    ``hooked`` that the project may build them, so that names which are not written as ours are left to it.

    All user errors are one ``ClipError``: who mends one is not told of the next by another run.
    """
    if settings.cache and not settings.shared_cache:
        refuse_shared(settings.cache_dir)
    faults = Faults()
    models = faults.of(lambda: _models(settings)) or ()
    data = faults.of(lambda: _data(settings)) or ()
    sets = {choice.label: faults.of(partial(load.image_sets, choice.text)) or () for choice in data}
    faults.of(check)
    files = faults.of(lambda: _threshold_files(settings)) or ()
    known = {label: each for label, each in sets.items() if each}
    rulebook = faults.of(lambda: _rulebook(files, settings.likes, settings.limit, known))
    said = faults.of(lambda: factors.collect(settings, models)) or {}
    if ours:
        faults.of(lambda: look(models))
        faults.of(lambda: _prefix_is_for(models, settings.strip_prefix))
    elif not hooked:
        faults.of(lambda: look([choice for choice in models if choice.spec.kind == "unknown"]))
    faults.of(lambda: _lmm(settings))
    other = faults.of(lambda: third.check(settings, [choice.label for choice in data]))
    if other is not None and (ours or (not hooked and other.kind == "unknown")):
        faults.of(lambda: look([ModelChoice(other.label, other, (other.text,))]))
    faults.raise_all()
    assert rulebook is not None
    goal = _update_target(settings, files)
    held = _regressions(settings, models, data)
    paths = tuple(path for path, _ in files)
    return ClipSession(settings, models, data, sets, rulebook, said, paths, regressions=held, update=goal, doubts=load.doubts(data))


class Faults:
    """Errors of steps that do not depend on each other, said together."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def of(self, step: Callable[[], T]) -> T | None:
        """What the step gives; None, and its sentence kept, where it fails."""
        try:
            return step()
        except ClipError as error:
            self.told.append(str(error))
            return None

    def raise_all(self) -> None:
        if self.told:
            raise ClipError("\n".join(dict.fromkeys(self.told)))


def look(models: Sequence[ModelChoice]) -> None:
    """ClipError for every model that is not there, or does not begin like a model: before one of them is loaded."""
    from pytest_clip.models.look import problem

    if told := [text for choice in models if (text := problem(choice.spec)) is not None]:
        raise ClipError("\n".join(told))


def _prefix_is_for(models: Sequence[ModelChoice], prefix: str | None) -> None:
    """ClipError for a prefix where no model is read from a checkpoint file."""
    from pytest_clip.models.sources import reads_a_file

    if prefix is not None and not any(reads_a_file(choice.spec) for choice in models):
        raise ClipError(f"--clip-strip-prefix={prefix} is for checkpoint files, and no model of this run is one; leave it out")


def _lmm(settings: Settings) -> None:
    """ClipError for an LMM that is not there or no LMM, as far as its small files say."""
    if settings.lmm is None:
        return
    from pytest_clip.models.lmm.names import problem

    if (told := problem(settings.lmm)) is not None:
        raise ClipError(told)


def _models(settings: Settings) -> tuple[ModelChoice, ...]:
    from pytest_clip.models import labels, names, several

    if settings.pretrained is not None and len(settings.models) != 1:
        raise ClipError(
            f"--clip-pretrained belongs to a single --clip-model, but there are {len(settings.models)}; "
            "write --clip-model=NAME,PRETRAINED for each model"
        )
    specs = tuple(dict.fromkeys(each for text in settings.models for each in several.specs(text, pretrained=settings.pretrained)))
    chosen = names.unique([_id(label) for label in labels.labels(specs)])
    models = tuple(
        ModelChoice(label, each, tuple(dict.fromkeys((label, each.label, each.text, each.key))))
        for label, each in zip(chosen, specs, strict=True)
    )
    if settings.baseline_model is None:
        return models
    base, *more = several.specs(settings.baseline_model)
    if more:
        raise ClipError(f"--clip-baseline-model={settings.baseline_model!r} stands for {len(more) + 1} models; name one")
    return (ModelChoice(names.unique([*chosen, _id(f"base-{base.label}")])[-1], base, (), "baseline"), *models)


def _data(settings: Settings) -> tuple[DataChoice, ...]:
    from pytest_clip.data import labels, remote

    texts = [str(remote.fetch(text, cache=settings.cache_dir)) if remote.is_url(text) else text for text in settings.data]
    return tuple(DataChoice(label, text) for label, text in labels.chosen(texts))


def _regressions(settings: Settings, models: Sequence[ModelChoice], data: Sequence[DataChoice]) -> Regressions | None:
    if settings.baseline is None and settings.baseline_model is None and settings.save is None:
        return None
    from pytest_clip.session import regressions

    labels = [choice.label for choice in models if choice.role is None]
    return regressions.start(settings, models=labels, data=[choice.label for choice in data])


def _threshold_files(settings: Settings) -> tuple[tuple[Path, str], ...]:
    from pytest_clip.gates.layers import DEFAULTS, NAME

    own = settings.rootpath / NAME
    named = settings.thresholds
    if settings.update and named and not named[-1][0].exists():
        named = named[:-1]  # --clip-update makes it
    known = [DEFAULTS.resolve(), *(path.resolve() for path, _ in named)]  # in this repository it is the shipped layer, which is read anyway
    if own.is_file() and own.resolve() not in known:
        return ((own, "the rootdir"), *named)
    return named


def _update_target(settings: Settings, files: Sequence[tuple[Path, str]]) -> Target | None:
    if not settings.update:
        return None
    from pytest_clip.session import updating

    return updating.target(settings, [path for path, _ in files])


def _rulebook(
    files: Sequence[tuple[Path, str]], likes: Sequence[str], limit: int | None, sets: Mapping[str, Sequence[SetInfo]]
) -> Rulebook:
    from datetime import date

    from pytest_clip.gates import thresholds
    from pytest_clip.gates.catalog import CATALOG, SUITES
    from pytest_clip.gates.layers import ThresholdsFile
    from pytest_clip.session import like

    # Tests are not collected yet, so gates of a project's own suites cannot be known; only what looks like a shipped gate is refused.
    named = [
        ThresholdsFile(Path(like.PREFIX + name), "--clip-thresholds", like.PREFIX + name, like.text(name, sets, limit=limit))
        for name in likes
    ]
    book = thresholds.load([*named, *(ThresholdsFile(path, by) for path, by in files)], today=date.today(), extra_gates=None, known=sets)
    for entry in book.entries:
        if entry.gate.suite in SUITES:
            continue
        if close := get_close_matches(entry.gate.metric_id, CATALOG, n=1, cutoff=0.85):
            raise ClipError(f"{entry.source}: no gate {str(entry.gate)!r}; did you mean {close[0]!r}?")
    return book


def _id(label: str) -> str:
    from pytest_clip.models import names

    return names.safe(label, plain=names.JOINED, longest=names.LONGEST)
