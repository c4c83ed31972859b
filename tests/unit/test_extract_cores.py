"""Whose cores are whose: alone, beside xdist workers, and as the user says."""

from __future__ import annotations

import os

import pytest

from pytest_clip.extract.cores import Cores, cores, count


@pytest.mark.parametrize(
    ("there", "runs", "first", "expected"),
    [
        (1, 1, True, Cores(share=1, streams=1, renderers=0)),  # a process beside would only take the core away
        (1, 2, True, Cores(share=1, streams=1, renderers=0)),
        (2, 1, True, Cores(share=2, streams=2, renderers=2)),
        (2, 2, True, Cores(share=1, streams=2, renderers=2)),
        (2, 2, False, Cores(share=1, streams=2, renderers=0)),
        (2, 4, True, Cores(share=1, streams=2, renderers=2)),
        (16, 3, True, Cores(share=5, streams=4, renderers=8)),
        (16, 3, False, Cores(share=5, streams=4, renderers=0)),
    ],
)
def test_a_run_counts_on_its_share_and_reaches_for_what_is_idle(
    monkeypatch: pytest.MonkeyPatch, there: int, runs: int, first: bool, expected: Cores
) -> None:
    monkeypatch.setattr("pytest_clip.extract.cores.count", lambda: there)
    assert cores(runs=runs, first=first) == expected


@pytest.mark.parametrize(("workers", "renderers"), [(1, 0), (2, 2), (7, 7)])
def test_the_users_word_counts_for_every_run(workers: int, renderers: int) -> None:
    for runs in (1, 4):
        assert cores(workers, runs=runs) == Cores(share=workers, streams=min(workers, 4), renderers=renderers)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system cannot withhold cores")
def test_cores_that_a_container_withholds_do_not_count() -> None:
    here = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(here)})
        assert count() == 1
    finally:
        os.sched_setaffinity(0, here)
