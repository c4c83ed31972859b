"""The JSON record of a run: every verdict with all that is needed to understand it later, without pytest and without this machine."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_clip import __version__

SCHEMA = 1
DEEPEST = 100

_PACKAGES = ("pytest", "pytest-xdist", "torch", "torchvision", "open_clip_torch", "numpy", "scipy", "pillow")
#: How CI systems name the commit, for checkouts without git.
_COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "BUILD_SOURCEVERSION")
_WORKSPACES = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BUILD_SOURCESDIRECTORY")
_ROW_KEYS = (
    *("gate", "suite", "metric", "slice", "model", "fingerprint", "data", "value", "ci", "n", "reason", "verdict", "partial"),
    *("rule", "waiver", "role", "better", "baseline", "flips", "conventions", "message", "nodeid"),
)


def record(
    *,
    rows: Sequence[Mapping[str, Any]],
    models: Sequence[Mapping[str, Any]],
    data: Sequence[Mapping[str, Any]],
    session: Mapping[str, Any],
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document, with everything in an order that does not depend on scheduling. ``more`` are parts that only some runs have."""
    ordered = sorted(rows, key=lambda row: (row["model"], row["data"], row["gate"], row.get("nodeid", "")))
    return {
        "schema": SCHEMA,
        "session": dict(session),
        "models": sorted(models, key=lambda model: str(model["name"])),
        "data": sorted(data, key=lambda each: str(each["name"])),
        "gates": [{key: row.get(key) for key in _ROW_KEYS} for row in ordered],
        **(more or {}),
    }


def session_facts(*, argv: Sequence[str], started: float, exit_status: int, rootpath: Path, here: Path | None = None) -> dict[str, Any]:
    """`here` is the folder the run was started in, from which the names of thresholds files count; default: the current one."""
    return {
        "versions": {"pytest-clip": __version__, "python": platform.python_version(), **_versions()},
        "host": {"system": platform.platform(), "machine": platform.machine(), "cores": os.cpu_count(), "python": sys.executable},
        "argv": list(argv),
        "commit": _commit(rootpath),
        "repository": repository(here or Path.cwd()),
        "started": datetime.fromtimestamp(started, timezone.utc).isoformat(timespec="seconds"),
        "duration": round(time.time() - started, 3),
        "exit_status": exit_status,
    }


def write(path: Path, document: Mapping[str, Any]) -> list[str]:
    """All of it or nothing: a reader never finds half a file, and a failing run leaves the previous report readable until then.

    What JSON cannot hold is written as something that it can; returns a line about each kind of it.
    """
    text, told = as_text(document)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return told


def as_text(document: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The document as JSON, and a line about each kind of thing in it that had to be replaced."""
    try:
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except (ValueError, TypeError, RecursionError):
        found: dict[str, int] = {}
        text = json.dumps(_held(document, found), indent=1, ensure_ascii=False, allow_nan=False)
        return text, [f"{count} {what} in the record" for what, count in found.items()]
    return text, []


def _held(value: Any, found: dict[str, int], depth: int = 0) -> Any:
    """`value` as JSON can hold it; `found` counts what was replaced."""

    def instead(what: str, other: Any) -> Any:
        found[what] = found.get(what, 0) + 1
        return other

    if isinstance(value, str):
        escaped = value.encode("utf-8", "backslashreplace").decode("utf-8")
        return value if escaped == value else instead("texts that are no Unicode are escaped", escaped)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else instead("numbers that are not finite are null", None)
    if depth > DEEPEST:
        return instead("values nested too deeply are null", None)
    if isinstance(value, Mapping):
        return {str(_held(str(key), found)): _held(each, found, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_held(each, found, depth + 1) for each in value]
    return instead("values that JSON does not know are text", _held(repr(value), found))


def _umask() -> int:
    """mkstemp makes private files; a report is as readable as any other file the user writes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _versions() -> dict[str, str]:
    """From the installed metadata: a report is no reason to import torch."""
    found = {name: next(iter(metadata.distributions(name=name)), None) for name in _PACKAGES}
    return {name: distribution.version for name, distribution in found.items() if distribution is not None}


def repository(here: Path) -> dict[str, str] | None:
    """The root of the checkout and the way from there to `here`; None outside of one. A workspace of CI need not have a .git."""
    here = here.resolve()
    named = [Path(os.environ[name]) for name in _WORKSPACES if os.environ.get(name)]
    for root in (here, *here.parents):
        if (root / ".git").exists() or root in named:
            return {"root": str(root), "folder": "" if root == here else here.relative_to(root).as_posix()}
    return None


def _commit(rootpath: Path) -> str | None:
    for variable in _COMMIT_VARIABLES:
        if value := os.environ.get(variable):
            return value
    try:
        done = subprocess.run(
            ["git", "-C", str(rootpath), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
