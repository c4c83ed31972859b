"""What a run costs: pictures, views, and passes through the image tower, reckoned from names and sizes before anything loads.

Those of one set are embedded once; the first few and all of them are two entries of the cache, unless all came first.
`tests/layouts/test_cost.py` counts the calls of a model and holds them against this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_clip.gates.catalog import CATALOG
from pytest_clip.session import paths
from pytest_clip.session.ledger import Ledger
from pytest_clip.session.looks import SUITES

if TYPE_CHECKING:
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.run import ClipSession


@dataclass(frozen=True)
class Cost:
    """Of one model on one data set: distinct `pictures`, `views` of them, `passes` through the image tower, and at most so many `more` for
    searches that end when they have found something and for variants that not every model has. `about` says that some were guessed."""

    pictures: int
    views: int
    passes: int
    more: int
    about: bool


def of(session: ClipSession, suites: Sequence[str], data: DataChoice) -> Cost:
    """What one model costs on one data set, as the order of the suites' files makes it."""
    ledger = Ledger(session, data)
    for suite in sorted(each for each in suites if each != paths.SUITE or paths.of(session.models)):
        gates = [gate for metric in CATALOG if metric.partition("/")[0] == suite for gate in session.reach.gates(metric, data)]
        looks = SUITES.get(suite)
        for gate in gates if looks is not None else ():
            for look in looks(gate, ledger) if looks is not None else ():
                ledger.add(look)
    about = "correspondence" in suites
    return Cost(sum(ledger.seen.values()), ledger.views, ledger.passes, ledger.more, about)
