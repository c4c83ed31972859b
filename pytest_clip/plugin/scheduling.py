"""Which xdist worker measures what: gates that share answers stay together, a worker stays with the model it has loaded.

Where the baseline is another model of the same run, its groups come first, and the worker that had one gets that group of the models too:
it runs what it is given in order, so a gate always finds what it is held against.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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

    ``baseline`` and ``models`` are labels: which model comes first, and whose groups follow it to its worker.

    xdist's ``loadgroup`` would be told by marks, but groups nothing with pytest 9.2 (pytest-xdist issue 1386).
    """

    def __init__(self, config: Any, log: Any = None, *, baseline: str | None = None, models: Sequence[str] = ()) -> None:
        super().__init__(config, log)
        self._with: dict[WorkerController, str] = {}
        self._baseline = baseline
        self._labels = sorted([*models, *([] if baseline is None else [baseline])], key=len, reverse=True)
        self._owners: dict[str, WorkerController] = {}

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        about = self._open_to(node)
        if not about:  # all that is left follows the baseline to other workers
            node.shutdown()
            return
        mine, others = self._with.get(node), set(self._with.values())
        same = [unit for unit, who in about.items() if mine is not None and who == mine]
        fresh = [unit for unit, who in about.items() if who not in others]
        unit = next(iter([*same, *fresh, *about]))
        self._with[node], self._owners[unit] = about[unit], node
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _open_to(self, node: WorkerController) -> dict[str, str]:
        """The groups that a worker may have, and the model and data set that each is about."""
        about = {unit: unit_of(next(iter(tests)))[1] for unit, tests in self.workqueue.items()}
        before = {unit: self._before(unit, who) for unit, who in about.items()}
        if first := {unit: about[unit] for unit, base in before.items() if base is None}:
            return first
        gone = {unit for unit, owner in self._owners.items() if owner not in self.assigned_work}  # crashed; what it kept is on disk
        return {unit: about[unit] for unit, base in before.items() if self._owners.get(str(base)) is node or base in gone}

    def _before(self, unit: str, who: str) -> str | None:
        """The group of the baseline that a model's group waits for; None where it need not wait."""
        model = next((label for label in self._labels if who.startswith(f"{label}-")), None)
        if self._baseline is None or model in (None, self._baseline):
            return None
        base = unit.replace(f"[{who}]", f"[{self._baseline}{who.removeprefix(str(model))}]")
        return base if base in self.workqueue or base in self._owners else None
