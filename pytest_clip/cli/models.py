"""`pytest-clip models`: the names that --clip-model takes."""

from __future__ import annotations

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="Also every open_clip architecture, not only the bundled models")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.models import listing

    rows = [row for row in listing.describe() if args.all or row.kind in ("bundled", "photo")]
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        scores = row.record.get("metrics", {})
        what = ", ".join(f"{k} {scores[k]:.3f}" for k in ("top1_clean", "top1_typical", "ece_clean", "auroc_near_mcm") if k in scores)
        if row.kind == "photo":
            what = f"trained on photographs: {row.record['what']}"
        elif row.kind != "bundled":
            what = f"{row.kind}, {row.pretrained or 'name a tag or a checkpoint'}"
        print(f"{row.name:<{width}}  {what or row.kind}")
    print("\nother kinds of models:")
    for form, told in listing.KINDS:
        print(f"  {form:<32}{told}")
    if not args.all:
        print("open_clip architectures: pytest-clip models --all")
    return 0
