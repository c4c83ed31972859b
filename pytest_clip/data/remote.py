"""Shards behind a URL: copied once into the cache, file by file, and read from there.

Only the names that CLIP_benchmark gives its files are asked for, because a web server cannot list a folder.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .. import ClipError
from .layouts import webdataset

STATE = ("size", "mtime", "created", "ETag", "LastModified", "Last-Modified", "Content-MD5", "Digest", "md5", "sha256")
"""What file systems say about a file that changes when it does; where they say nothing but its size it is copied again each time."""
NEEDS = "pip install pytest-clip[shards]"


def is_url(text: str) -> bool:
    """Whether --clip-data names something that fsspec opens: s3://..., https://..., hf://..., file://..."""
    scheme, found, rest = text.partition("://")
    return bool(found and rest and scheme.replace("+", "").replace("::", "").isalnum())


def fetch(url: str, *, cache: Path) -> Path:
    """The folder in the cache that holds what is at `url`. A file that has not changed there is not copied again.

    ClipError when it cannot be reached, or is not a folder of shards; what has been copied by then stays.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise ClipError(f"--clip-data={url}: is read with fsspec; {NEEDS}") from None
    url = url.rstrip("/")
    try:
        files, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise ClipError(f"--clip-data={url}: {error}; install what it names, or {NEEDS}") from None
    home = cache / "shards" / hashlib.sha256(url.encode()).hexdigest()[:16] / (url.rsplit("/", 1)[-1] or "data")
    from filelock import FileLock

    try:
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{home}.lock"):
            _copy_all(files, root, home, url)
    except OSError as error:
        said = f"--clip-data={url}: cannot be fetched into {home} ({error})"
        raise ClipError(f"{said}; a copy of it can be named instead: --clip-data=DIR") from None
    return home


def _copy_all(files: Any, root: str, home: Path, url: str) -> None:
    for name in (webdataset.CLASSES, webdataset.TEMPLATES, webdataset.KIND):
        _copy(files, f"{root}/{name}", home / name, needed=False)
    for split in webdataset.SPLITS:
        if _copy(files, f"{root}/{split}/{webdataset.COUNT}", home / split / webdataset.COUNT, needed=False):
            break
    else:
        raise ClipError(
            f"--clip-data={url}: no {' and no '.join(f'{split}/{webdataset.COUNT}' for split in webdataset.SPLITS)} there; "
            "a URL must name the folder of a data set as CLIP_benchmark lays it"
        )
    told = (home / split / webdataset.COUNT).read_text(encoding="utf-8", errors="replace").strip()
    if not (told.isascii() and told.isdigit() and 0 < int(told) < 100_000):
        raise ClipError(f"--clip-data={url}: {split}/{webdataset.COUNT} says {told[:20]!r}, no number of shards; correct it there")
    for number in range(int(told)):
        _copy(files, f"{root}/{split}/{number}.tar", home / split / f"{number}.tar", needed=True)


def _copy(files: Any, source: str, target: Path, *, needed: bool) -> bool:
    """Whether the file is there now. Its state at the source lies beside it, so that a change is seen."""
    try:
        info = files.info(source)
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        if needed:
            raise ClipError(f"{source} is missing there; the data set is not whole: fetch it to a folder and see") from None
        return False
    state = {key: str(info.get(key)) for key in STATE if info.get(key) is not None}
    note = target.with_name(f".{target.name}.json")
    try:
        same = target.is_file() and len(state) > 1 and json.loads(note.read_text(encoding="utf-8")) == state
    except (OSError, ValueError):
        same = False
    if same and (info.get("size") is None or target.stat().st_size == info["size"]):
        return True
    from ..store import aside

    target.parent.mkdir(parents=True, exist_ok=True)
    part = aside(target)
    try:
        files.get_file(source, str(part))
        if info.get("size") is not None and part.stat().st_size != info["size"]:
            raise ClipError(f"{source}: {part.stat().st_size} of {info['size']} bytes arrived; try again")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    note.write_text(json.dumps(state), encoding="utf-8")
    return True
