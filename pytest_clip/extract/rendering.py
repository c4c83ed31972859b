"""The rendering process: takes jobs from standard input, puts their pictures into the cache, prints one count a job."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entry import Entry
from .pixels import render

if TYPE_CHECKING:
    from ..data.scenes.notes.note import Noted
    from ..data.scenes.spec import Scene
    from ..data.scenes.studio.portrait import Portrait


@dataclass(frozen=True)
class Job:
    """Render `scenes`, which are the rows `span` of `entry`."""

    scenes: tuple[Scene, ...] | tuple[Portrait, ...] | tuple[Noted, ...]
    entry: Entry
    span: range


def main() -> None:
    import torch

    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(5)  # on full cores the run itself goes first: everything waits for it in the end
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)  # a pipe from the process that started this one
        except EOFError:
            return
        render(job.entry, job.scenes, job.span)
        print(len(job.span), flush=True)


if __name__ == "__main__":
    # Under the name that the parent pickles jobs of.
    from pytest_clip.extract.rendering import main as run

    run()
