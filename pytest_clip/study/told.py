"""All that one call of `pytest-clip study` found: what its text, JSON, CSV, figures and page are made of."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_clip.study.findings import Finding, findings
from pytest_clip.study.placed import Placed
from pytest_clip.study.study import Study
from pytest_clip.study.watch import Watch


@dataclass(frozen=True)
class Everything:
    """`study` is None where only a path was asked for; `uncompared`: pairs of runs beyond those that were held against each other."""

    study: Study | None
    findings: tuple[Finding, ...] = ()
    watches: tuple[Watch, ...] = ()
    placed: tuple[Placed, ...] = ()
    uncompared: int = 0

    @property
    def title(self) -> str:
        if self.study is None:
            return "Fine-tuning watch"
        held = self.study.population
        return f"{counted(len(held), 'model')} in {counted(len(set(held.lineages)), 'family', 'families')}"


def of(study: Study) -> Everything:
    """A study without runs of a user."""
    return Everything(study, tuple(findings(study)))


def counted(n: int, one: str, many: str = "") -> str:
    return f"{n} {one if n == 1 else many or one + 's'}"
