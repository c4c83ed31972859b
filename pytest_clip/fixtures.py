"""The fixtures of suites and of a project's own tests. Their docstrings are their manual (``pytest --fixtures``)."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_clip import ClipError, _keys

if TYPE_CHECKING:
    import numpy as np

    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.gates.ids import GateId
    from pytest_clip.gates.verdicts import Verdict
    from pytest_clip.metrics.outcomes import Outcomes
    from pytest_clip.models.protocol import ClipModel
    from pytest_clip.session import Case, ClipSession, DataChoice, ModelChoice
    from pytest_clip.settings import Settings

ASLEEP = "no model was named: run pytest with --clip-model=NAME[,PRETRAINED]"


def _awake(config: pytest.Config) -> ClipSession:
    session = _keys.running(config)
    if session is None:
        pytest.skip(ASLEEP)
    return session


def _begin(request: pytest.FixtureRequest, session: ClipSession) -> None:
    """Start rendering before the model loads, which takes seconds, when a test of this run asks for images of the embedded benchmark."""
    if not any("clip_extraction" in getattr(item, "fixturenames", ()) for item in request.session.items):
        return
    extraction: Extraction = request.getfixturevalue("clip_extraction")
    for choice in session.data:
        if choice.text == "scenes":
            extraction.start(loaded_data(session, choice))


def loaded_data(session: ClipSession, choice: DataChoice) -> Any:
    from pytest_clip.session import load_data

    if choice.label not in session.loaded_data:
        session.loaded_data[choice.label] = load_data(session, choice)
    return session.loaded_data[choice.label]


def _check_data(request: pytest.FixtureRequest, session: ClipSession) -> None:
    """Pictures that cannot be read, and others than those of the saved baseline, are one error each, said before a model loads."""
    from pytest_clip import datafacts, itemgates

    held = session.regressions is not None and session.settings.baseline is not None
    asked = itemgates.sets_asked(request.session.items, session)
    for choice in session.data:
        if choice.text == "scenes" and not held:  # drawn up while others are rendered, and always readable
            continue
        data = loaded_data(session, choice)
        try:
            datafacts.inspect(session, choice.label, data, asked[choice.label])
        except ClipError:
            request.session.shouldfail = f"images of {choice.label} cannot be read, so no gate is measured"
            raise
        try:
            if held and session.regressions is not None:
                session.regressions.check_data(choice.label, data)
        except ClipError:
            request.session.shouldfail = "the baseline cannot be compared with this run, so none of its gates is measured"
            raise


def make_model(config: pytest.Config, session: ClipSession, choice: ModelChoice) -> Any:
    """From the project's hook, or else from pytest-clip."""
    from pytest_clip.session import load_model

    model = config.hook.pytest_clip_make_model(spec=choice.spec, config=config)
    return load_model(session, choice) if model is None else model


def make_mutant(request: pytest.FixtureRequest, choice: ModelChoice) -> Any:
    from pytest_clip import mutating

    return mutating.of(request.config).make(choice, request)


@pytest.fixture(scope="session")
def clip_model(request: pytest.FixtureRequest) -> Generator[ClipModel, None, None]:
    """The model under test, loaded once, with ``encode_image``, ``encode_text``, ``preprocess`` and ``logit_scale``.

    A test that asks for it runs once for each ``--clip-model``. To measure a model of your own, return it from the
    ``pytest_clip_make_model`` hook, or override this fixture in ``conftest.py``::

        @pytest.fixture(scope="session")
        def clip_model():
            return OurModel()
    """
    session = _awake(request.config)
    from pytest_clip import xdist

    choice: ModelChoice = getattr(request, "param", session.judged[0])
    _check_data(request, session)
    _begin(request, session)
    try:
        model = make_model(request.config, session, choice) if choice.mutant is None else make_mutant(request, choice)
    except ClipError:
        # One error for the one thing that is wrong, not one for each of its gates.
        request.session.shouldfail = f"the model {choice.label} cannot be loaded, so none of its gates can be measured"
        raise
    xdist.limit_threads(request.config)
    session.loaded[choice.label] = model
    yield model
    # The next model may need all the memory there is.
    session.forget(model)
    del session.loaded[choice.label], model
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def clip_data(request: pytest.FixtureRequest) -> Any:
    """The data set under test. A test that asks for it runs once for each ``--clip-data``::

    def test_size(clip_data):
        assert len(clip_data.images("clean").ids) > 0
    """
    session = _awake(request.config)
    choice: DataChoice = getattr(request, "param", session.data[0])
    from pytest_clip import datafacts

    data = loaded_data(session, choice)
    datafacts.describe(session, choice.label, data)
    return data


@pytest.fixture
def clip_case(request: pytest.FixtureRequest) -> Case:
    """What this run of a test marked ``clip_gate`` measures: ``clip_case.gate`` is the gate id, ``clip_case.slice`` its image set."""
    from pytest_clip import itemgates
    from pytest_clip.session import Case

    gate = itemgates.gate_of(request.node)
    if gate is None:
        raise ClipError(f'{request.node.nodeid}: clip_case needs a gate; mark the test with @pytest.mark.clip_gate("suite/metric")')
    return Case(gate)


@pytest.fixture(scope="session")
def clip_settings(request: pytest.FixtureRequest) -> Settings:
    """What was asked for on the command line and in the ini file: ``clip_settings.mcm_tau``, ``.device``, ``.limit`` and so on."""
    return _awake(request.config).settings


@pytest.fixture(scope="session")
def clip_extraction(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Extraction, None, None]:
    """The way from a model and an image set to embeddings and answers, each made once per run and kept in the cache::

    def test_spread(clip_model, clip_data, clip_extraction):
        embeddings = clip_extraction.embeddings(clip_model, clip_data, "clean")
    """
    session = _awake(request.config)
    from pytest_clip import itemgates, xdist
    from pytest_clip.extract.cores import cores
    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.report.progress import terminal_line

    settings = session.settings
    extraction = Extraction(
        cache=settings.cache_dir if settings.cache else tmp_path_factory.mktemp("clip-cache"),
        batch_size=settings.batch_size,
        cores=cores(settings.workers, runs=xdist.workers(request.config), first=xdist.is_first(request.config)),
        progress=session.progress,
        say=terminal_line(request.config),
        wanted=itemgates.slices_of(request.session.items),
        keep=settings.cache,
        executor=_executor(settings),
    )
    began = time.time()
    session.forget = extraction.forget
    yield extraction
    extraction.close()
    if settings.cache and settings.cache_size is not None and xdist.is_first(request.config):
        from pytest_clip.extract import cache

        cache.trim(settings.cache_dir, settings.cache_size, since=began)


def _executor(settings: Settings) -> Any:
    kind, _, address = settings.executor.partition(":")
    if kind == "local":
        return None
    from pytest_clip.extract.rays import Rays

    return Rays(address, actors=settings.workers, batch_size=settings.batch_size)


@pytest.fixture(scope="session")
def zero_shot(clip_model: ClipModel, clip_data: Any, clip_extraction: Extraction) -> Callable[..., ZeroShot]:
    """``zero_shot("clean")`` gives the model's zero-shot answers on that image set: cosines, labels, ids and classes.

    ``first=N`` takes only the first images, ``view=`` shows them through a corruption, ``templates=`` asks with other prompts.
    """

    def answers(slice_name: str, **how: Any) -> ZeroShot:
        return clip_extraction.zero_shot(clip_model, clip_data, slice_name, **how)

    return answers


class Gate:
    """The callable that the ``gate`` fixture hands out."""

    def __init__(self, request: pytest.FixtureRequest, session: ClipSession) -> None:
        self._request = request
        self._session = session

    def __call__(
        self,
        gate: GateId | str,
        value: object,
        *,
        n: object,
        ci: object = None,
        per_image: Outcomes | Mapping[str, np.ndarray[Any, Any]] | None = None,
        conventions: Mapping[str, object] | None = None,
        reason: str | None = None,
        better: Literal["higher", "lower"] | None = None,
    ) -> Verdict:
        """Hold ``value`` against the rule for ``gate``; fail the test unless it passes, is waived or nobody asked anything of it.

        ``n`` is the number of images behind the value and ``ci`` its 95 % interval. ``per_image`` are the outcomes that a comparison with a
        baseline pairs image by image: ``{"correct": right}`` where the value is the mean of ``right``; ``metrics.outcomes.Outcomes`` names
        other statistics, the images, and which of them share a scene. ``reason`` says why there is no value when it is None
        or NaN, and is not used otherwise, so a test may always give it. ``conventions`` are what the number depends on.
        ``better`` is the good side of a number of your own; without it ``--clip-update`` cannot write a rule for it, and no drop against
        a baseline can be told from a gain.
        """
        __tracebackhide__ = True
        from pytest_clip import collection, datafacts, itemrows
        from pytest_clip.gates.ids import GateId
        from pytest_clip.gates.measurement import Measurement
        from pytest_clip.gates.rows import to_row

        label, fingerprint = self._model()
        data = self._data()
        lost = datafacts.left_out(self._session, gate if isinstance(gate, GateId) else GateId.parse(gate), data)
        measurement = Measurement.measured(
            gate,
            value,
            n=n,
            model=label,
            data=data,
            ci=ci,
            conventions={**(conventions or {}), **lost} if lost else conventions,
            per_image=per_image,
            reason=reason,
            better=better,
        )
        if measurement.value is not None:
            measurement = replace(measurement, reason=None)
        rows = itemrows.rows_of(self._request.node)
        if str(measurement.gate) in [row["gate"] for row in rows]:
            raise ClipError(
                f"{self._request.node.nodeid}: {measurement.gate} is measured twice in one test; give each number its own gate id"
            )
        own = collection.suite_of(self._request.node) is None
        test = str(self._request.config.cwd_relative_nodeid(self._request.node.nodeid)) if own else None
        regressions = self._session.regressions
        verdict = self._session.judge(measurement, fingerprint=fingerprint, test=test)
        uses = [name for name in ("clip_model", "clip_data") if name in self._request.fixturenames]
        rows.append(to_row(verdict) | {"fingerprint": fingerprint, "better": measurement.better_side, "uses": uses})
        if role := self._session.role_of(label):
            rows[-1]["role"] = role
        if regressions is not None and self._session.original(label) == label:
            regressions.keep(self._session, measurement, rows[-1])
        if not verdict.ok:
            pytest.fail(verdict.message, pytrace=False)
        return verdict

    def _model(self) -> tuple[str, str | None]:
        """The label and fingerprint of the model that the test really used: a project may have put its own in its place."""
        from pytest_clip import itemgates

        label = itemgates.model_label_of(self._request.node, self._session)
        if "clip_model" not in self._request.fixturenames:
            return label, None
        model = self._request.getfixturevalue("clip_model")
        if self._session.loaded.get(label) is not model:
            if self._session.role_of(label) is not None:
                raise ClipError(
                    "--clip-baseline-model cannot be measured: conftest.py puts its own clip_model in the place of every model; "
                    "make it in the hook pytest_clip_make_model, which is told which one is meant"
                )
            label = str(getattr(model, "label", label))
        if label not in self._session.facts["models"]:
            self._session.describe_model(label, model)
        fingerprint = self._session.facts["models"][label]["fingerprint"]
        return label, None if fingerprint is None else str(fingerprint)

    def _data(self) -> str:
        from pytest_clip import itemgates

        return itemgates.data_label_of(self._request.node, self._session)


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Gate:
    """Judge a number by the rule that ``thresholds.toml`` has for it, and fail the test when it does not hold::

        @pytest.mark.clip_gate("checkout/top1")
        def test_our_photos(gate, clip_model):
            right = ...
            gate("checkout/top1", right.mean(), n=len(right))

    A gate without a rule passes and is counted as unjudged in the summary.
    """
    return Gate(request, _awake(request.config))


__all__ = ["clip_case", "clip_data", "clip_extraction", "clip_model", "clip_settings", "gate", "zero_shot"]
