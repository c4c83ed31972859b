"""What a thresholds file may say; everything else is an error with file and line, before a model loads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.gates.catalog import SetLike
from pytest_clip.gates.ids import GateId
from pytest_clip.gates.known import KnownGates
from pytest_clip.gates.layers import Layer, ThresholdsFile, read
from pytest_clip.gates.reader import Reader
from pytest_clip.gates.rules import Rulebook


def load(
    files: Iterable[ThresholdsFile | Path | str] = (),
    *,
    today: date,
    extra_gates: Collection[str] | None = (),
    known: Mapping[str, Sequence[SetLike]] | None = None,
) -> Rulebook:
    """Read the shipped defaults and ``files`` and check them; see :func:`check`."""
    return check(read(files), today=today, extra_gates=extra_gates, known=known)


def check(
    layers: Iterable[Layer],
    *,
    today: date,
    extra_gates: Collection[str] | None = (),
    known: Mapping[str, Sequence[SetLike]] | None = None,
) -> Rulebook:
    """The rulebook of ``layers``, or one ``ClipError`` with a line for everything that is wrong in any of them.

    ``today`` decides which waivers have expired. ``extra_gates`` are the ids of collected ``clip_gate`` tests that are not in
    the catalog; None means that nothing is collected yet, and lets ids of suites that are not shipped pass for now. ``known`` maps each
    data set to its image sets; without it slices are not checked.
    """
    extra = None if extra_gates is None else {GateId.parse(each).metric_id for each in extra_gates}
    readers = [Reader(layer, number, today, KnownGates(extra, known)) for number, layer in enumerate(layers)]
    for reader in readers:
        reader.read()
    book = Rulebook((entry for reader in readers for entry in reader.entries), (each for reader in readers for each in reader.waivers))
    bounded = {entry.gate.metric_id for entry in book.entries if entry.bounds.keys() - {"min_n"}}
    dropping = {entry.gate.metric_id for entry in book.entries if "max_drop" in entry.bounds}
    if not any(reader.problems for reader in readers):  # a bound that could not be read must not count as missing too
        for reader in readers:
            reader.refuse_rules_without_bound(bounded)
            reader.refuse_tests_without_drop(dropping)
    problems = [problem for reader in readers for problem in reader.sorted_problems()] + book.contradictions()
    if problems:
        raise ClipError("\n".join(problems))
    return book
