"""What to do after a first run on own data: the commands that give its gates rules, and a baseline."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_clip.gates.layers import NAME
from pytest_clip.gates.rerun import quoted

if TYPE_CHECKING:
    from pytest_clip.session.run import ClipSession

Row = Mapping[str, Any]


def lines(rows: Sequence[Row], run: ClipSession) -> list[str]:
    """Two commands at most, each of which works as it stands in the folder of this run; none where the gates have rules, or a baseline."""
    if len(run.judged) != 1 or len(run.data) != 1 or run.settings.mutants:
        return []
    [model], [data] = run.judged, run.data
    mine = [row for row in rows if row["value"] is not None and row["n"] is not None and row["data"] == data.label and not row.get("role")]
    if data.text == "scenes" or not any(row["verdict"] == "unjudged" for row in mine):
        return []
    return [*_rules(run, model.spec.text, data.text), *_baseline(run, model.spec.text, model.label, data.label)]


def _rules(run: ClipSession, model: str, data: str) -> list[str]:
    if run.settings.update or run.settings.thresholds:
        return []
    if (run.settings.rootpath / NAME).exists():
        return [f"next: {_pytest(run, model, data, '--clip-update=create')}  adds rules for gates that have none to {NAME}"]
    options = " ".join(quoted(each) for each in _options(run, model, data) if not each.startswith("--clip-data="))
    more = f" --options={shlex.quote(options)}" if options else ""
    return [f"next: pytest-clip init {shlex.quote(data)} --model={shlex.quote(model)}{more}  writes {NAME}: rules that this model reaches"]


def _baseline(run: ClipSession, model: str, label: str, data: str) -> list[str]:
    from pytest_clip.runs import names

    settings = run.settings
    if settings.baseline is not None or settings.baseline_model is not None or settings.limit is not None:
        return []
    then = "then --clip-baseline={} holds the next checkpoint against it"
    if settings.save is not None:
        return [f"next: {then.format(settings.save.text).removeprefix('then ')}"]
    there = names.known(settings.rootpath)
    name = next(each for each in ("base", *(f"base-{k}" for k in range(2, len(there) + 3))) if each not in there)
    text = next((each.text for each in run.data if each.label == data), data)
    return [f"next: {_pytest(run, model, text, f'--clip-save={name}')}  saves a baseline, {then.format(name)}"]


def _options(run: ClipSession, model: str, data: str) -> list[str]:
    from pytest_clip.session.judge import options_of

    label = next(each.label for each in run.judged if each.spec.text == model)
    of = next(each.label for each in run.data if each.text == data)
    chosen = run.settings.suites or ()
    return [*options_of(run, label, of), *([f"--clip-suite={','.join(chosen)}"] if chosen else [])]


def _pytest(run: ClipSession, model: str, data: str, last: str) -> str:
    return " ".join(["pytest", quoted(f"--clip-model={model}"), *map(quoted, _options(run, model, data)), last])
