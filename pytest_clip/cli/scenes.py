"""`pytest-clip scenes`: pictures of the embedded benchmark."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_clip import ClipError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--contact", type=Path, metavar="PATH", help="Write a contact sheet of the embedded benchmark, a PNG")
    parser.add_argument("--corruptions", type=Path, metavar="PATH", help="Write a sheet of every corruption at every severity, a PNG")


def run(args: argparse.Namespace) -> int:
    if args.contact is None and args.corruptions is None:
        raise ClipError("nothing to write; name a file with --contact or --corruptions")
    if args.contact is not None:
        from pytest_clip.data.scenes import contact

        print(f"wrote {contact.write(args.contact)}")
    if args.corruptions is not None:
        from pytest_clip.data.scenes import damage

        print(f"wrote {damage.write(args.corruptions)}")
    return 0
