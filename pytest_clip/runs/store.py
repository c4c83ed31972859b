"""The folder of a saved run: `record.json`, `outcomes.json` with `outcomes.npz`, and `manifest.json` with the checksums of the others.

The folder appears under its name when it is whole, or not at all. Nothing in it is code, and every file is checked before it is believed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pytest_clip import ClipError, __version__
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs.names import MANIFEST
from pytest_clip.runs.packing import Pack, unpack
from pytest_clip.runs.spool import Parcel

FORMAT, VERSION = "pytest-clip run", 1
RECORD, INDEX, ARRAYS = "record.json", "outcomes.json", "outcomes.npz"


@dataclass(frozen=True)
class SavedRun:
    """A saved run as read from `folder`. `manifest` says what it is, `record` is its JSON record, `asked` what the run was asked for."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    record: Mapping[str, Any]
    index: Mapping[str, Any] = field(repr=False)
    stored: bytes = field(repr=False)

    @property
    def asked(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifest["asked"]
        return found

    @cached_property
    def rows(self) -> dict[tuple[str, str, str], Mapping[str, Any]]:
        """Rows by model, data set and gate; without those of rules that nobody measured."""
        return {(row["model"], row["data"], row["gate"]): row for row in self.record["gates"] if row["n"] is not None}

    @property
    def models(self) -> list[str]:
        """Labels of the models that were under test, not of a baseline measured beside them."""
        return list(dict.fromkeys(row["model"] for row in self.rows.values() if not row.get("role")))

    @cached_property
    def _arrays(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = np.load(io.BytesIO(self.stored), allow_pickle=False)
        return found

    def outcomes(self, model: str, data: str, gate: str) -> Outcomes | None:
        """Outcomes of one gate, None where it handed over none."""
        entry = self.index["gates"].get(_key(model, data, gate))
        try:
            return None if entry is None else unpack(entry, self._arrays)
        except (KeyError, ValueError, TypeError, BadZipFile) as error:
            raise ClipError(f"the saved run {self.folder} is damaged: outcomes of {gate} ({error}); save it again") from error

    def facts(self, ids: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """What was known of these samples when the run was saved."""
        entry = self.index["samples"].get(Pack().put_texts(ids), {})
        return {name: tuple(np.asarray(each["values"])[self._arrays[each["codes"]]].tolist()) for name, each in entry.items()}


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
        index["gates"][_key(row["model"], row["data"], row["gate"])] = entry = pack.add(parcel.outcomes)
        if parcel.facts and entry["ids"] not in index["samples"]:
            index["samples"][entry["ids"]] = {name: _coded(values, pack) for name, values in sorted(parcel.facts.items())}
    stored = io.BytesIO()
    np.savez_compressed(stored, **{key: pack.arrays[key] for key in sorted(pack.arrays)})  # type: ignore[arg-type]
    files = {RECORD: _json(record), INDEX: _json(index), ARRAYS: stored.getvalue()}
    manifest = {
        "format": FORMAT, "version": VERSION, "pytest-clip": __version__, **_summary(record),
        "partial": list(partial), "asked": dict(asked),
        "files": {name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} for name, content in files.items()},
    }  # fmt: skip
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, content in {**files, MANIFEST: _json(manifest)}.items():
            (aside / name).write_bytes(content)
        aside.chmod(0o777 & ~_umask())
        _put_in_place(aside, folder, replace=replace)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return sum(len(content) for content in files.values())


def _put_in_place(aside: Path, folder: Path, *, replace: bool) -> None:
    if not folder.exists():
        aside.rename(folder)
        return
    if not replace:
        raise ClipError(f"{folder} has appeared while this run was measured; nothing was saved")
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
    folder.rename(old / "run")  # a folder cannot replace one that is not empty
    try:
        aside.rename(folder)
    except BaseException:
        (old / "run").rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest alone, which is quick; ClipError where the folder is no saved run."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise ClipError(f"{folder} is no saved run: it has no {MANIFEST}; runs are saved with --clip-save=NAME") from None
    except (OSError, ValueError) as error:
        raise ClipError(f"{folder / MANIFEST} cannot be read ({error}); save the run again") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ClipError(f"{folder} is no saved run: its {MANIFEST} belongs to something else; runs are saved with --clip-save=NAME")
    if manifest.get("version") != VERSION:
        raise ClipError(
            f"{folder} is a saved run of format {manifest.get('version')!r}, written by pytest-clip {manifest.get('pytest-clip')}; "
            f"this version reads format {VERSION}: save the run again"
        )
    complete = {"asked", "files", "models", "data", "saved", "partial"} <= manifest.keys()
    if not (complete and {RECORD, INDEX, ARRAYS} <= set(manifest["files"])):
        raise ClipError(f"the saved run {folder} is damaged: its {MANIFEST} is not complete; save it again")
    return manifest


def read(folder: Path) -> SavedRun:
    """The run in `folder`, every file checked against the manifest. ClipError says in one sentence what is wrong with it."""
    manifest = manifest_of(folder)
    record, index, stored = (_checked(folder / name, manifest["files"][name]) for name in (RECORD, INDEX, ARRAYS))
    return SavedRun(folder.name, folder, manifest, json.loads(record), json.loads(index), stored)


def _checked(path: Path, told: Mapping[str, Any]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ClipError(f"the saved run {path.parent} is damaged: {path.name}: {error.strerror}; save it again") from None
    if hashlib.sha256(content).hexdigest() != told.get("sha256"):
        sizes = f"{len(content)} bytes where {told.get('bytes')} were written" if len(content) != told.get("bytes") else "other content"
        raise ClipError(f"the saved run {path.parent} is damaged: {path.name} has {sizes} than its {MANIFEST} says; save it again")
    return content


def _key(model: str, data: str, gate: str) -> str:
    return f"{model} {data} {gate}"  # labels are free of spaces


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
