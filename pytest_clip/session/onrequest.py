"""Suites that cost so much that they run only where somebody asks: by name, or by a rule of the project's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_clip.session.run import ClipSession

SUITES = ("adversarial",)


def gated(session: ClipSession) -> tuple[str, ...]:
    """Those of which a rule of the project speaks about a model and a data set of this run. Rules that ship ask for nothing."""
    book = session.rulebook
    models = {name for choice in session.models for name in choice.names}
    elsewhere = book.out_of_scope(models, {choice.label for choice in session.data}) if session.models else ()
    named = {entry.gate.suite for entry in book.entries if entry.layer > 0 and entry not in elsewhere}
    return tuple(suite for suite in SUITES if suite in named)
