"""The folder of a saved run: `record.json`, `outcomes.json` with `outcomes.npz`, and `manifest.json` with the checksums of the others.

The folder appears under its name when it is whole, or not at all. Nothing in it is code, and every file is checked before it is believed.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pytest_clip import ClipError, __version__
from pytest_clip.gates.toml_text import comment
from pytest_clip.runs import place, shape
from pytest_clip.runs.arrays import LARGEST, Arrays
from pytest_clip.runs.names import MANIFEST
from pytest_clip.runs.packing import Pack
from pytest_clip.runs.saved import SavedRun as SavedRun
from pytest_clip.runs.saved import key
from pytest_clip.runs.spool import Parcel
from pytest_clip.store import umask

FORMAT, VERSION = "pytest-clip run", 1
RECORD, INDEX, ARRAYS = "record.json", "outcomes.json", "outcomes.npz"
TRIES = 50
LARGEST_TEXT = 256 * 2**20
"""Bytes of a JSON file of a run, at most: Python needs about ten times as many for what is in it."""


def write(
    folder: Path, *, record: Mapping[str, Any], asked: Mapping[str, Any], partial: Iterable[str], parcels: Iterable[Parcel], replace: bool
) -> int:
    """Write the run aside and rename it; gives its size in bytes. An error leaves nothing behind, and what was there before as it was."""
    pack = Pack()
    index: dict[str, Any] = {"gates": {}, "samples": {}}
    for parcel in parcels:
        if parcel.outcomes is None:
            continue
        row = parcel.row
        index["gates"][key(row["model"], row["data"], row["gate"])] = entry = pack.add(parcel.outcomes)
        if parcel.facts and entry["ids"] not in index["samples"]:
            index["samples"][entry["ids"]] = {name: _coded(values, pack) for name, values in sorted(parcel.facts.items())}
    stored = io.BytesIO()
    np.savez_compressed(stored, **{key: pack.arrays[key] for key in sorted(pack.arrays)})  # type: ignore[arg-type]
    files = {RECORD: _json(record), INDEX: _json(index), ARRAYS: stored.getvalue()}
    for name, size, most in (
        (RECORD, len(files[RECORD]), LARGEST_TEXT),
        (INDEX, len(files[INDEX]), LARGEST_TEXT),
        (ARRAYS, pack.size, LARGEST),
    ):
        if size > most:
            raise ClipError(f"{name} would hold {size:,} bytes, and at most {most:,} are read back; save fewer suites with --clip-suite")
    manifest = {
        "format": FORMAT, "version": VERSION, "pytest-clip": __version__, **_summary(record),
        "partial": list(partial), "asked": dict(asked),
        "files": {name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()},
    }  # fmt: skip
    with place.aside(folder) as made:
        for name, content in {**files, MANIFEST: _json(manifest)}.items():
            (made / name).write_bytes(content)
        made.chmod(0o777 & ~umask())
        place.put(made, folder, replace=replace)
    return sum(len(content) for content in files.values())


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest alone, which is quick; ClipError where the folder is no saved run."""
    try:
        manifest = shape.loads(content_of(folder / MANIFEST, LARGEST_TEXT))
    except FileNotFoundError:
        raise ClipError(f"{folder} is no saved run: it has no {MANIFEST}; runs are saved with --clip-save=NAME") from None
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise ClipError(f"{folder / MANIFEST} cannot be read ({told}); save the run again") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ClipError(f"{folder} is no saved run: its {MANIFEST} belongs to something else; runs are saved with --clip-save=NAME")
    if manifest.get("version") != VERSION:
        told = comment(f"format {manifest.get('version')!r}, written by pytest-clip {manifest.get('pytest-clip')}"[:100])
        raise ClipError(f"{folder} is a saved run of {told}; this version reads format {VERSION}: save the run again")
    try:
        shape.manifest(manifest, (RECORD, INDEX, ARRAYS))
    except ValueError as error:
        raise ClipError(f"the saved run {folder} is damaged: in its {MANIFEST} {error}; save it again") from None
    return manifest


def read(folder: Path) -> SavedRun:
    """The run in `folder`, every file checked against the manifest. ClipError says in one sentence what is wrong with it."""
    for _ in range(TRIES):
        place.recover(folder)
        before = place.identity(folder)
        try:
            return _read(folder, manifest_of(folder))
        except ClipError:
            if before is not None and place.identity(folder) == before:
                raise  # else another run has taken the place of the one that was being read
    return _read(folder, manifest_of(folder))


def _read(folder: Path, manifest: Mapping[str, Any]) -> SavedRun:
    contents = [_checked(folder / name, manifest["files"][name]) for name in (RECORD, INDEX, ARRAYS)]
    where = RECORD
    try:
        record = shape.record(shape.loads(contents[0]))
        where = INDEX
        shape.index(index := shape.loads(contents[1]))
        where = ARRAYS
        arrays = Arrays.of(contents[2])
    except ValueError as error:
        raise ClipError(f"the saved run {folder} is damaged: in its {where} {error}; save it again") from None
    return SavedRun(folder.name, folder, manifest, record, index, arrays)


def content_of(path: Path, most: int) -> bytes:
    """The bytes of a plain file of at most `most`; OSError, or ValueError before anything large is read."""
    if path.exists() and not path.is_file():
        raise ValueError("it is no plain file")
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content


def _checked(path: Path, told: Mapping[str, Any]) -> bytes:
    try:
        content = content_of(path, LARGEST if path.name == ARRAYS else LARGEST_TEXT)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ClipError(f"the saved run {path.parent} is damaged: {path.name}: {why}; save it again") from None
    if hashlib.sha256(content).hexdigest() != told.get("sha256"):
        sizes = f"{len(content)} bytes where {told.get('bytes')} were written" if len(content) != told.get("bytes") else "other content"
        raise ClipError(f"the saved run {path.parent} is damaged: {path.name} has {sizes} than its {MANIFEST} says; save it again")
    return content


def _coded(values: tuple[str, ...], pack: Pack) -> dict[str, Any]:
    names, codes = np.unique(np.asarray(values, dtype=np.str_), return_inverse=True)
    return {"values": names.tolist(), "codes": pack.put(codes.astype(np.uint16))}


def _summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a list of runs shows, so that it need not read them whole."""
    return {
        "saved": record["session"].get("started"),
        "commit": record["session"].get("commit"),
        "models": [{key: model.get(key) for key in ("name", "fingerprint", "role")} for model in record["models"]],
        "data": [{key: each.get(key) for key in ("name", "fingerprint")} for each in record["data"]],
        "verdicts": dict(Counter(row["verdict"] for row in record["gates"] if not row.get("role"))),
    }


def _json(thing: Mapping[str, Any]) -> bytes:
    return (json.dumps(thing, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
