"""Our 15 corruptions at 5 severities against imagecorruptions-imaug, on the same pictures in the same run.

The reference takes one image at a time on one core. Ours takes the batch: on one core; on all of them (`--cores=N` for another number)
in as many processes, as `pytest -n N` does it, and in as many threads of one process, as a run without workers does it, where threads wait
for each other's turn with the interpreter; and on a GPU if there is one. Prints milliseconds an image and kind (processor time on one core,
wall time otherwise), and one ratio a line: reference over ours, all 75 cells weighted alike. Needs `pip install pytest-clip[test]`.
Usage: python benchmarks/corruptions.py [IMAGES] [SIZE] [--cores=N] [--no-reference]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from pytest_clip.views import IMAGENET_C, SEVERITIES, corrupt

Table = dict[str, float]


def pictures(n: int, size: int) -> torch.Tensor:
    """uint8 [n, 3, size, size] with a photograph's fall of the spectrum."""
    g = torch.Generator().manual_seed(0)
    waves = torch.hypot(torch.fft.fftfreq(size)[:, None] * size, torch.fft.rfftfreq(size) * size).clamp(min=1)
    noise = torch.fft.irfft2(torch.fft.rfft2(torch.randn(n, 3, size, size, generator=g)) / waves**1.1, s=(size, size))
    return ((0.45 + 0.2 * noise / noise.std()).clamp(0, 1) * 255).to(torch.uint8)


def timed(act: Callable[[str, int], object], n: int, clock: Callable[[], float]) -> Table:
    """Milliseconds an image, summed over severities, by kind; the best of two goes a cell."""
    out: Table = {}
    for kind in IMAGENET_C:
        out[kind] = 0.0
        for severity in SEVERITIES:
            goes = []
            for _ in range(2):
                began = clock()
                act(kind, severity)
                goes.append(clock() - began)
            out[kind] += min(goes) * 1000 / n
    return out


def reference(x: torch.Tensor) -> Table:
    from imagecorruptions import corrupt as theirs

    images = [np.ascontiguousarray(image) for image in x.permute(0, 2, 3, 1).numpy()]
    theirs(images[0], corruption_name="glass_blur", severity=1)  # compiles

    def one_by_one(kind: str, severity: int) -> None:
        for image in images:  # none is kept: memory that is given back at once is cheaper than new pages
            theirs(image, corruption_name=kind, severity=severity)

    return timed(one_by_one, len(x), time.process_time)


def ours(x: torch.Tensor, threads: int) -> Table:
    """On CPU: parts of the batch side by side, each on one thread, as the extraction does it."""
    ids = [f"picture/{i}" for i in range(len(x))]
    torch.set_num_threads(1 if x.device.type == "cpu" else torch.get_num_threads())
    corrupt(x[:1], "glass_blur", 1, ids[:1])
    if x.device.type != "cpu":

        def on_device(kind: str, severity: int) -> None:
            corrupt(x, kind, severity, ids)
            torch.cuda.synchronize()

        return timed(on_device, len(x), time.perf_counter)
    if threads == 1:
        return timed(lambda k, s: corrupt(x, k, s, ids), len(x), time.process_time)
    step = -(-len(x) // (2 * threads))
    parts = [slice(i, i + step) for i in range(0, len(x), step)]
    with ThreadPoolExecutor(threads) as pool:
        return timed(lambda k, s: list(pool.map(lambda p: corrupt(x[p], k, s, ids[p]), parts)), len(x), time.perf_counter)


_mine: list[tuple[torch.Tensor, list[str]]] = []


def _take(part: tuple[torch.Tensor, list[str]]) -> None:
    torch.set_num_threads(1)
    _mine.append(part)
    corrupt(part[0][:1], "glass_blur", 1, part[1][:1])


def _cell(kind: str, severity: int) -> None:
    [(images, ids)] = _mine
    corrupt(images, kind, severity, ids)


def in_processes(x: torch.Tensor, cores: int) -> Table:
    """Each process has its share of the images and one thread."""
    parts = [(part, [f"picture/{k}-{i}" for i in range(len(part))]) for k, part in enumerate(x.chunk(cores))]
    pools = [ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_take, initargs=(part,)) for part in parts]

    def act(kind: str, severity: int) -> None:
        for future in [pool.submit(_cell, kind, severity) for pool in pools]:
            future.result()

    act("brightness", 1)  # the processes have started
    table = timed(act, len(x), time.perf_counter)
    for pool in pools:
        pool.shutdown()
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=32)
    parser.add_argument("size", nargs="?", type=int, default=224)
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-reference", action="store_true")
    args = parser.parse_args()
    x = pictures(args.images, args.size)
    columns = {} if args.no_reference else {"reference": reference(x)}
    columns["1 core"] = ours(x, 1)
    if args.cores > 1:
        columns[f"{args.cores} processes"] = in_processes(x, args.cores)
        columns[f"{args.cores} threads"] = ours(x, args.cores)
    if torch.cuda.is_available():
        columns["GPU"] = ours(x.cuda(), 1)
    print(f"{'ms an image, 5 severities':26}" + "".join(f"{name:>13}" for name in columns))
    for kind in IMAGENET_C:
        print(f"{kind:26}" + "".join(f"{table[kind]:13.2f}" for table in columns.values()))
    totals = {name: sum(table.values()) for name, table in columns.items()}
    print(f"{'all':26}" + "".join(f"{total:13.2f}" for total in totals.values()))
    for name, total in totals.items():
        if "reference" in totals and name != "reference":
            print(f"{totals['reference'] / total:.1f} x the reference: {name}, {args.images} images of {args.size} pixels")
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
