"""The JSON record of a run: every verdict with all that is needed to understand it later, without pytest and without this machine."""

from __future__ import annotations

import json
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

_PACKAGES = ("pytest", "pytest-xdist", "torch", "torchvision", "open_clip_torch", "numpy", "scipy", "pillow")
#: How CI systems name the commit, for checkouts without git.
_COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "BUILDKITE_COMMIT", "CIRCLE_SHA1", "BUILD_SOURCEVERSION")
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


def session_facts(*, argv: Sequence[str], started: float, exit_status: int, rootpath: Path) -> dict[str, Any]:
    return {
        "versions": {"pytest-clip": __version__, "python": platform.python_version(), **_versions()},
        "host": {"system": platform.platform(), "machine": platform.machine(), "cores": os.cpu_count(), "python": sys.executable},
        "argv": list(argv),
        "commit": _commit(rootpath),
        "started": datetime.fromtimestamp(started, timezone.utc).isoformat(timespec="seconds"),
        "duration": round(time.time() - started, 3),
        "exit_status": exit_status,
    }


def write(path: Path, document: Mapping[str, Any]) -> None:
    """All of it or nothing: a reader never finds half a file, and a failing run leaves the previous report readable until then."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
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


def _umask() -> int:
    """mkstemp makes private files; a report is as readable as any other file the user writes."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _versions() -> dict[str, str]:
    """From the installed metadata: a report is no reason to import torch."""
    found = {name: next(iter(metadata.distributions(name=name)), None) for name in _PACKAGES}
    return {name: distribution.version for name, distribution in found.items() if distribution is not None}


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
