"""Saved runs, records and thresholds files that somebody has edited, checksums included: a sentence or an answer, never a traceback."""

from __future__ import annotations

import hashlib
import io
import json
import re
import resource
import shutil
import struct
import time
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import hostile
import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.cli import main as cli
from pytest_clip.gates import layers, thresholds
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import names, shape, store
from pytest_clip.runs.arrays import Arrays
from pytest_clip.runs.spool import Parcel

SEED = 20261130
FEW = 60
COMMANDS = (("runs",), ("runs", "show", "odd"), ("compare", "base", "odd", "--all", "--ids"), ("compare", "odd", "base", "--json"))
MANY = 3000
N = 24


def parcels(worse: int) -> list[Parcel]:
    """A gate for each kind of statistic, `worse` images of which went wrong."""
    draw = np.random.default_rng(7)
    ids = tuple(f"i{k}" for k in range(N))
    correct, before = np.arange(N) >= 3 + worse, np.arange(N) >= 1
    score, other = draw.normal(2, 1, N), draw.normal(0, 1, N)
    rank, label = 1 + np.arange(N) % (3 + worse), np.arange(N) % 3
    of = {
        "accuracy/top1[clean]": Outcomes("mean", {"correct": correct}, ids),
        "accuracy/mean_per_class[clean]": Outcomes("mean_per_class", {"correct": correct, "label": label}, ids, clusters=np.arange(N) // 2),
        "calibration/ece[clean]": Outcomes("ece", {"confidence": np.linspace(0.2, 1, N), "correct": correct}, ids, params={"bins": 5}),
        "ood/auroc[near]": Outcomes("auroc", {"score": score - worse / 9}, ids, others={"score": other}, other_ids=ids),
        "retrieval/image_retrieval_recall_at_5": Outcomes("recall", {"rank": rank}, ids, params={"k": 2}),
        "factors/error_ratio[pose]": Outcomes("error_ratio", {"before": before, "correct": correct}, ids),
        "own/gate": Outcomes(None, {"loss": score}, ids),
    }
    known = {"class": tuple("abc"[k % 3] for k in range(N))}
    out = []
    for gate, outcomes in of.items():
        value = 0.25 if outcomes.statistic is None else outcomes.value
        row = {"gate": gate, "model": "m", "data": "d", "value": value, "n": N, "reason": None, "verdict": "pass", "ci": [value, value]}
        out.append(Parcel(row | {"conventions": {"bins": 5, "prompts": "abc", "chance": 0.1}}, outcomes, known))
    return out


def save(folder: Path, worse: int) -> None:
    held = parcels(worse)
    record = {
        "schema": 1, "session": {"started": "2026-11-30", "commit": None},
        "models": [{"name": "m", "fingerprint": "f", "precision": "fp32"}],
        "data": [{"name": "d", "fingerprint": "g", "sets": {"clean": "h"}}], "gates": [dict(each.row) for each in held],
    }  # fmt: skip
    asked = {"limit": None, "precision": "fp32", "prompts": {"name": "openai"}, "data": ["d"], "suites": None}
    store.write(folder, record=record, asked=asked, partial=["--clip-limit=9"], parcels=held, replace=False)


def sign(folder: Path) -> None:
    """Checksums that agree with what is there."""
    path = folder / names.MANIFEST
    manifest = json.loads(path.read_bytes())
    for name in (store.RECORD, store.INDEX, store.ARRAYS):
        content = (folder / name).read_bytes()
        manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(manifest))


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, worse in (("base", 0), ("next", 5)):
        save(tmp_path / names.HOME / name, worse)
    return tmp_path


def damage(random: Random, folder: Path) -> str:
    """Change one file of a run so that its checksums still agree; gives which."""
    name = random.choice((store.RECORD, store.INDEX, names.MANIFEST, store.ARRAYS, store.ARRAYS))
    path = folder / name
    if name != store.ARRAYS:
        path.write_text(json.dumps(hostile.document(random, json.loads(path.read_bytes()))))
    elif random.random() < 0.4:
        path.write_bytes(hostile.content(random, path.read_bytes()))
    else:
        with np.load(path) as there:
            held = {key: there[key] for key in there.files}
        key = random.choice(list(held))
        held[key] = random.choice(
            (
                held[key][:-1], held[key][None], held[key].astype("U9"), np.zeros(N), np.ones(N, np.int64) * 2**60, -np.ones(N, np.int8),
                np.full(N, np.nan), np.zeros((N, 0)), np.zeros(0), np.zeros(N, "f2"), np.zeros(N, complex), np.zeros(N, "S1"), np.array(3),
                np.full((N, 2), 0.5), np.zeros(N, "M8[s]"), held[random.choice(list(held))], np.full(N, "i0"), np.full(N, 1e300),
            )
        )  # fmt: skip
        np.savez_compressed(path, **held)
    if name != names.MANIFEST:
        sign(folder)
    return name


def asked_of(*args: str) -> int:
    """The exit status of a command; anything else that leaves it is a traceback for its user."""
    return cli.main([*args])


def fuzz_runs(project: Path, count: int, seed: int, capsys: pytest.CaptureFixture[str]) -> Counter:
    random, seen, home = Random(seed), Counter(), project / names.HOME
    for case in range(count):
        shutil.rmtree(home / "odd", ignore_errors=True)
        shutil.copytree(home / "next", home / "odd")
        name = damage(random, home / "odd")
        for args in (
            ("runs",),
            ("runs", "show", "odd"),
            ("compare", "base", "odd", "--all", "--ids"),
            ("compare", "odd", "base", "--json"),
        ):
            began = time.monotonic()
            try:
                status = asked_of(*args)
            except Exception as error:
                raise AssertionError(f"seed {seed}, case {case}, {name}: {' '.join(args)}") from error
            assert time.monotonic() - began < 60
            out, err = capsys.readouterr()
            assert status in (0, 1, 2)
            assert len(err.splitlines()) == (status == 2), (case, err)
            assert "\x1b" not in out + err
            seen[args[0], name, status] += 1
            if args == ("runs",):
                assert (status, len(out.splitlines())) == (0, 3)
    return seen


def test_an_edited_run_is_a_sentence_or_an_answer(project, capsys):
    fuzz_runs(project, FEW, SEED, capsys)


@pytest.mark.slow
def test_thousands_of_edited_runs(project, capsys):
    seen = fuzz_runs(project, MANY, SEED + 1, capsys)
    with capsys.disabled():
        print(f"\n{MANY} edited runs, 4 commands each: {sum(n for (_, _, s), n in seen.items() if s == 2)} sentences of {seen.total()}")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20  # KiB


def fuzz_records(project: Path, count: int, seed: int, capsys: pytest.CaptureFixture[str]) -> Counter:
    random, seen = Random(seed), Counter()
    whole = json.loads((project / names.HOME / "next" / store.RECORD).read_bytes())
    for case in range(count):
        Path("thresholds.toml").unlink(missing_ok=True)
        if random.random() < 0.2:
            Path("r.json").write_bytes(hostile.content(random, json.dumps(whole).encode()))
        else:
            Path("r.json").write_text(json.dumps(hostile.document(random, whole)))
        try:
            status = asked_of("init", "scenes", "--report", "r.json")
        except Exception as error:
            raise AssertionError(f"seed {seed}, case {case}") from error
        err = capsys.readouterr().err
        assert len(err.splitlines()) == (status == 2), (case, err)
        assert Path("thresholds.toml").exists() == (status == 0)
        seen[status] += 1
        if status == 0:
            rows = shape.record(shape.loads(Path("r.json").read_bytes()))["gates"]
            content = tomllib.loads(Path("thresholds.toml").read_text("utf-8"))
            assert content.keys() <= {"schema", "data"}
            written = {(data, gate) for data, table in content.get("data", {}).items() for gate in table["gates"]}
            assert written <= {(row["data"], row["gate"]) for row in rows}
            thresholds.check([layers.parse(Path("thresholds.toml").read_text("utf-8"), "t")], today=date(2026, 11, 30), extra_gates=None)
    return seen


def test_an_edited_record_makes_rules_of_its_gates_or_none(project, capsys):
    fuzz_records(project, FEW, SEED, capsys)


@pytest.mark.slow
def test_thousands_of_edited_records(project, capsys):
    seen = fuzz_records(project, MANY, SEED + 1, capsys)
    with capsys.disabled():
        print(f"\n{MANY} edited records: {seen[0]} files written, {seen[2]} sentences")


RULES = """\
schema = 1

[gates."accuracy/top1"]  # every slice
min = 0.5
max_drop = "5%"
min_n = 100
why = "measured"

[data.scenes.gates."ood/auroc[near]"]
min = 0.7
max_drop = 0.02
severity = "warn"

[data.scenes.model."ViT-B-32".gates]
"calibration/ece" = { max = 0.08 }

[[waiver]]
gate = "corruptions/accuracy[fog-5]"
reason = "tracked"
until = 2027-03-01
"""
TOKENS = (
    *(
        "1e400",
        "-1",
        "nan",
        "inf",
        "true",
        "[]",
        "{}",
        '"5 %"',
        '"500%"',
        "2027-13-01",
        "1979-05-27T07:32:00Z",
        "0x10",
        "[[waiver]]",
        "[gates]",
    ),
    *('"\\ud800"', '"\\u0000"', "'''", '"""', "9" * 5000, "[" * 300, "a." * 300 + "a = 1", "\ufeff", "\r", "\x7f", 'min = "x"', "max = 1"),
)


def fuzz_rules(count: int, seed: int) -> Counter:
    random, seen = Random(seed), Counter()
    for case in range(count):
        text = RULES
        for _ in range(random.randint(1, 3)):
            words = re.split(r"(\s+|[\[\].=\"])", text)
            at = random.randrange(len(words))
            words[at : at + random.choice((0, 1, 1, 3))] = [random.choice((*TOKENS, *words))]
            text = "".join(words)
        raw = hostile.content(random, text.encode("utf-8", "replace")) if random.random() < 0.2 else text.encode("utf-8", "replace")
        path = Path("t.toml")
        path.write_bytes(raw)
        try:
            book = thresholds.check(layers.read([path], defaults=False), today=date(2026, 11, 30), extra_gates=None)
            assert all(bound.source.startswith("t.toml:") for entry in book.entries for bound in entry.bounds.values())
            seen["read"] += 1
        except ClipError as error:
            found = [re.match(r"t\.toml:\d+|t\.toml: not valid TOML: nested", line) for line in str(error).splitlines()]
            seen["refused" if all(found) else f"case {case}: {error}"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}, case {case}: {raw!r}") from error
    assert seen.keys() <= {"read", "refused"}
    return seen


def test_an_edited_thresholds_file_is_read_or_refused_with_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = fuzz_rules(400, SEED)
    assert min(seen["read"], seen["refused"]) > 20


@pytest.mark.slow
def test_thousands_of_edited_thresholds_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seen = fuzz_rules(5 * MANY, SEED + 1)
    with capsys.disabled():
        print(f"\n{5 * MANY} edited thresholds files: {seen['read']} read, {seen['refused']} refused with their line")


# Arrays that say one thing and hold another


def zipped(**held: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(f"{name}.npy", content)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    small = zipped(a=npy(np.zeros(10**6, np.uint8)))
    directory = small.rindex(b"PK\x01\x02")
    for size in (2**31 + 1, 2**32 - 2):
        bomb = small[: directory + 24] + struct.pack("<I", size) + small[directory + 28 :]
        with pytest.raises(ValueError, match=r"^[\d,]+ bytes would unpack to [\d,]+ in 1 files; at most 2,147,483,648 are read$"):
            Arrays.of(bomb)


def test_a_header_that_asks_for_more_than_there_is_takes_no_memory():
    whole = npy(np.zeros(8, np.uint8))
    for lie in (b"(10**12,)", b"(8000000000000,)", b"(0, 8000000000000)", b"(-8,)", b"(2, 2, 2, 9)"):
        said = b"(8,), }"
        header = whole.replace(said + b" " * (len(lie) - 4), lie + b", }", 1)
        assert header != whole
        with pytest.raises(ValueError, match=r"array a: it says|array a: "):
            Arrays.of(zipped(a=header))["a"]


def test_arrays_come_back_as_they_were():
    for array in (np.zeros(0), np.arange(6).reshape(2, 3), np.array(["a", "bé"]), np.array([True, False]), np.zeros((0, 3))):
        found = Arrays.of(zipped(a=npy(array)))["a"]
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert np.array_equal(found, array)
    for other in (np.array([1j]), np.array([b"x"]), np.array(["2026-11-30"], "M8[D]"), np.zeros((3, 2), order="F")):
        with pytest.raises(ValueError, match="are not read"):
            Arrays.of(zipped(a=npy(other)))["a"]


def test_a_number_that_its_outcomes_do_not_make_is_not_believed(project, capsys):
    path = project / names.HOME / "next" / store.RECORD
    record = json.loads(path.read_bytes())
    [row] = [row for row in record["gates"] if row["gate"] == "accuracy/top1[clean]"]
    row["value"] = 0.99
    path.write_text(json.dumps(record))
    sign(path.parent)
    assert cli.main(["compare", "base", "next"]) == 2
    assert "outcomes of accuracy/top1[clean] (they make 0.666667 where the record says 0.99); save it again" in capsys.readouterr().err


def test_a_file_of_a_run_that_is_no_file_is_not_waited_for(project, capsys):
    import os

    path = project / names.HOME / "next" / store.RECORD
    path.unlink()
    os.mkfifo(path)
    assert cli.main(["runs", "show", "next"]) == 2
    assert "is damaged: record.json: it is no plain file; save it again" in capsys.readouterr().err


def test_one_odd_manifest_leaves_the_list_whole(project, capsys):
    home = project / names.HOME
    for name, change in (
        ("a", {"models": 7}),
        ("b", {"data": [{"name": "\x1b[2Jx"}]}),
        ("c", {"verdicts": {"pass": "x"}}),
        ("d", {"partial": None}),
    ):
        shutil.copytree(home / "next", home / name)
        path = home / name / names.MANIFEST
        path.write_text(json.dumps(json.loads(path.read_bytes()) | change))
    assert cli.main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["a", "b", "base", "c", "d", "next"]
    assert [" is damaged: in its manifest.json " in line for line in lines] == [True, True, False, True, True, False]
    assert "\x1b" not in "".join(lines)
