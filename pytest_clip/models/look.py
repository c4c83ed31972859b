"""A first look at a model before anything loads: is there such an architecture, tag or file, and does the file begin like a checkpoint?

Imports neither torch nor open_clip: what open_clip knows is read from its files. Whatever cannot be told so is left to the real loading.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path

from pytest_clip import ClipError
from pytest_clip.models import bundled, hf, registry
from pytest_clip.models.listing import architectures
from pytest_clip.models.photo import missing
from pytest_clip.models.spec import CHECKPOINT_SUFFIXES, RANDOM, ModelSpec, interpolated
from pytest_clip.models.tags import DEFAULT_TAGS
from pytest_clip.store import path_of

_HEADER = 16
_LARGEST_HEADER = 100 << 20


def problem(spec: ModelSpec) -> str | None:
    """What is wrong with a model as far as that can be seen from outside; None where nothing is."""
    if spec.kind == "open_clip":
        if spec.name not in architectures():
            near = get_close_matches(spec.name, [*architectures(), *bundled.names()], n=4, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "`pytest-clip models` lists names"
            return f"open_clip knows no architecture {spec.name!r}; {hint}"
        return _weights(spec, tags(spec.name))
    if spec.kind == "bundled":
        return _weights(spec, ())
    if spec.kind == "wise":
        base, tuned, _ = interpolated(spec)
        return problem(base) or problem(tuned)
    if spec.kind == "photo":
        reason = missing(spec.name)
        return None if reason is None else f"--clip-model={reason}"
    if spec.kind == "timm" and spec.pretrained not in (None, RANDOM) and path_of(str(spec.pretrained)).is_file():
        return unlike_a_checkpoint(path_of(str(spec.pretrained)))
    if spec.kind == "hf":
        return hf.problem(spec.name)
    if spec.kind == "local-dir":
        folder = path_of(spec.name)
        if not folder.is_dir():
            return f"local-dir:{spec.name}: there is no folder {folder.absolute()}"
    return None


def _weights(spec: ModelSpec, known: tuple[str, ...] | None) -> str | None:
    """About the part after the comma; `known` are the tags of the architecture, None where they could not be read."""
    wanted = spec.pretrained or (DEFAULT_TAGS.get(spec.name) if spec.kind == "open_clip" else None)
    if wanted is None:
        if spec.kind == "bundled":
            return None
        return f"{spec.name} has no default weights; write {spec.name},TAG or {spec.name},PATH{_listed(spec.name, known)}"
    if wanted == RANDOM or known is None or wanted.lower().replace("-", "_") in known:  # as open_clip reads tags
        return None
    try:
        path = path_of(wanted)
        there = path.exists()
    except ClipError as error:
        return f"{spec.text[:80]}: {error}"
    except OSError as error:
        return f"{spec.text}: {error.strerror}: {str(path)[:80]}..."
    if there:
        return unlike_a_checkpoint(path)
    if "/" in wanted or "\\" in wanted or wanted.lower().endswith(CHECKPOINT_SUFFIXES):
        return f"{spec.text}: there is no checkpoint {path}; a relative path starts at {Path.cwd()}"
    near = get_close_matches(wanted, known, n=1)
    meant = f"; perhaps you mean {spec.name},{near[0]}" if near else ""
    return f"{spec.text}: {wanted!r} is neither a tag of {spec.name} nor a file{meant}{_listed(spec.name, known)}"


def unlike_a_checkpoint(path: Path) -> str | None:
    """Why the first bytes of a file, or its size, cannot be those of a checkpoint."""
    if not path.is_file():
        return f"{path} is a folder; name the checkpoint in it" if path.is_dir() else f"{path} is no file"
    try:
        with path.open("rb") as file:
            head = file.read(200)
            size = path.stat().st_size
            if not head:
                return f"{path} is empty; copy it again"
            if head.startswith(b"version https://git-lfs"):
                return f"{path} is a pointer of Git LFS, not the file itself; run `git lfs pull` where it lies"
            if path.suffix == ".safetensors":
                return _unlike_safetensors(path, head, size)
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror or error}"
    if head.lstrip()[:1] in (b"<", b"{") and path.suffix in (".pt", ".pth", ".bin", ".ckpt"):
        return f"{path} is text ({head[:40]!r}...), not a checkpoint; it may be an error page saved by a download: fetch it again"
    return None


def _unlike_safetensors(path: Path, head: bytes, size: int) -> str | None:
    if len(head) < _HEADER:
        return f"{path} is cut off; copy it again"
    length = int.from_bytes(head[:8], "little")
    if not 2 <= length <= min(_LARGEST_HEADER, size - 8) or head[8:9] != b"{":
        return f"{path} is no safetensors file, or only the beginning of one ({size} bytes); copy it again"
    with path.open("rb") as file:
        file.seek(8)
        try:
            told = json.loads(file.read(length))
            end = max((each["data_offsets"][1] for name, each in told.items() if name != "__metadata__"), default=0)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError, IndexError):
            return f"{path} is no safetensors file: its header cannot be read; copy it again"
    if not isinstance(end, int) or end + 8 + length != size:
        return f"{path} has {size} bytes where its header says {end + 8 + length}; copy it again"
    return None


def tags(name: str) -> tuple[str, ...] | None:
    """The tags of an architecture; None where open_clip lists none, or its list could not be read."""
    return tuple(registry.published().get(name, ())) or None


def _listed(name: str, known: tuple[str, ...] | None) -> str:
    if known is None:
        return ""
    return f"; tags of {name}: {', '.join(known)}" if known else f"; open_clip has no tags for {name}"
