"""``--clip-list`` and ``pytest-clip list``: what a run would do, told without loading anything heavy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_clip import ClipError
from pytest_clip.gates.catalog import CATALOG, SUITES
from pytest_clip.gates.catalog.metric import STORED
from pytest_clip.gates.catalog.needs import has, paired
from pytest_clip.mutants.catalog import MUTANTS
from pytest_clip.session import paths
from pytest_clip.session.judge import rule_for

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.run import ClipSession

CORRUPTIONS = ("corruptions", "corruptions_3d")
SHOWN = 3
"""Gates of one reason that are named."""


def lines(session: ClipSession, suites: Sequence[str]) -> list[str]:
    """Suites with their gates and the rules that apply, then the data sets with images and forward passes."""
    names = [choice.label for choice in session.judged]
    told = [f"models: {', '.join(names) or 'none named; rules for particular models are left out'}"]
    if session.prompts_option is not None:
        told.append(f"prompts: {session.prompts_option}")
    judged = total = 0
    for data in session.data:
        for suite in suites:
            told += ["", f"suite {suite} on {data.label}: {SUITES.get(suite, '')}".rstrip(": ")]
            gates = [gate for metric in CATALOG if metric.partition("/")[0] == suite for gate in session.reach.gates(metric, data)]
            told += _out_of_reach(session, suite, data) or ([] if gates else _skipped(session, suite, data))
            width = max((len(str(gate)) for gate in gates), default=0)
            ends = list(paths.of(session.models)) if suite == paths.SUITE else names
            if names and not ends:
                told, gates = [*told, f"  skipped: {paths.NO_PATH}"], []
            for gate in gates:
                for label in ends or [""]:
                    rule = _rule(session, gate, label, data)
                    total += 1
                    judged += rule is not None
                    on = f"  {label}:" if len(names) > 1 else ""
                    told.append(f"  {gate!s:<{width}}{on}  {rule or 'no rule: measured, reported as unjudged'}")
    copies = session.settings.mutants
    told += ["", f"{total} gates, {judged} with a rule", *_data(session, suites, len(names) * (1 + len(copies)))]
    told += [f"mutant {name}: the model {MUTANTS[name].what}" for name in copies]
    for entry in session.rulebook.out_of_scope(
        {name for choice in session.models for name in choice.names}, {each.label for each in session.data}
    ):
        if entry.layer > 0:  # the shipped ones are for the embedded benchmark and its models, and many
            told.append(f"not in this run: rule for {entry.gate} ({entry.scope}) in {entry.source}")
    return told


def _out_of_reach(session: ClipSession, suite: str, data: DataChoice) -> list[str]:
    """One line for each reason why gates that were asked for cannot be measured on this data."""
    whole = [pair for metric in CATALOG if metric.partition("/")[0] == suite for pair in session.reach.out(metric, data)]
    counts = Counter(reason for _, reason in whole)
    return [f"  {count} gate{'s' * (count > 1)} out of reach: {reason}" for reason, count in counts.items()]


def _skipped(session: ClipSession, suite: str, data: DataChoice) -> list[str]:
    """Why a suite has nothing to measure on this data, and what to put where; one line for each reason."""
    metrics = [each for each in CATALOG if each.partition("/")[0] == suite and not (CATALOG[each].imagenet or CATALOG[each].particular)]
    alike: dict[str, list[str]] = {}
    for metric in metrics:
        lacking = session.reach.lacking(metric, data)
        nothing = session.reach.nothing_for(metric, data).replace(f" for {metric} ", " for it ")
        reason = f"{data.label} has no {lacking}" if lacking and not paired(metric) else nothing
        alike.setdefault(reason, []).append(metric)
    return [f"  skipped: {_first(names)}: {reason}" for reason, names in alike.items()]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _rule(session: ClipSession, gate: GateId, model: str, data: DataChoice) -> str | None:
    rule = rule_for(session, gate, model, data.label)
    if rule is None:
        return None
    told = [f"{bound.key} {bound.text} ({bound.source})" for bound in rule.bounds.values()]
    return ", ".join([*told, *(["only warns"] if rule.warns else [])])


def _data(session: ClipSession, suites: Sequence[str], models: int) -> list[str]:
    """A limit caps every set. Each image passes through a model once, and once under each corruption, however many gates look at it."""
    told, limit = [], session.settings.limit
    for data in session.data:
        sets = session.sets[data.label]
        absent = {each.name: each.absent for each in sets if getattr(each, "absent", "")}
        sizes = {each.name: each.n if limit is None else min(each.n, limit) for each in sets if each.name not in absent}
        within = {each.name: each.within for each in sets if getattr(each, "within", "") in sizes}
        images = sum(n for name, n in sizes.items() if name not in within)
        views = _views(session, suites, data) * min(session.settings.corruption_images, sizes.get("clean", 0))
        texts = _texts(session, data)
        counts = [f"{len(sizes)} image sets", f"{images} images"]
        counts += [f"{views} corrupted views"] * bool(views) + [f"{texts} class prompts"] * bool(texts)
        told.append(f"data {data.label}: {', '.join(counts)}, {(images + views) * max(1, models)} forward passes")
        width = max(map(len, sizes), default=0)
        told += [f"  {name:<{width}}  {n}" + (f", of {within[name]}" if name in within else "") for name, n in sizes.items()]
        alike: dict[str, list[str]] = {}
        for name, reason in absent.items():
            alike.setdefault(reason, []).append(name)
        told += [f"  not there: {', '.join(names)}: {reason}" for reason, names in alike.items()]
    return told


def _views(session: ClipSession, suites: Sequence[str], data: DataChoice) -> int:
    """How many corruptions are made of each picture: every severity of the kinds that this run measures. Those on disk are image sets."""
    if any(each.role == STORED for each in session.sets[data.label]):
        return 0
    gates = [gate for suite in CORRUPTIONS if suite in suites for gate in session.reach.gates(f"{suite}/accuracy", data)]
    return sum("-" in (gate.slice or "") for gate in gates)


def _texts(session: ClipSession, data: DataChoice) -> int:
    """How many texts ask for the classes, 0 where nobody knows. Other wordings, changes and captions are not counted."""
    from pytest_clip.data.questions import count

    if not any(has(each, "labelled") for each in session.sets[data.label]):
        return 0
    try:
        return count(data.text, prompts=session.settings.prompts)
    except ClipError:  # a project's own data
        return 0
