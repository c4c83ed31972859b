"""One measured gate: the number, how sure it is, on what it was measured and by which conventions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from pytest_clip import ClipError
from pytest_clip.gates.ids import GateId
from pytest_clip.metrics.few import TooFewError

if TYPE_CHECKING:
    import numpy as np

    from pytest_clip.metrics.outcomes import Outcomes


@dataclass(frozen=True)
class Measurement:
    """A gate's number before anyone judges it. Build it with :meth:`measured`, which turns numpy and torch scalars into plain Python.

    ``value`` is None when there is no number, and ``reason`` says why. ``ci`` is the 95 % interval, ``n`` the number of images (or pairs)
    behind the value. ``per_image`` holds the outcomes that paired comparisons with a baseline need; it is the one field with arrays, and
    it takes no part in equality; their statistic is the value, to 1e-9. ``better`` is the good side of a number that is in no shipped
    suite. ``no_interval`` says why a number has none, where somebody tried.
    """

    gate: GateId
    value: float | None
    ci: tuple[float, float] | None
    n: int
    model: str
    data: str
    conventions: Mapping[str, Any]
    per_image: Outcomes | None = field(default=None, compare=False, repr=False)
    reason: str | None = None
    better: Literal["higher", "lower"] | None = None
    no_interval: str | None = None

    @property
    def better_side(self) -> Literal["higher", "lower"] | None:
        """The good side of this number: the catalog's, or what the test said; None where more is neither better nor worse."""
        from pytest_clip.gates.catalog import CATALOG

        metric = CATALOG.get(self.gate.metric_id)
        if metric is None:
            return self.better
        return None if metric.better == "none" else metric.better

    @classmethod
    def measured(
        cls,
        gate: GateId | str,
        value: object,
        *,
        n: object,
        model: str,
        data: str,
        ci: object = None,
        conventions: Mapping[str, object] | None = None,
        per_image: Outcomes | Mapping[str, np.ndarray[Any, Any]] | None = None,
        reason: str | None = None,
        better: Literal["higher", "lower"] | None = None,
    ) -> Measurement:
        """Check and convert what a suite hands in; anything a report could not show honestly is a ``ClipError``.

        A value that is None, NaN or infinite needs a ``reason`` and is kept as None. A percentile interval may leave out its own value
        (a bootstrap of a biased statistic does), and a ratio may have an infinite end; NaN or swapped ends are refused. ``ci`` may be a
        function that makes the interval: of too few samples (``metrics.few.TooFewError``) there is none, and that is said.
        """
        gate = GateId.parse(gate) if isinstance(gate, str) else gate
        number = None if value is None else _number(value, f"{gate}: the value")
        if number is None or not math.isfinite(number):
            if not reason:
                raise ClipError(f"{gate}: the value is {'None' if number is None else number}; say why: gate(..., reason='...')")
            reason = reason if number is None else f"the value is {number}: {reason}"
            number = None
        count = _plain_scalar(n)
        if isinstance(count, float) and count.is_integer():
            count = int(count)
        if isinstance(count, bool) or not isinstance(count, int) or count <= 0:
            raise ClipError(f"{gate}: n must be a positive whole number of images, not {count!r}")
        lacking = None
        if callable(ci):
            try:
                ci = None if number is None else ci()
            except TooFewError as error:
                ci, lacking = None, str(error)
        interval = None if ci is None or number is None else _interval(gate, ci)
        facts = {str(key): plain(each, f"{gate}: convention {key!r}") for key, each in (conventions or {}).items()}
        if better not in (None, "higher", "lower"):
            raise ClipError(f"{gate}: better must be 'higher' or 'lower', not {better!r}")
        outcomes = None if per_image is None else _outcomes(gate, per_image, number)
        return cls(gate, number, interval, count, model, data, facts, outcomes, reason, better, lacking)


def plain(thing: object, where: str) -> Any:
    """The JSON-ready twin of ``thing``; xdist refuses numpy scalars and paths, and JSON has no NaN, so that becomes its name."""
    thing = _plain_scalar(thing)
    if thing is None or isinstance(thing, bool | int | str):
        return thing
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else str(thing)
    if isinstance(thing, PurePath):
        return str(thing)
    if isinstance(thing, Mapping):
        return {str(key): plain(each, where) for key, each in thing.items()}
    if isinstance(thing, list | tuple):
        return [plain(each, where) for each in thing]
    raise ClipError(f"{where} is a {type(thing).__name__}; use numbers, texts, lists and dicts of them")


def _plain_scalar(thing: object) -> object:
    item = getattr(thing, "item", None)
    if callable(item) and getattr(thing, "ndim", None) == 0:  # numpy scalars, 0-d arrays and 0-d tensors
        thing = item()
    # numpy.float64 and numpy.str_ are subclasses that some serialisers refuse
    for kind in (bool, int, float, str):
        if isinstance(thing, kind):
            return kind(thing)
    return thing


def _number(thing: object, where: str) -> float:
    thing = _plain_scalar(thing)
    if isinstance(thing, bool) or not isinstance(thing, int | float):
        raise ClipError(f"{where} must be one number, not {thing!r}")
    return float(thing)


def _interval(gate: GateId, ci: object) -> tuple[float, float]:
    ends = tuple(ci) if isinstance(ci, Sequence) or hasattr(ci, "__iter__") else ()
    if len(ends) != 2:
        raise ClipError(f"{gate}: ci must be two numbers (low, high), not {ci!r}")
    low, high = (_number(end, f"{gate}: an end of ci") for end in ends)
    if not low <= high:
        raise ClipError(f"{gate}: ci must be two numbers in order, not ({low}, {high})")
    return low, high


def _outcomes(gate: GateId, given: Outcomes | Mapping[str, np.ndarray[Any, Any]], value: float | None) -> Outcomes:
    """Outcomes that give this value again: a comparison with a baseline resamples them, and those of another number would judge wrongly."""
    from pytest_clip.metrics.outcomes import Outcomes, of_plain

    if not isinstance(given, Outcomes | Mapping):
        raise ClipError(f"{gate}: per_image must name its arrays, per_image={{'correct': ...}}; given: {type(given).__name__}")
    try:
        outcomes = given if isinstance(given, Outcomes) else of_plain(given, value)
        again = value if value is None or outcomes.statistic is None else outcomes.value
    except ValueError as error:
        raise ClipError(f"{gate}: per_image: {error}") from None
    if value is not None and again is not None and not abs(again - value) <= 1e-9 * max(1.0, abs(value)):
        raise ClipError(f"{gate}: the outcomes in per_image give {again!r} as {outcomes.statistic}, but the value is {value!r}")
    return outcomes
