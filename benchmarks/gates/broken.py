"""What the rules for a model that nobody knows say of healthy and of broken models: runs of the product, and a table of their verdicts.

Usage: python benchmarks/gates/broken.py [--suites=NAME,...] [--limit=N] [--out=FILE] [--cache=DIR] BASE[~BREAKAGE] ...
`scenes-rn` alone means every breakage of it. FILE (JSON) gathers the rows of several calls; the table is of all that it holds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import broken_models

CONFTEST = """
import sys
sys.path.insert(0, {here!r})
import broken_models
from pathlib import Path

def pytest_clip_make_model(spec, config):
    return broken_models.make(spec.text, Path({cache!r}))
"""
CHEAP = "accuracy,calibration,checkpoint"
BAD = ("fail", "insufficient")
GROUP = {name: group for group, names in broken_models.GROUPS.items() for name in names}


def measure(names: Sequence[str], *, suites: str, limit: int | None, cache: Path) -> dict[str, dict[str, Any]]:
    """One run of several models: by name the exit status, and verdicts and values by gate. A gate that fails means status 1; a model
    without one is run alone, because a run fails for other reasons, too."""
    done, gates = _run(names, suites=suites, limit=limit, cache=cache)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        mine = [row for row in gates if row["model"] == name.replace("~", "-")]
        assert mine, f"no gate of {name} in the record"
        verdicts = {row["gate"]: row["verdict"] for row in mine}
        values = {row["gate"]: row["value"] for row in mine}
        found[name] = {"status": done, "suites": suites, "limit": limit, "verdicts": verdicts, "values": values}
        if len(names) > 1 and not set(verdicts.values()).intersection(BAD):
            found |= measure([name], suites=suites, limit=limit, cache=cache)
    return found


def _run(names: Sequence[str], *, suites: str, limit: int | None, cache: Path) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and rows; what was printed where there is no record."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "conftest.py").write_text(CONFTEST.format(here=str(Path(__file__).parent), cache=str(cache)))
        (root / "pytest.ini").write_text("[pytest]\n")  # the shipped thresholds and no others
        options = [f"--clip-model={name}" for name in names]
        options += [f"--clip-suite={suites}"] if suites != "all" else []
        options += [f"--clip-limit={limit}"] if limit is not None else []
        options += [f"--clip-report=json:{root / 'report.json'}", f"--clip-cache-dir={cache}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options], cwd=root, capture_output=True, text=True
        )
        if not (root / "report.json").exists():
            raise SystemExit(f"{done.stdout}\n{done.stderr}")
        return done.returncode, json.loads((root / "report.json").read_text())["gates"]


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown, a line a model."""
    lines = [
        "| model | | images a set | pass | fail | warned | unjudged | not measured | exit | first that fail |", f"|{'---|' * 10}"
    ]  # fmt: skip
    for name, one in sorted(found.items(), key=_order):
        count = Counter(one["verdicts"].values())
        failed = sum(count[word] for word in BAD)
        down = [f"`{gate}`" for gate, verdict in one["verdicts"].items() if verdict in BAD][:3]
        numbers = (count["pass"], failed, count["warn"], count["unjudged"], count["not_measured"])
        cells = (f"`{name}`", _group(name), one["limit"] or "all", *numbers, one["status"], ", ".join(down))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _group(name: str) -> str:
    return GROUP.get(name.partition("~")[2], "healthy")


def _order(item: tuple[str, Any]) -> tuple[str, int, str]:
    base, _, breakage = item[0].partition("~")
    return base, list(GROUP).index(breakage) if breakage in GROUP else -1, breakage


def green(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Models that should fail and did not."""
    return [name for name, one in found.items() if _group(name) not in ("healthy", "slight") and one["status"] == 0]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=list(broken_models.BASES))
    parser.add_argument("--suites", default=CHEAP, help="names, or all")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--together", type=int, default=8, help="models in one run")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("PYTEST_CLIP_CACHE", "cache")))
    told = parser.parse_args(arguments)
    found: dict[str, Any] = json.loads(told.out.read_text()) if told.out and told.out.exists() else {}
    wanted = [each for name in told.models for each in ([name] if "~" in name else [f"{name}~{breakage}" for breakage in GROUP])]
    for at in range(0, len(wanted), told.together):
        found |= measure(wanted[at : at + told.together], suites=told.suites, limit=told.limit, cache=told.cache.resolve())
        if told.out:
            told.out.write_text(json.dumps(found, indent=1))
    print(table(found))
    print(f"\ngreen, and should not be: {', '.join(green(found)) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
