"""`pytest-clip cache`: info, verify, clear."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from pytest_clip import ClipError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status: 0 done, 1 damaged parts were found or a run is using the cache, 2 there is no cache."
    parser.add_argument("action", choices=["info", "verify", "clear"], help="sizes; checksums of all parts; remove everything")
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="As --clip-cache-dir of pytest")
    parser.add_argument("--all", action="store_true", help="With info: every entry")
    parser.add_argument("--remove", action="store_true", help="With verify: remove what is damaged, so that it is made again")


def run(args: argparse.Namespace) -> int:
    from pytest_clip.session.settings import default_cache_dir

    cache: Path = args.cache_dir or default_cache_dir()
    if not cache.is_dir():
        raise ClipError(f"there is no cache at {cache}; name one with --cache-dir=DIR")
    return {"info": _info, "verify": _verify, "clear": _clear}[args.action](cache, args)


def _info(cache: Path, args: argparse.Namespace) -> int:
    from pytest_clip.extract.cache import entries, total

    there = list(entries(cache))
    print(f"{cache}: {in_words(total(cache))}")
    for kind in sorted({stored.kind for stored in there}):
        some = [stored for stored in there if stored.kind == kind]
        print(f"  {kind:8} {len(some):6} entries {in_words(sum(stored.bytes for stored in some)):>10}")
    if args.all:
        for stored in sorted(there, key=lambda stored: -stored.bytes):
            print(f"{in_words(stored.bytes):>10}  {stored.kind:8} {stored.what}")
    return 0


def _verify(cache: Path, args: argparse.Namespace) -> int:
    from pytest_clip.extract.cache import torn

    found = 0
    for path, why in torn(cache):
        found += 1
        if args.remove:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        print(f"{path}: {why}{': removed' if args.remove else ''}")
    print(f"{found} damaged parts" + ("; --remove takes them away, a run makes them again" if found and not args.remove else ""))
    return 1 if found else 0


def _clear(cache: Path, args: argparse.Namespace) -> int:
    from pytest_clip.extract.cache import clear
    from pytest_clip.extract.inuse import alone

    with alone(cache) as free:
        if not free:
            print(f"pytest-clip cache: a run works with {cache}; nothing is removed, clear it when the run has ended", file=sys.stderr)
            return 1
        print(f"removed {in_words(clear(cache))} from {cache}")
    return 0


def in_words(size: int) -> str:
    """Bytes in the largest unit that leaves a number of at least 1, as `clip_cache_size` takes them."""
    amount, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
