"""The processor cores of a run: what it may count on beside other runs of the same machine, and what it may find idle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STREAMS = 4
"""Batches under way at a time, at most: memory grows with them."""
RENDERERS = 8
"""Processes that render, unless the user asks for more: each imports torch (2.5 s, 300 MB), and all of it takes a minute of one core."""


FEW = 16
"""Rows below which a forward pass depends on the number of threads. On 1, 2 and 4 threads embeddings of 1 to 12 images differed by up to
1e-7 (scenes-rn, RN50; 5 to 7 images with ViT-B-32; 5 to 7 texts with all three), of 16 and 20 not in a bit (torch 2.14)."""


@dataclass(frozen=True)
class Cores:
    """What one process does at a time."""

    share: int
    """threads that decode, and that torch computes with"""
    streams: int
    """batches under way: one for each core, not of the share, since the other runs of the machine may have nothing left to do"""
    renderers: int
    """processes of their own that render; 0 renders in the run itself"""


def cores(workers: int | None = None, *, runs: int = 1, first: bool = True) -> Cores:
    """The cores of one of `runs` equal runs on this machine; exactly `workers` if the user says so.

    The first renders for all, ahead and at low priority; another makes itself what it needs and nobody is at. To render ahead, a run has
    to draw up every set, whether it needs it or not: 4 s for those of the embedded benchmark.
    """
    if workers is not None:
        return Cores(share=workers, streams=min(workers, STREAMS), renderers=workers if workers > 1 else 0)
    there = count()
    renderers = min(there, RENDERERS) if there > 1 and first else 0
    return Cores(share=max(1, there // runs), streams=min(there, STREAMS), renderers=renderers)


def count() -> int:
    """The cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def steady(rows: int, device: str) -> Iterator[None]:
    """One thread for a forward pass of few rows, so that a run with workers, whose torch has other threads, gets the same bits."""
    import torch

    before = torch.get_num_threads()
    if rows >= FEW or device != "cpu" or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def share_cores(threads: int, streams: int) -> Iterator[None]:
    """While several batches are under way, torch uses only each one's share of the cores."""
    import torch

    before = torch.get_num_threads()
    if streams > 1:
        torch.set_num_threads(max(1, threads // streams))
    try:
        yield
    finally:
        torch.set_num_threads(before)
