"""What stands behind a gate goes with its row, where a report that shows it was asked for, or the run is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip.session.run import ClipSession, Row

if TYPE_CHECKING:
    from pytest_clip.gates.evidence import Shows
    from pytest_clip.gates.measurement import Measurement

SHOWN_IN = ("html", "json")
GREEN = ("pass", "unjudged", "not_measured")
"""Verdicts that nobody has to look into."""


def wanted(session: ClipSession) -> bool:
    return session.settings.save is not None or any(each.type in SHOWN_IN for each in session.settings.reports)


def behind(
    request: pytest.FixtureRequest, session: ClipSession, measurement: Measurement, row: Row, answers: Any, shows: Shows | None
) -> None:
    """Put evidence into the row of a model under test; a damaged copy and a baseline have none."""
    from pytest_clip.gates.evidence import Wanted
    from pytest_clip.session import evidence, pictured

    label = measurement.model
    if not wanted(session) or not session.settings.evidence or session.role_of(label) or session.original(label) != label:
        return
    found = evidence.of_numbers(measurement)
    if (asked := _asked(request, session, measurement, answers)) is not None:
        found += evidence.of_answers(measurement, asked, row["flips"])
        found += _flip_groups(session, measurement, asked, row)
    if shows is not None:
        found += pictured.asked(shows, Wanted(session.settings.evidence, green=row["verdict"] in GREEN))
    if found:
        row["evidence"] = evidence.rows(found)


def _flip_groups(session: ClipSession, measurement: Measurement, asked: Any, row: Row) -> list[Any]:
    """What a baseline had right, by class."""
    from pytest_clip.session import flipgroups

    runs, now = session.regressions, measurement.per_image
    if not row["flips"] or runs is None or runs.baseline is None or now is None or now.ids != asked.answers.ids:
        return []
    base = runs.baseline.find(measurement.model, measurement.data, str(measurement.gate))
    facts = runs.known(measurement.data, session.loaded_data.get(measurement.data), measurement.gate.slice, now.ids)
    return flipgroups.of(asked, None if base is None else base.outcomes, now, row["flips"], facts)


def _asked(request: pytest.FixtureRequest, session: ClipSession, measurement: Measurement, answers: Any) -> Any:
    """The answers with their images, where both are known: those of an image set of the data, as it is, by the shipped fixtures."""
    from pytest_clip.data.imageset import ImageSet
    from pytest_clip.extract.zeroshot import ZeroShot
    from pytest_clip.session.evidence import Asked

    outcomes, data = measurement.per_image, session.loaded_data.get(measurement.data)
    if not isinstance(answers, ZeroShot) or outcomes is None or "clip_extraction" not in request.fixturenames:
        return None
    name = measurement.gate.slice
    if name not in {each.name for each in session.sets.get(measurement.data, ())} or data is None or not hasattr(data, "images"):
        return None
    images = data.images(name)
    right = outcomes.arrays.get("correct")
    if not isinstance(images, ImageSet) or images.ids != answers.ids or right is None or list(right) != list(answers.right):
        return None
    return Asked(answers, images, request.getfixturevalue("clip_extraction").cache, session.settings.evidence)
