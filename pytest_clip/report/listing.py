"""``--clip-list`` and ``pytest-clip list``: what a run would do, told without loading anything heavy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_clip import ClipError
from pytest_clip.extract import rates
from pytest_clip.extract.rates import clocked
from pytest_clip.gates.catalog import CATALOG, SUITES
from pytest_clip.gates.catalog.lmm import NAME as LMM
from pytest_clip.gates.catalog.needs import has, paired
from pytest_clip.mutants.catalog import MUTANTS
from pytest_clip.report import order as said
from pytest_clip.session import cost as reckoned
from pytest_clip.session import lmmcost, paths
from pytest_clip.session.judge import rule_for

if TYPE_CHECKING:
    from pytest_clip.gates.ids import GateId
    from pytest_clip.session.choices import DataChoice
    from pytest_clip.session.cost import Cost
    from pytest_clip.session.run import ClipSession

WITHOUT_CLASSES = ("retrieval", "correspondence")
"""Suites that ask for no classes."""
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
    for entry in session.rulebook.out_of_scope(session.named, {each.label for each in session.data}):
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
    """Each data set with its image sets, then what the run asks of them: every picture passes through a model once, and once under each
    view, however many gates look at it."""
    told = []
    for data in session.data:
        sets = session.sets[data.label]
        cost = reckoned.of(session, suites, data)
        absent = {each.name: each.absent for each in sets if getattr(each, "absent", "")}
        limit = session.settings.limit
        sizes = {each.name: each.n if limit is None else min(each.n, limit) for each in sets if each.name not in absent}
        within = {each.name: each.within for each in sets if getattr(each, "within", "") in sizes}
        images = sum(n for name, n in sizes.items() if name not in within)
        told.append(f"data {data.label}: {len(sizes)} image sets, {images} images")
        width = max(map(len, sizes), default=0)
        told += [f"  {name:<{width}}  {n}" + (f", of {within[name]}" if name in within else "") for name, n in sizes.items()]
        alike: dict[str, list[str]] = {}
        for name, reason in absent.items():
            alike.setdefault(reason, []).append(name)
        told += [f"  not there: {', '.join(names)}: {reason}" for reason, names in alike.items()]
        told += [_cost(cost, _texts(session, suites, data), max(1, models)), *_times(session, cost, models)]
        told += [f"  {each}" for each in lmm(session, suites, data)]
    return told


def _cost(cost: Cost, texts: int, models: int) -> str:
    views = f", {said.count(cost.views, 'view')} of them" if cost.views else ""
    words = f", {said.count(texts, 'text')}" if texts else ""
    passes = f"{'about ' if cost.about else ''}{cost.passes * models:,} forward passes of pictures"
    more = f", at most {cost.more * models:,} more in searches, variants and places" if cost.more else ""
    return f"  this run: {said.count(cost.pictures, 'picture')}{views}{words}: {passes}{more}; less what the cache holds"


def _times(session: ClipSession, cost: Cost, models: int) -> list[str]:
    """How long a model takes for its passes, by its last rate on this machine's cache."""
    told, settings = [], session.settings
    for choice in session.judged:
        rate = rates.known(settings.cache_dir, choice.names, settings.device) if settings.cache else None
        if rate is None:
            told.append(f"  time of {choice.label}: not known, because no run with this cache has measured it yet")
            continue
        passes = cost.passes * (models // max(1, len(session.judged)))
        spent = f"{_long(passes / rate.per_second)} of forward passes at {rate.per_second:,.3g} pictures a second"
        told.append(f"  time of {choice.label}: about {spent}, its last rate on {rate.device}")
    return told


def lmm(session: ClipSession, suites: Sequence[str], data: DataChoice) -> list[str]:
    """What the LMM is asked, and how long that takes by its last rate; of each CLIP anew, because each has failures of its own."""
    choice = session.settings.lmm
    if choice is None or LMM not in suites:
        return []
    cost, clips = lmmcost.of(session, data), max(1, len(session.judged))
    words = f", {cost.words * clips:,} of them answered in words" if cost.words else ""
    told = f"{choice.label}: {cost.questions * clips:,} questions with {cost.options * clips:,} options{words}; less what the cache holds"
    rate = rates.known(session.settings.cache_dir, (clocked(choice.label),), session.settings.device) if session.settings.cache else None
    if rate is None:
        return [told, f"time of {choice.label}: not known, because no run with this cache has asked it yet"]
    spent = _long(cost.questions * clips / rate.per_second)
    return [told, f"time of {choice.label}: about {spent} at {rate.per_second:,.3g} questions a second, its last rate on {rate.device}"]


def _long(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _texts(session: ClipSession, suites: Sequence[str], data: DataChoice) -> int:
    """How many texts a model is asked, 0 where nobody knows, or no suite asks for classes."""
    from pytest_clip.data.questions import texts

    reached = [gate for name in CATALOG if name.partition("/")[0] in suites for gate in session.reach.gates(name, data)]
    labelled = any(has(each, "labelled") for each in session.sets[data.label])
    if not labelled or not any(gate.suite not in WITHOUT_CLASSES for gate in reached):
        return 0
    families = {str(gate.slice) for gate in reached if gate.suite == "prompts"}
    spelling = any(gate.metric_id == "metamorphic/invariance" for gate in reached)
    captions = any(gate.suite == "retrieval" for gate in reached)
    reading = any(gate.suite == "typographic" for gate in reached)
    try:
        asked = session.settings.prompts
        return texts(data.text, prompts=asked, families=families, spelling=spelling, captions=captions, reading=reading)
    except ClipError:  # a project's own data
        return 0
