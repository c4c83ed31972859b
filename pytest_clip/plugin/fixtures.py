"""The fixtures of suites and of a project's own tests. Their docstrings are their manual (``pytest --fixtures``)."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.keys import running

if TYPE_CHECKING:
    from pytest_clip.extract.beside import Beside
    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.models.lmm.protocol import Lmm
    from pytest_clip.models.protocol import ClipModel
    from pytest_clip.plugin.gatecall import Gate
    from pytest_clip.plugin.pathanswers import Answered
    from pytest_clip.session.choices import Case, DataChoice, ModelChoice
    from pytest_clip.session.run import ClipSession
    from pytest_clip.session.settings import Settings

ASLEEP = "no model was named: run pytest with --clip-model=NAME[,PRETRAINED]"


def _awake(config: pytest.Config) -> ClipSession:
    session = running(config)
    if session is None:
        pytest.skip(ASLEEP)
    return session


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
    from pytest_clip.plugin.making import begin, check_data, make_model, make_mutant
    from pytest_clip.plugin.xdist import limit_threads

    choice: ModelChoice = getattr(request, "param", session.judged[0])
    check_data(request, session)
    begin(request, session)
    try:
        model = make_model(request.config, session, choice) if choice.mutant is None else make_mutant(request, choice)
    except Exception:  # also what a project's own hook or a library raises
        # One error for the one thing that is wrong, not one for each of its gates; other models are measured all the same.
        session.unloaded.add(choice.label)
        if choice.role is not None or all(each.label in session.unloaded for each in session.judged):
            request.session.shouldfail = f"the model {choice.label} cannot be loaded, so none of its gates can be measured"
        raise
    limit_threads(request.config)
    session.loaded[choice.label] = model
    yield model
    # The next model may need all the memory there is.
    session.forget(model)
    del session.loaded[choice.label], model
    torch = sys.modules.get("torch")
    if torch is None:  # no weights were read
        return
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def clip_data(request: pytest.FixtureRequest) -> Any:
    """The data set under test. A test that asks for it runs once for each ``--clip-data``::

    def test_size(clip_data):
        assert len(clip_data.images("clean").ids) > 0
    """
    session = _awake(request.config)
    choice: DataChoice = getattr(request, "param", session.data[0])
    from pytest_clip.session import facts, load

    data = load.data_of(session, choice)
    facts.describe_data(session, choice.label, data)
    return data


@pytest.fixture
def clip_case(request: pytest.FixtureRequest) -> Case:
    """What this run of a test marked ``clip_gate`` measures: ``clip_case.gate`` is the gate id, ``clip_case.slice`` its image set."""
    from pytest_clip.plugin.items import gate_of
    from pytest_clip.session.choices import Case

    gate = gate_of(request.node)
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
    from pytest_clip.extract.cores import cores
    from pytest_clip.extract.extraction import Extraction
    from pytest_clip.plugin.items import slices_of
    from pytest_clip.plugin.making import executor
    from pytest_clip.plugin.progress import terminal_line
    from pytest_clip.plugin.xdist import is_first, workers

    settings = session.settings
    extraction = Extraction(
        cache=settings.cache_dir if settings.cache else tmp_path_factory.mktemp("clip-cache"),
        batch_size=settings.batch_size,
        cores=cores(settings.workers, runs=workers(request.config), first=is_first(request.config)),
        progress=session.progress,
        say=terminal_line(request.config),
        wanted=slices_of(request.session.items),
        keep=settings.cache,
        executor=executor(settings),
    )
    began = time.time()
    session.forget = extraction.forget
    yield extraction
    extraction.close()
    if settings.cache and settings.cache_size is not None and is_first(request.config):
        from pytest_clip.extract import cache

        cache.trim(settings.cache_dir, settings.cache_size, since=began)


@pytest.fixture(scope="session")
def zero_shot(clip_model: ClipModel, clip_data: Any, clip_extraction: Extraction) -> Callable[..., ZeroShot]:
    """``zero_shot("clean")`` gives the model's zero-shot answers on that image set: cosines, labels, ids and classes.

    ``first=N`` takes only the first images, ``view=`` shows them through a corruption, ``templates=`` asks with other prompts.
    """

    def answers(slice_name: str, **how: Any) -> ZeroShot:
        return clip_extraction.zero_shot(clip_model, clip_data, slice_name, **how)

    return answers


@pytest.fixture(scope="session")
def clip_path(
    request: pytest.FixtureRequest, clip_model: ClipModel, clip_data: Any, clip_extraction: Extraction
) -> Callable[..., Answered]:
    """``clip_path("shift_far")``: right answers of every model on the path of weights that ends in ``clip_model``, to that image set."""
    from pytest_clip.plugin.pathanswers import PathAnswers

    return PathAnswers(request.config, _awake(request.config), clip_model, clip_data, clip_extraction)


@pytest.fixture(scope="session")
def clip_lmm(request: pytest.FixtureRequest) -> Lmm:
    """The large multimodal model of ``--clip-lmm``, with ``option_scores`` and ``answer``; its weights are read when it is first asked.

    To measure a model of your own, return it from the ``pytest_clip_make_lmm`` hook.
    """
    from pytest_clip.plugin.lmm import make_lmm

    return make_lmm(request)


@pytest.fixture(scope="session")
def clip_beside(
    request: pytest.FixtureRequest, clip_lmm: Lmm, clip_data: Any, clip_extraction: Extraction, zero_shot: Callable[..., ZeroShot]
) -> Beside:
    """``clip_beside.asked("clean")``: questions with the CLIP's own failure categories as options, and what the LMM finds likely."""
    from pytest_clip.plugin.lmm import make_beside

    return make_beside(request, clip_lmm, clip_data, clip_extraction, zero_shot)


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> Gate:
    """Judge a number by the rule that ``thresholds.toml`` has for it, and fail the test when it does not hold::

        @pytest.mark.clip_gate("checkout/top1")
        def test_our_photos(gate, clip_model):
            right = ...
            gate("checkout/top1", right.mean(), n=len(right))

    A gate without a rule passes and is counted as unjudged in the summary.
    """
    from pytest_clip.plugin.gatecall import Gate

    return Gate(request, _awake(request.config))


__all__ = [
    "clip_beside",
    "clip_case",
    "clip_data",
    "clip_extraction",
    "clip_lmm",
    "clip_model",
    "clip_path",
    "clip_settings",
    "gate",
    "zero_shot",
]
