"""The rendering process: takes jobs from standard input, fills slices of memory-mapped files, prints one count a job."""

from __future__ import annotations

import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..data.scenes.spec import Scene


@dataclass(frozen=True)
class Job:
    """Render `scenes` into the file `out` from its row `start` on."""

    scenes: tuple[Scene, ...]
    start: int
    out: str


def render_job(job: Job) -> int:
    """Do one job; returns how many scenes it had."""
    from ..data.scenes.render import render_rgb

    out = np.lib.format.open_memmap(job.out, mode="r+")
    out[job.start : job.start + len(job.scenes)] = render_rgb(job.scenes).numpy()
    out.flush()
    return len(job.scenes)


def main() -> None:
    import torch

    torch.set_num_threads(1)
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)  # a pipe from the process that started this one
        except EOFError:
            return
        print(render_job(job), flush=True)


if __name__ == "__main__":
    # Under the name that the parent pickles jobs of.
    from pytest_clip.extract.rendering import main as run

    run()
