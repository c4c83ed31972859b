"""The rendering process: takes a list of jobs from standard input, fills slices of memory-mapped files, prints one count a job."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np


def render_job(job: dict[str, Any]) -> int:
    """Render the scenes `rows` of the embedded set `set` into the file `out` from its row `start` on; returns how many."""
    from ..data.scenes.render import render_rgb
    from ..data.scenes.sets import scene_set

    scenes, rows, start = scene_set(job["set"]).scenes, job["rows"], job["start"]
    out = np.lib.format.open_memmap(job["out"], mode="r+")
    out[start : start + len(rows)] = render_rgb([scenes[row] for row in rows]).numpy()
    out.flush()
    return len(rows)


def main() -> None:
    import torch

    torch.set_num_threads(1)
    for job in json.load(sys.stdin):
        print(render_job(job), flush=True)


if __name__ == "__main__":
    main()
