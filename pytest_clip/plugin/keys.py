"""Where the run lives on ``config.stash``. Apart from what it holds, so that a sleeping plugin imports none of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_clip.plugin.invocation import Plan
    from pytest_clip.plugin.mutants import Mutating
    from pytest_clip.session.run import ClipSession

SESSION: pytest.StashKey[ClipSession] = pytest.StashKey()
PLAN: pytest.StashKey[Plan] = pytest.StashKey()
MUTATING: pytest.StashKey[Mutating] = pytest.StashKey()


def running(config: pytest.Config) -> ClipSession | None:
    """The run of this process, or None when no model was named and the plugin sleeps."""
    return config.stash.get(SESSION, None)
