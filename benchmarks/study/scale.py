"""How long a study of many runs takes, and how much memory: `python benchmarks/study/scale.py [RUNS] [GATES]`.

Makes RUNS (300) records of GATES (400) gates each, of 100 families of up to five models, with planted effects of two factors, half of them
packed runs with the outcomes of 13 sets of 500 images; then `pytest-clip study` in a process of its own, whose seconds and peak of memory
are printed. Needs a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.special import expit

from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import packed, store
from pytest_clip.runs.spool import Parcel

SHIFTS = ("light", "style", "clutter", "far")
THREE_D = ("far_focus", "near_focus", "fog_3d", "flash", "xy_motion_blur", "z_motion_blur")
N = 500
SETS, LOSSES, TOWERS = ("laion", "wit", "webli", "dfn"), ("softmax", "sigmoid"), ("vit", "resnet", "convnext", "eva")


def gates(rng: np.random.Generator, clean: float, more: int, effect: float) -> dict[str, float]:
    """Logits by gate."""
    found = {"accuracy/top1[clean]": clean}
    found |= {f"accuracy/top1[shift_{each}]": 0.9 * clean - 0.3 - 0.2 * at + effect for at, each in enumerate(SHIFTS)}
    found |= {f"corruptions_3d/accuracy[{each}]": clean - 0.2 + effect for each in THREE_D}
    found |= {"ood/auroc[near]": 1 + 0.5 * clean, "calibration/ece[clean]": -3.0, "shape_bias/shape_bias[cue_conflict]": 0.5}
    found |= {f"corruptions/accuracy[noise_{at}]": clean - 0.4 for at in range(15)}
    found |= {f"factors/accuracy[part_{at}]": clean - 0.3 for at in range(more - len(found))}
    return {gate: value + rng.normal(0, 0.05) for gate, value in found.items()}


def make(folder: Path, runs: int, more: int) -> None:
    rng = np.random.default_rng(0)
    hard = np.sort(rng.logistic(size=(13, N)))
    made = 0
    print(f"making {runs} runs", file=sys.stderr)
    for family in range(10_000):
        own, centre = rng.normal(0, 0.15), rng.normal(0.8, 0.6)
        trained, loss = SETS[family % len(SETS)], LOSSES[family % 7 < 3]
        for _ in range(int(rng.integers(1, 6))):
            if made == runs:
                return
            effect = own + 0.4 * (trained == "dfn") - 0.3 * (loss == "sigmoid")
            logits = gates(rng, centre + rng.normal(0, 0.2), more, effect)
            factors = {"training_set": trained, "loss": loss, "family": TOWERS[family % 5 % 4], "lineage": f"lineage{family}"}
            write(folder, f"run{made:03}", logits, factors, rng, hard if made % 2 == 0 else None)
            made += 1


def write(
    folder: Path, name: str, logits: dict[str, float], factors: dict[str, str], rng: np.random.Generator, hard: np.ndarray | None
) -> None:
    ids, rows, parcels = tuple(f"i-{at:05}" for at in range(N)), [], []
    for at, (gate, value) in enumerate(logits.items()):
        row = {
            "gate": gate, "model": name, "data": "scenes", "value": float(expit(value)), "n": N, "verdict": "pass", "ci": [0.1, 0.9],
            "conventions": {"prompts": "09064a44bcd8", "classes": 19, "logit_scale": 42.3}, "reason": None,
            "message": f"{gate}: measured. " * 20,
        }  # fmt: skip
        if hard is not None and at < 13 and "auroc" not in gate and "ece" not in gate:
            correct = hard[at] + rng.normal(0, 0.5, N) < value
            row["value"] = float(correct.mean())
            parcels.append(Parcel(row, Outcomes("mean", {"correct": correct}, ids), {}))
        rows.append(row)
    told = {key: {"value": value, "from": "card"} for key, value in factors.items()}
    record = {
        "schema": 1, "session": {"started": None, "commit": None},
        "models": [{"name": name, "fingerprint": f"{name:0>16}", "precision": "fp32", "factors": told}],
        "data": [{"name": "scenes", "fingerprint": "f0"}], "gates": rows,
    }  # fmt: skip
    if hard is None:
        (folder / f"{name}.json").write_text(json.dumps(record))
        return
    with tempfile.TemporaryDirectory() as aside:
        store.write(Path(aside) / name, record=record, asked={}, partial=[], parcels=parcels, replace=False)
        (folder / f"{name}{packed.SUFFIX}").write_bytes(packed.pack(store.read(Path(aside) / name)))


def main(runs: int, more: int) -> None:
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside)
        make(folder, runs, more)
        size = sum(each.stat().st_size for each in folder.iterdir()) / 1e6
        runs_ = sorted(map(str, folder.iterdir()))
        command = [sys.executable, "-m", "pytest_clip.cli.main", "study", *runs_, "--json", str(folder / "out.json")]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{runs} runs of {more} gates, {size:.0f} MB: {time.perf_counter() - start:.1f} s by the clock, "
              f"{used.ru_utime + used.ru_stime:.1f} s of processor, {used.ru_maxrss / 1024:.0f} MiB at most")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300, int(sys.argv[2]) if len(sys.argv) > 2 else 400)
