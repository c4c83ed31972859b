"""A saved run as one small file, to be committed by the dozen: its numbers, and what its models made of every image, in few bits.

`NAME.run.xz` holds a line of JSON and the bytes of the arrays behind it, compressed by xz. Rows keep what was measured and how; what a
person reads of them (messages, rules, node ids), what is known of the images (class, attributes) and of the machine stays behind. Outcomes
that are right or wrong, whole numbers or few different values are kept as they are, to six digits. Scores and confidences become the mean
of those in their cell (`coding`). Gates whose number moves by more than half of `CLOSE` by that, and those that `MOST` leaves no room for,
keep their number and lose their outcomes: they cannot be paired. A run of `scenes` takes 57 kB instead of 1.9 MB.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from pytest_clip import ClipError
from pytest_clip.runs import coding, shape
from pytest_clip.runs.packing import unpack
from pytest_clip.runs.saved import SavedRun, key
from pytest_clip.runs.store import content_of

SUFFIX = ".run.xz"
FORMAT, VERSION = "pytest-clip packed run", 1
CLOSE = 2e-3
"""How far the number of a gate may be from that of its rounded outcomes."""
MOST = 24_000
"""Scores and confidences of a run that are kept: those of the arrays that most gates share come first."""
LARGEST = 256 * 2**20
"""Bytes of a run, unpacked; of `scenes` it has 0.3 MB."""
_KEPT = ("gate", "model", "data", "n", "verdict", "conventions", "reason", "better", "role")
_SIDES = ("arrays", "others")
_LISTS = ("ids", "clusters", "other_ids", "other_clusters")


def is_packed(path: Path) -> bool:
    return path.name.endswith(SUFFIX) and path.is_file()


def pack(run: SavedRun) -> bytes:
    """The content of the file; the same bytes for the same run."""
    import lzma

    rows = [_row(row) for row in run.rows.values()]
    kept = _chosen(run)
    numbers: dict[str, int] = {}
    gates, left_out = {}, []
    for at, row in enumerate(rows):
        label = key(row["model"], row["data"], row["gate"])
        entry = run.index["gates"].get(label)
        if entry is None:
            continue
        if not set(_of(entry)) <= kept or not _holds(run, entry, row):
            left_out.append(at)
            continue
        told = {"statistic": entry["statistic"], "params": entry["params"]}
        for side in _SIDES:
            if side in entry:
                told[side] = {name: numbers.setdefault(each, len(numbers)) for name, each in entry[side].items()}
        gates[at] = told | {name: numbers.setdefault(entry[name], len(numbers)) for name in _LISTS if name in entry}
    coded = [coding.code(run.arrays[each]) for each in numbers]
    manifest = {name: each for name, each in run.manifest.items() if name not in ("files", "format", "version")}
    models = [_model(each) for each in run.record["models"]]
    record = {
        "schema": run.record.get("schema"),
        "session": {name: run.record["session"].get(name) for name in ("versions", "started", "commit", "duration")},
        "models": models,
        "data": run.record["data"], "gates": rows,
    }  # fmt: skip
    told = {
        "format": FORMAT, "version": VERSION, "manifest": manifest, "record": record, "gates": gates, "left_out": left_out,
        "arrays": [[about, len(content)] for about, content in coded],
    }  # fmt: skip
    line = json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    return lzma.compress(line.encode() + b"".join(content for _, content in coded), preset=9 | lzma.PRESET_EXTREME)


def read(path: Path) -> SavedRun:
    """The run in the file, checked like one in a folder. ClipError says in one sentence what is wrong with it."""
    try:
        content = _unpacked(content_of(path, LARGEST))
        end = content.index(b"\n")
        told = shape.loads(content[:end])
        if not isinstance(told, dict) or told.get("format") != FORMAT or told.get("version") != VERSION:
            raise ValueError(f"it is no {FORMAT} of version {VERSION}")
        manifest = {**told["manifest"], "files": {}}
        shape.manifest(manifest, ())
        record = shape.record(told["record"])
        arrays = _Arrays(tuple(_placed(told["arrays"], content[end + 1 :])))
        index = {"gates": _entries(told["gates"], record["gates"]), "samples": {}}
        shape.index(index)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ClipError(f"the packed run {path} cannot be read: {why}; pack it again: pytest-clip runs pack RUN {path}") from None
    return SavedRun(path.name.removesuffix(SUFFIX), path, manifest, record, index, arrays, close=CLOSE)


@dataclass(frozen=True)
class _Arrays(Mapping[str, npt.NDArray[Any]]):
    """Arrays by number, each unpacked when it is asked for."""

    coded: tuple[tuple[Mapping[str, Any], bytes], ...] = field(repr=False)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return coding.decode(*self.coded[int(name)])

    def __iter__(self) -> Iterator[str]:
        return map(str, range(len(self.coded)))

    def __len__(self) -> int:
        return len(self.coded)


def _model(model: Mapping[str, Any]) -> dict[str, Any]:
    """Without what it warned of and where its weights lie; of the file only the epoch."""
    held = model.get("checkpoint")
    epoch = {"checkpoint": {"epoch": held["epoch"]}} if isinstance(held, Mapping) and "epoch" in held else {}
    return {name: each for name, each in model.items() if name not in ("checkpoint", "warnings")} | epoch


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured and how; numbers to nine digits, ends of intervals to six."""
    found = {name: row[name] for name in _KEPT if row.get(name) is not None}
    found["value"] = None if row["value"] is None else float(f"{row['value']:.9g}")
    if row.get("ci"):
        found["ci"] = [None if end is None else float(f"{end:.6g}") for end in row["ci"]]
    return found | ({"partial": True} if row.get("partial") else {})


def _of(entry: Mapping[str, Any]) -> list[str]:
    """Keys of all arrays of a gate."""
    return [each for side in _SIDES for each in entry.get(side, {}).values()] + [entry[name] for name in _LISTS if name in entry]


def _chosen(run: SavedRun) -> set[str]:
    """Keys of the arrays that are kept: all that lose nothing, and of the others those that most gates share."""
    users = Counter(each for entry in run.index["gates"].values() for each in set(_of(entry)))
    rough = {each: array.size for each in users if not coding.exact(array := run.arrays[each])}
    kept, room = set(users) - set(rough), MOST
    for each in sorted(rough, key=lambda name: (rough[name] / users[name], name)):
        if rough[each] <= room:
            room -= rough[each]
            kept.add(each)
    return kept


def _holds(run: SavedRun, entry: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether the outcomes as they are kept still make the number of their gate."""
    outcomes = unpack(entry, {each: coding.decode(*coding.code(run.arrays[each])) for each in _of(entry)})
    if outcomes.statistic is None or row["value"] is None:
        return True
    return bool(abs(outcomes.value - row["value"]) <= CLOSE * max(abs(row["value"]), 1.0) / 2)


def _unpacked(content: bytes) -> bytes:
    try:
        import lzma
    except ImportError:
        raise ValueError("this Python was built without xz (the module lzma)") from None
    try:
        unpacker = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=2**30)
        found = unpacker.decompress(content, max_length=LARGEST)
    except lzma.LZMAError as error:
        raise ValueError(f"it is no xz file ({error})") from None
    if not unpacker.eof:
        raise ValueError(f"it ends too early, or holds more than {LARGEST:,} bytes")
    return found


def _placed(told: Any, content: bytes) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    start = 0
    for about, size in told:
        if not isinstance(about, dict) or not isinstance(size, int) or size < 0 or start + size > len(content):
            raise ValueError("its arrays are not where it says")
        yield about, content[start : start + size]
        start += size


def _entries(gates: Any, rows: list[Any]) -> dict[str, Any]:
    found = {}
    for at, entry in gates.items():
        row = rows[int(at)]
        named = {name: {each: str(number) for each, number in entry[name].items()} for name in _SIDES if name in entry}
        listed = {name: str(entry[name]) for name in _LISTS if name in entry}
        found[key(row["model"], row["data"], row["gate"])] = {**entry, **named, **listed}
    return found
