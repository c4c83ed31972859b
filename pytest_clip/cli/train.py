"""`pytest-clip train`: a bundled model made again."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="Recipe of a bundled model, such as scenes-rn")
    parser.add_argument(
        "--out", type=Path, default=Path("train"), metavar="DIR", help="Folder for checkpoint and curve; default: train/NAME"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="Another draw of scenes, batches and first weights; default: 0, as shipped"
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="As --clip-cache-dir of pytest")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.session.settings import default_cache_dir
    from pytest_clip.train.recipe import OTHERS

    out = args.out / (args.name if args.seed == 0 else f"{args.name}-seed{args.seed}")
    cache = args.cache_dir or default_cache_dir()
    if args.name in OTHERS:
        from pytest_clip.train.llava.run import run as train_llava

        wrote = train_llava(out=out, cache=cache, seed=args.seed)
    else:
        from pytest_clip.train.run import run as train

        wrote = train(args.name, out=out, cache=cache, seed=args.seed)
    print(f"wrote {wrote}")
    return 0
