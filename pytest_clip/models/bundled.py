"""The models that ship inside the package, stored compactly and expanded on first use into ordinary open_clip folders."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pytest_clip import ClipError

FOLDER = Path(__file__).parent / "weights"
SEAL = "complete.json"


def names() -> tuple[str, ...]:
    """The bundled models, by listing the folder: nothing is opened, and a package without any has an empty list."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.safetensors")))


def path(name: str) -> Path:
    """The compact file of a bundled model."""
    if name not in names():
        raise ClipError(f"{name!r} is not a bundled model; there are: {', '.join(names()) or 'none'}")
    return FOLDER / f"{name}.safetensors"


def lmm_names() -> tuple[str, ...]:
    """The bundled language models with eyes, each a folder of transformers, by listing; nothing is opened."""
    return tuple(sorted(file.parent.name for file in FOLDER.glob("*/config.json")))


def lmm_folder(name: str) -> Path:
    """The folder of a bundled language model with eyes, as `save_pretrained` wrote it."""
    if name not in lmm_names():
        raise ClipError(f"{name!r} is not a bundled language model with eyes; there are: {', '.join(lmm_names()) or 'none'}")
    return FOLDER / name


def record(name: str) -> dict[str, Any]:
    """How the model was trained and what it scored, from the file beside the weights; empty if there is none."""
    file = path(name).with_suffix(".json")
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def is_head(name: str) -> bool:
    """Whether the model is a classification head on an image tower: it scores classes and has no words."""
    return bool(record(name).get("recipe", {}).get("head"))


def expand(name: str, cache_dir: Path) -> Path:
    """A folder that open_clip loads as `local-dir:`, made once per content of the compact file.

    Workers that ask at the same time wait for one of them to write it. It appears by renaming, so it is never half there, and it is
    checked against its own hash before use, so a copy that something else damaged is made again.
    """
    from filelock import FileLock, Timeout

    if is_head(name):
        raise ClipError(f"{name} scores classes and has no folder that open_clip loads; write {name} alone")
    data = path(name).read_bytes()
    folder = cache_dir / "models" / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=300):
            if not intact(folder):
                _write(data, folder)
    except Timeout:
        raise ClipError(
            f"another process has been expanding {name} in {folder.parent} for five minutes; end it or use --clip-cache-dir"
        ) from None
    except OSError as error:
        raise ClipError(f"cannot expand the bundled model {name} into {folder.parent}: {error}; use --clip-cache-dir=DIR") from error
    return folder


def _write(data: bytes, folder: Path) -> None:
    from pytest_clip.models import compact

    if folder.exists():
        shutil.rmtree(folder)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        files = compact.open_clip_files(data)
        for file, content in files.items():
            (building / file).write_bytes(content)
        (building / SEAL).write_text(json.dumps({file: _sha256(content) for file, content in files.items()}), encoding="utf-8")
        building.chmod(0o755)
        building.replace(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def intact(folder: Path) -> bool:
    """Whether an expanded model holds just what was expanded."""
    try:
        seal = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        held = {file.name for file in folder.iterdir()} - {SEAL}
        return held == set(seal) and all(_sha256((folder / file).read_bytes()) == digest for file, digest in seal.items())
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
