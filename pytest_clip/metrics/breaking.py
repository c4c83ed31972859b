"""The smallest strength at which a property of the model breaks: found and shrunk by hypothesis, then made certain."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import _checks


def smallest_break(breaks: Callable[[int], bool], *, steps: int) -> int | None:
    """The smallest k in 1 .. `steps` with breaks(k), None when there is none. Every k is asked at most once.

    hypothesis looks for a k that breaks and shrinks it. A shrinker stops where no simpler example of its own breaks; since the share of
    changed answers need not grow with the strength, whatever is smaller and has not been asked is asked then. So the result is that of a
    scan of all k, whichever examples hypothesis drew, and it does not depend on the user's hypothesis profile, seed or database.
    """
    steps = _checks.count(steps, name="steps")
    answers: dict[int, bool] = {}

    def asked(k: int) -> bool:
        if k not in answers:
            answers[k] = bool(breaks(k))
        return answers[k]

    _search(asked, steps)
    first = min((k for k, broken in answers.items() if broken), default=steps + 1)
    return next((k for k in range(1, min(first, steps) + 1) if asked(k)), None)


def _search(asked: Callable[[int], bool], steps: int) -> None:
    """Have hypothesis look for the simplest k in 1 .. steps with asked(k)."""
    from hypothesis import HealthCheck, Phase, Verbosity, find, settings
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    own = settings(
        max_examples=4 * steps, derandomize=True, deadline=None, database=None, phases=(Phase.generate, Phase.shrink), print_blob=False,
        verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck), report_multiple_bugs=False, backend="hypothesis",
    )  # fmt: skip
    with _elsewhere():
        try:
            find(st.integers(1, steps), asked, settings=own)
        except NoSuchExample:
            return


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Without a database hypothesis still notes the constants of the modules it sees, in `.hypothesis` of the working folder."""
    from hypothesis import configuration

    before = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(Path(folder))
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
