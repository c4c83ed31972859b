"""Which xdist worker measures what: gates that share answers stay together, a worker stays with the model it has loaded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xdist.scheduler.loadscope import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

# suites/test_corruptions.py::test_accuracy[scenes-rn-scenes-corruptions/accuracy[fog-3]]
_CASE = re.compile(r"(?P<file>.*?suites/test_(?P<suite>\w+)\.py)::[^\[]*\[(?P<who>.*)-(?P=suite)/(?P<metric>\w+)(\[(?P<slice>.*)\])?\]$")


def unit_of(nodeid: str) -> tuple[str, str]:
    """The group of a test, and the model and data set it is about ("" for any other test).

    Shipped suites stay whole, apart from the corruptions: nearly half of a run, and each kind has answers of its own.
    """
    case = _CASE.match(nodeid)
    if case is None:
        return nodeid.partition("::")[0], ""
    kind = (case["slice"] or "").partition("-")[0] if case["suite"].startswith("corruptions") else ""
    return f"{case['file']}[{case['who']}]{kind}", case["who"]


class ByAnswers(LoadScopeScheduling):  # type: ignore[misc]
    """Groups go to whoever is free, large ones first; a worker gets groups of its own model as long as there are any.

    xdist's ``loadgroup`` would be told by marks, but groups nothing with pytest 9.2 (pytest-xdist issue 1386).
    """

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        self._with: dict[WorkerController, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        about = {unit: unit_of(next(iter(tests)))[1] for unit, tests in self.workqueue.items()}
        mine, others = self._with.get(node), set(self._with.values())
        same = [unit for unit, who in about.items() if mine is not None and who == mine]
        fresh = [unit for unit, who in about.items() if who not in others]
        unit = next(iter([*same, *fresh, *about]))
        self._with[node] = about[unit]
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)
