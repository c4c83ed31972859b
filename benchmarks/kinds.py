"""What each corruption costs on a CPU: the kinds of ImageNet-C, ImageNet-3DCC and LAION-C on one thread, milliseconds of processor time.

A batch of IMAGES at each of the severities, best of GOES, mean over severities. With `--against=CHECKOUT`, another checkout of this
repository, the kinds of both are taken in turn in one process, on the same pictures, and the results are compared byte by byte.
Usage: python benchmarks/kinds.py [IMAGES] [SIZE] [--goes=N] [--kinds=A,B] [--severities=1,5] [--against=CHECKOUT]
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from corruptions import pictures

from pytest_clip.views.catalog import KINDS, KINDS_3D, KINDS_LAION, SEVERITIES

Apply = Callable[[torch.Tensor, torch.Tensor, str, int, Sequence[str]], torch.Tensor]
HERE = Path(__file__).parents[1]


def kinds_of(checkout: Path) -> Apply:
    """The corruptions as they are in a checkout: its modules are loaded beside those of any other."""
    mine = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "pytest_clip"}
    sys.path.insert(0, str(checkout))
    flat, deep, laion = (importlib.import_module(f"pytest_clip.views.{name}").apply for name in ("apply", "apply3d", "laion"))
    sys.path.remove(str(checkout))
    for name in [name for name in sys.modules if name.partition(".")[0] == "pytest_clip"]:
        del sys.modules[name]
    sys.modules.update(mine)

    def apply(x: torch.Tensor, depth: torch.Tensor, kind: str, severity: int, ids: Sequence[str]) -> torch.Tensor:
        if kind in KINDS_3D:
            return deep(x, depth, kind, severity, ids)
        return (laion if kind in KINDS_LAION else flat)(x, kind, severity, ids)

    return apply


def depths(n: int, size: int) -> torch.Tensor:
    """float32 [n, size, size]: a floor that runs away, a wall behind it and boxes in front."""
    g = torch.Generator().manual_seed(1)
    out = (2 + 10 * torch.linspace(1, 0, size))[:, None].expand(size, size).clamp(max=9).repeat(n, 1, 1)
    for one in out:
        for _ in range(4):
            top, left, high, wide = (int(v * size) for v in torch.rand(4, generator=g) * torch.tensor([0.7, 0.7, 0.25, 0.25]) + 0.05)
            one[top : top + high, left : left + wide] = 1.5 + 2 * torch.rand(1, generator=g)
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=8)
    parser.add_argument("size", nargs="?", type=int, default=224)
    parser.add_argument("--goes", type=int, default=3)
    parser.add_argument("--kinds", default=",".join((*KINDS, *KINDS_3D, *KINDS_LAION)))
    parser.add_argument("--severities", default=",".join(map(str, SEVERITIES)))
    parser.add_argument("--against", type=Path)
    args = parser.parse_args()
    severities = [int(each) for each in args.severities.split(",")]
    torch.set_num_threads(1)
    x, depth, ids = pictures(args.images, args.size), depths(args.images, args.size), [f"picture/{i}" for i in range(args.images)]
    versions = {"now": kinds_of(HERE), **({"former": kinds_of(args.against)} if args.against else {})}
    table: dict[str, dict[str, float]] = {}
    for kind in args.kinds.split(","):
        total = dict.fromkeys(versions, 0.0)
        for severity in severities:
            shown = {name: apply(x, depth, kind, severity, ids) for name, apply in versions.items()}  # tables are made, caches are warm
            if any(not torch.equal(each, shown["now"]) for each in shown.values()):
                print(f"{kind}-{severity}: other pixels than before")
            best = dict.fromkeys(versions, float("inf"))
            for _ in range(args.goes):
                for name, apply in versions.items():
                    began = time.process_time()
                    apply(x, depth, kind, severity, ids)
                    best[name] = min(best[name], time.process_time() - began)
            for name, seconds in best.items():
                total[name] += seconds * 1000 / args.images / len(severities)
        table[kind] = total
        print(f"{kind} measured", file=sys.stderr, flush=True)
    print(f"{'ms an image, mean of severities':36}" + "".join(f"{name:>10}" for name in versions) + "     ratio" * bool(args.against))
    for kind, total in sorted(table.items(), key=lambda row: -row[1]["now"]):
        ratio = f"{total['former'] / total['now']:10.2f}" if args.against else ""
        print(f"{kind:36}" + "".join(f"{each:10.2f}" for each in total.values()) + ratio, flush=True)
    print(f"{args.images} images of {args.size} pixels in a batch, severities {args.severities}, one thread, torch {torch.__version__}")


if __name__ == "__main__":
    main()
