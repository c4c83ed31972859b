"""Small JSON files that are believed when they are read back: each with a checksum, over what it holds and the name it lies under.

It tells damage and changes by hand from what was written. Who may write the folder may also write a new checksum: see docs/security.md.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_SEAL, _HELD = "sha256", "holds"


def write(path: Path, content: Any) -> None:
    """Put `content` at `path`, whole or not at all. CacheError when it cannot be written, TypeError for what is no JSON."""
    from .extract.store import writing

    with writing(path) as part:
        part.write_text(json.dumps({_SEAL: _checksum(path, content), _HELD: content}), encoding="utf-8")


def read(path: Path) -> Any:
    """What was written to `path`; ValueError when it holds anything else, OSError when it cannot be read."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(whole, dict) or set(whole) != {_SEAL, _HELD}:
        raise ValueError("it has no checksum")
    if whole[_SEAL] != _checksum(path, whole[_HELD]):
        raise ValueError("the checksum differs from the one it was written with")
    return whole[_HELD]


def _checksum(path: Path, content: Any) -> str:
    return hashlib.sha256(json.dumps([path.name, content], sort_keys=True).encode()).hexdigest()
