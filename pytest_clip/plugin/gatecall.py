"""What the ``gate`` fixture hands out: from a number in a test to its verdict, its row and its failure.

Not called ``gate``: a module of that name would take the place of the fixture in the entry point, which is this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from pytest_clip import ClipError
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.measurement import Measurement
from pytest_clip.gates.rows import to_row
from pytest_clip.plugin.behind import behind
from pytest_clip.plugin.items import data_label_of, model_label_of
from pytest_clip.plugin.rows import rows_of
from pytest_clip.plugin.suites import suite_of
from pytest_clip.session import facts
from pytest_clip.session.judge import judge
from pytest_clip.session.run import ClipSession, Row

if TYPE_CHECKING:
    import numpy as np

    from pytest_clip.gates.evidence import Shows
    from pytest_clip.gates.verdicts import Verdict
    from pytest_clip.metrics.outcomes import Outcomes


class Answers(Protocol):
    """What :meth:`Gate.share` takes from answers, such as those of ``zero_shot``."""

    @property
    def ids(self) -> tuple[str, ...]: ...
    @property
    def conventions(self) -> Mapping[str, object]: ...


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
        answers: Answers | None = None,
        shows: Shows | None = None,
    ) -> Verdict:
        """Hold ``value`` against the rule for ``gate``; fail the test unless it passes, is waived or nobody asked anything of it.

        ``n`` is the number of images behind the value and ``ci`` its 95 % interval. ``per_image`` are the outcomes that a comparison with a
        baseline pairs image by image: ``{"correct": right}`` where the value is the mean of ``right``; ``metrics.outcomes.Outcomes`` names
        other statistics, the images, and which of them share a scene. ``reason`` says why there is no value when it is None
        or NaN, and is not used otherwise, so a test may always give it. ``conventions`` are what the number depends on.
        ``better`` is the good side of a number of your own; without it ``--clip-update`` cannot write a rule for it, and no drop against
        a baseline can be told from a gain. ``answers`` are those of ``zero_shot`` that
        the number was made of; reports show the worst of them. ``shows`` gives what else a report shall show of the number, one of the
        kinds of ``pytest_clip.gates.evidence``; it is called only where a report with pictures is wanted, and changes no verdict.
        """
        __tracebackhide__ = True
        label, fingerprint = self._model()
        data = self._data()
        lost = facts.left_out(self._session, gate if isinstance(gate, GateId) else GateId.parse(gate), data)
        measurement = Measurement.measured(
            gate,
            value,
            n=n,
            model=label,
            data=data,
            ci=self._interval(gate, per_image, ci),
            conventions={**(conventions or {}), **lost} if lost else conventions,
            per_image=per_image,
            reason=reason,
            better=better,
        )
        if measurement.value is not None:
            measurement = replace(measurement, reason=None)
        rows = rows_of(self._request.node)
        if str(measurement.gate) in [row["gate"] for row in rows]:
            raise ClipError(
                f"{self._request.node.nodeid}: {measurement.gate} is measured twice in one test; give each number its own gate id"
            )
        own = suite_of(self._request.node) is None
        test = str(self._request.config.cwd_relative_nodeid(self._request.node.nodeid)) if own else None
        clean = self._clean if "zero_shot" in self._request.fixturenames else None
        verdict = judge(self._session, measurement, fingerprint=fingerprint, test=test, clean=clean)
        uses = [name for name in ("clip_model", "clip_data") if name in self._request.fixturenames]
        rows.append(to_row(verdict) | {"fingerprint": fingerprint, "better": measurement.better_side, "uses": uses})
        if role := self._session.role_of(label):
            rows[-1]["role"] = role
        self._keep(measurement, rows[-1])
        behind(self._request, self._session, measurement, rows[-1], answers, shows)
        if not verdict.ok:
            pytest.fail(verdict.message, pytrace=False)
        return verdict

    def share(
        self,
        gate: GateId | str,
        right: np.ndarray[Any, Any],
        answers: Answers | None = None,
        *,
        ids: Sequence[str] | None = None,
        conventions: Mapping[str, object] | None = None,
        outcome: str = "correct",
        reason: str | None = None,
        shows: Shows | None = None,
    ) -> Verdict:
        """The share of images on which something holds: ``right.mean()`` of a bool array [n], with Wilson's interval.

        What happened on each image goes with it under the name ``outcome``, for comparisons with a baseline. Image ids and conventions are
        those of ``answers`` (what ``zero_shot`` gives) unless said otherwise; with a ``reason`` there is no value::

            gate.share("shop/top1", right)
        """
        __tracebackhide__ = True
        from pytest_clip.metrics.intervals import wilson
        from pytest_clip.metrics.outcomes import Outcomes

        named = tuple(ids if ids is not None else answers.ids if answers is not None else ())
        told = conventions if conventions is not None else answers.conventions if answers is not None else None
        n = len(right)
        return self(
            gate,
            None if reason or not n else right.mean(),
            n=n,
            ci=wilson(int(right.sum()), n) if n else None,
            per_image=Outcomes("mean", {outcome: right}, named) if n else None,
            conventions=told,
            reason=reason or "there is no image",
            better="higher",
            answers=answers,
            shows=shows,
        )

    def _interval(self, gate: GateId | str, per_image: object, ci: object) -> object:
        """The interval of a shipped suite, which makes it of the outcomes and the gate's seed alone, from the cache where they are the
        same; a project's own test may make it of anything."""
        settings = self._session.settings
        if not callable(ci) or per_image is None or suite_of(self._request.node) is None or not settings.cache:
            return ci
        from pytest_clip.extract.found import interval
        from pytest_clip.metrics.outcomes import Outcomes

        return partial(interval, settings.cache_dir, str(gate), per_image, ci) if isinstance(per_image, Outcomes) else ci

    def _clean(self) -> tuple[float, float]:
        """Top-1 on `clean` and that of guessing; its answers are stored, or asked for now."""
        answers = self._request.getfixturevalue("zero_shot")("clean")
        return float(answers.right.mean()), 1 / len(answers.classes)

    def _keep(self, measurement: Measurement, row: Row) -> None:
        """Where the saved run, or the models after a baseline, will find its outcomes; a damaged copy's are nobody's."""
        session, label = self._session, measurement.model
        wanted = session.settings.save is not None or session.role_of(label)
        if session.regressions is not None and wanted and session.original(label) == label:
            precision, data = session.precision_of(label), session.loaded_data.get(measurement.data)
            session.regressions.keep(measurement, row, precision=precision, data=data)

    def _model(self) -> tuple[str, str | None]:
        """The label and fingerprint of the model that the test really used: a project may have put its own in its place."""
        label = model_label_of(self._request.node, self._session)
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
            facts.describe_model(self._session, label, model)
        fingerprint = self._session.facts["models"][label]["fingerprint"]
        return label, None if fingerprint is None else str(fingerprint)

    def _data(self) -> str:
        return data_label_of(self._request.node, self._session)
