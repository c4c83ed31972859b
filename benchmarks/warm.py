"""What a second run costs, and what the first one did twice.

`pytest --clip-suite=accuracy,calibration,checkpoint,corruptions,metamorphic` with a random-weight ViT-B-32 on a folder of JPEGs, twice with
one cache. Prints the seconds of the second run beyond a start-up (`pytest --co` of an empty project), the pictures that went
through the model in it (none), and of the first run pictures decoded over pictures there are, and texts encoded over distinct texts.
Usage: python benchmarks/warm.py [IMAGES] [--model=NAME]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from shared import MODEL, conditions, make_folder, run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="?", type=int, default=200)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--suites", default="accuracy,calibration,checkpoint,corruptions,metamorphic")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_folder(root / "images", images=args.images)
        (root / "empty").mkdir()
        (root / "empty" / "test_one.py").write_text("def test_one():\n    pass\n")
        start_up = min(run("--co", "-p", "no:clip", folder=root / "empty").wall for _ in range(3))
        given = (f"--clip-model={args.model}", f"--clip-data={root / 'images'}", f"--clip-cache-dir={root / 'cache'}")
        first = run(*given, f"--clip-suite={args.suites}", folder=root / "project", counted=True)
        again = min(
            (run(*given, f"--clip-suite={args.suites}", folder=root / "project", counted=True) for _ in range(2)), key=lambda r: r.wall
        )
    print(f"warm rerun: {again.wall - start_up:.2f} s beyond a pytest start-up of {start_up:.2f} s, {first.wall / again.wall:.1f} x faster")
    told = again.calls
    print(f"  in it {told['images']} images and {told['texts']} texts went through a model, {told['decoded']} pictures were decoded")
    told = first.calls
    print(f"  first run {first.wall:.1f} s: {told['decoded'] / args.images:.2f} decodes an image, ", end="")
    encoded = told["texts"] / max(1, told["distinct_texts"])
    print(f"{encoded:.2f} encodings a distinct text ({told['texts']}, and {told['padding']} copies to fill a batch), ", end="")
    print(f"{told['images']} images encoded")
    print(f"  {first.last}; {conditions()}")


if __name__ == "__main__":
    main()
