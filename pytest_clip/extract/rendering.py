"""The rendering process: takes a list of jobs from standard input, fills slices of memory-mapped files, prints one count a job."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np


def render_job(job: dict[str, Any]) -> int:
    """Render scenes [start, stop) of one embedded set into the file `out`; returns how many."""
    from ..data.scenes.render import render_rgb
    from ..data.scenes.sets import scene_set

    out = np.lib.format.open_memmap(job["out"], mode="r+")
    out[job["start"] : job["stop"]] = render_rgb(scene_set(job["set"]).scenes[job["start"] : job["stop"]]).numpy()
    out.flush()
    return int(job["stop"] - job["start"])


def main() -> None:
    import torch

    torch.set_num_threads(1)
    for job in json.load(sys.stdin):
        print(render_job(job), flush=True)


if __name__ == "__main__":
    main()
