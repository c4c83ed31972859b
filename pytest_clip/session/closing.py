"""The end of a run: what was said of gates is held against what became of their tests, so that no red gate ends in a green run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_clip.session.settings import Settings

NAMED = 3
HOW_TO_JUDGE = (
    "give them rules: pytest-clip init DIR --model=NAME or --clip-update=create writes what this model reaches, --clip-baseline holds it "
    "against a saved run; clip_unjudged = allow in the ini file lets such a run pass"
)


@dataclass
class Heard:
    """What the reports of a run have said: ``planned`` are the node ids of the tests that measure a gate (None: not known), ``seen`` those
    of all reports, ``failed`` of those that failed in some phase."""

    planned: set[str] | None = None
    seen: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    @property
    def unseen(self) -> set[str]:
        return set() if self.planned is None else self.planned - self.seen


def contradictions(rows: Mapping[tuple[str, str], Mapping[str, Any]], heard: Heard) -> list[str]:
    """A sentence for each way in which a run would end green although its gates say otherwise. ``rows`` by node id and gate."""
    found = [row for (nodeid, _), row in rows.items() if _broken(row) and nodeid not in heard.failed]
    told = []
    if found:
        told.append(
            f"CONTRADICTION {_count(found)} failed and the test did not: {_names(row['gate'] for row in found)}; something in the project "
            "keeps failures from pytest (a hook, a mark, an except); a gate is excused by a [[waiver]] in thresholds.toml only"
        )
    if heard.unseen:
        told.append(
            f"CONTRADICTION {len(heard.unseen)} of {len(heard.planned or ())} gates were collected and never run: "
            f"{_names(sorted(heard.unseen))}; a conftest.py or plugin has taken them out; choose with --clip-suite, -k or -m on the "
            "command line"
        )
    prints: dict[str, set[str]] = {}
    for row in rows.values():
        if row.get("fingerprint") and not row["gate"].startswith("mutants/"):  # those tell of damaged copies, with their fingerprints
            prints.setdefault(row["model"], set()).add(row["fingerprint"])
    told += [
        f"CONTRADICTION {label} was not one model: {', '.join(sorted(some))}; its files were replaced, or a run got its next epoch, while "
        "workers read them; run again when they are written"
        for label, some in prints.items()
        if len(some) > 1
    ]
    return told


def nothing_judged(rows: Mapping[tuple[str, str], Mapping[str, Any]], settings: Settings) -> str | None:
    """The sentence for a run in which gates were measured, or should have been, and nobody judged any."""
    from pytest_clip.gates.verdicts import JUDGED
    from pytest_clip.session.domain import luck

    mine = [row for row in rows.values() if not row.get("role")]
    lost = {str(row["model"]) for row in mine if row.get("outside")}
    if not mine or allowed(settings) or any(row["verdict"] in JUDGED and not luck(row, lost) for row in mine):
        return None
    return f"NOTHING JUDGED: none of {_count(mine)} of this run was held against a rule, so it says nothing about the model; {HOW_TO_JUDGE}"


def allowed(settings: Settings) -> bool:
    """Whether a run may pass without having judged anything."""
    return settings.save is not None or bool(settings.update) or settings.unjudged == "allow"


def stopped(heard: Heard) -> str | None:
    """How far a run has come that ended before its end."""
    if not heard.unseen or heard.planned is None:
        return None
    return f"STOPPED after {len(heard.planned) - len(heard.unseen)} of {len(heard.planned)} gates"


def _broken(row: Mapping[str, Any]) -> bool:
    from pytest_clip.gates.verdicts import OK

    return row["verdict"] not in OK


def _count(rows: Collection[object]) -> str:
    return f"{len(rows)} gate{'s' * (len(rows) != 1)}"


def _names(names: Iterator[str] | Collection[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - NAMED} more" if len(distinct) > NAMED else ""
    return f"{', '.join(distinct[:NAMED])}{more}"
