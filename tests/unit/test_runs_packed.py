"""Packed runs: what is right or wrong comes back bit by bit, scores near enough for their gate, and broken files are one sentence."""

from __future__ import annotations

import json
import lzma
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_clip.cli.main import main
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import changes, coding, packed, store
from pytest_clip.runs.spool import Parcel

N = 1900
IDS = tuple(f"clean-{k:05}" for k in range(N))


def row(gate: str, value: float) -> dict:
    return {
        "gate": gate, "model": "m", "data": "d", "value": value, "n": N, "reason": None, "verdict": "pass", "ci": [value, value],
        "conventions": {"bins": 15}, "message": "long " * 99, "nodeid": "x::y",
    }  # fmt: skip


def parcels(worse: int) -> list[Parcel]:
    draw = np.random.default_rng(3)
    difficulty = draw.random(N)
    correct = difficulty < 0.8 - worse / N
    confidence = np.clip(1 - difficulty**2 * 0.7, 0.01, 1)
    of = {
        "accuracy/top1[clean]": Outcomes("mean", {"correct": correct}, IDS),
        "calibration/ece[clean]": Outcomes("ece", {"confidence": confidence, "correct": correct}, IDS, params={"bins": 15}),
        "calibration/nll[clean]": Outcomes("mean", {"nll": -np.log(confidence)}, IDS),
        "ood/auroc[near]": Outcomes("auroc", {"score": confidence}, IDS, others={"score": draw.random(500)}, other_ids=IDS[:500]),
        "retrieval/image_retrieval_recall_at_5": Outcomes("recall", {"rank": 1 + draw.permutation(N)}, IDS, params={"k": 900}),
        "factors/error_ratio[pose]": Outcomes("error_ratio", {"before": correct, "correct": correct[::-1]}, IDS, np.arange(N) // 3),
        "prompts/ece_spread[formats]": Outcomes(None, {"confidence": draw.random((N, 20))}, IDS),
    }
    return [Parcel(row(gate, 0.25 if each.statistic is None else each.value), each, {"class": ("a",) * N}) for gate, each in of.items()]


def save(folder, worse=0):
    held = parcels(worse)
    record = {
        "schema": 1, "session": {"started": "2026-11-30", "commit": None, "host": {"python": "/secret/bin"}, "argv": ["/secret"]},
        "models": [{"name": "m", "fingerprint": "f", "precision": "fp32", "checkpoint": {"file": "/secret/x"}}],
        "data": [{"name": "d", "fingerprint": "g", "sets": {"clean": "h"}}], "gates": [dict(each.row) for each in held],
    }  # fmt: skip
    store.write(folder, record=record, asked={"limit": None}, partial=[], parcels=held, replace=False)
    return store.read(folder)


@pytest.fixture
def pair(tmp_path):
    """A run and its packed twin."""
    run = save(tmp_path / "base")
    (tmp_path / "base.run.xz").write_bytes(packed.pack(run))
    return run, packed.read(tmp_path / "base.run.xz")


floats = hnp.arrays(np.float64, hnp.array_shapes(max_dims=2), elements=st.floats(-1e6, 1e6).map(lambda each: float(f"{each:.4g}")))
whole = hnp.arrays(np.int64, st.integers(0, 600), elements=st.integers(-(2**40), 2**40))
texts = st.lists(st.one_of(st.text(max_size=9), st.integers(0, 30).map("a{:03}".format)), max_size=30)


@given(st.one_of(floats, whole, texts.map(lambda each: np.asarray(each, dtype=np.str_)), hnp.arrays(np.bool_, st.integers(0, 40))))
def test_what_has_few_values_comes_back_as_it_was(array):
    told, content = coding.code(array)
    again = coding.decode(json.loads(json.dumps(told)), content)
    assert coding.exact(array)
    assert again.dtype == array.dtype
    assert np.array_equal(again, array)


def test_scores_become_the_mean_of_their_cell_and_no_bin_is_mixed():
    values = np.random.default_rng(0).beta(5, 1, 4000)
    again = coding.decode(*coding.code(values))
    assert len(np.unique(again)) <= 256
    assert np.abs(again - values).max() <= 1 / 60
    for bins in (10, 15, 20):
        assert np.array_equal(np.ceil(values * bins), np.ceil(again * bins))
    assert again.mean() == pytest.approx(values.mean(), abs=1e-6)


def test_outcomes_come_back_and_what_has_no_room_keeps_its_number(pair):
    run, again = pair
    assert {gate for _, _, gate in run.rows} == {gate for _, _, gate in again.rows}
    for key in run.rows:
        before, now = run.outcomes(*key), again.outcomes(*key)
        assert again.rows[key]["value"] == pytest.approx(run.rows[key]["value"], rel=1e-8)
        if key[2] == "prompts/ece_spread[formats]":
            assert now is None
            continue
        assert now.ids == before.ids
        assert np.array_equal(now.right, before.right) if before.right is not None else now.right is None
        assert now.value == pytest.approx(before.value, abs=1e-3)


def test_a_gate_whose_number_would_move_loses_its_outcomes(tmp_path, monkeypatch):
    run = save(tmp_path / "base")
    monkeypatch.setattr(packed, "CLOSE", 1e-7)
    (tmp_path / "x.run.xz").write_bytes(packed.pack(run))
    again = packed.read(tmp_path / "x.run.xz")
    assert again.outcomes("m", "d", "ood/auroc[near]") is None
    assert again.outcomes("m", "d", "accuracy/top1[clean]") is not None


def test_packed_runs_compare_like_runs_in_folders(pair, tmp_path):
    run, again = pair
    worse = save(tmp_path / "worse", 40)
    plain, small = (
        {each.gate: each.found.change for each in changes.changes(base, worse)}["accuracy/top1[clean]"] for base in (run, again)
    )
    assert replace(small, drop=plain.drop) == plain
    assert small.drop == pytest.approx(plain.drop, abs=1e-8)
    assert plain.worse == 41
    assert again.outcomes("m", "d", "accuracy/top1[clean]").ids == IDS


def test_a_packed_run_is_small_and_says_nothing_of_the_machine(tmp_path):
    content = packed.pack(save(tmp_path / "base"))
    assert content == packed.pack(store.read(tmp_path / "base"))
    assert len(content) < 0.35 * sum(each.stat().st_size for each in (tmp_path / "base").iterdir())
    told = lzma.decompress(content)
    assert b"secret" not in told
    assert b"long long" not in told


def test_the_command_packs_and_the_others_read(pair, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "pack", "./base", "few/one.run.xz"]) == 0
    assert "7 gates, outcomes of single images of 6 of 7" in capsys.readouterr().out
    assert main(["runs", "show", "few/one.run.xz"]) == 0
    assert "accuracy/top1[clean]" in capsys.readouterr().out
    assert main(["compare", "few/one.run.xz", "./base"]) == 0
    assert "0 worse by more than chance explains" in capsys.readouterr().out
    assert main(["report", "few/one.run.xz", "--html", "one.html", "--md", "one.md"]) == 0
    capsys.readouterr()
    for page in ("one.html", "one.md"):
        told = (tmp_path / page).read_text("utf-8")
        assert "accuracy/top1[clean]" in told
        assert "0.7968 (n = 1,900" in told  # without a message the numbers speak
    assert main(["study", "few"]) == 0
    assert "1 models in 1 families" in capsys.readouterr().out
    for wrong in (["runs", "pack", "./base"], ["runs", "pack", "./base", "one.zip"], ["runs", "show", "./base", "x"]):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


def edited(content: bytes, change) -> bytes:
    line, _, rest = lzma.decompress(content).partition(b"\n")
    told = json.loads(line)
    change(told)
    return lzma.compress(json.dumps(told).encode() + b"\n" + rest)


CHANGES = {
    "no arrays": lambda told: told.pop("arrays"),
    "a huge array": lambda told: told["arrays"][0][0].update(shape=[10**12]),
    "a huge list of texts": lambda told: told["arrays"][1][0].update(texts=[["a", 9, 0, 10**8]] * 99),
    "objects": lambda told: told["arrays"][0][0].update(dtype="O"),
    "an array elsewhere": lambda told: told["arrays"][0].__setitem__(1, 10**9),
    "another version": lambda told: told.update(version=2),
    "no row": lambda told: told["gates"].update({"99": told["gates"]["0"]}),
    "no array": lambda told: told["gates"]["0"]["arrays"].update(correct=999),
    "a number that its outcomes do not make": lambda told: told["record"]["gates"][0].update(value=0.1),
    "no manifest": lambda told: told.update(manifest=[]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_files_that_somebody_has_edited_are_one_sentence(pair, tmp_path, name, capsys):
    path = tmp_path / "odd.run.xz"
    path.write_bytes(edited((tmp_path / "base.run.xz").read_bytes(), CHANGES[name]))
    assert main(["compare", str(path), str(tmp_path / "base")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "odd.run.xz" in told


@pytest.mark.parametrize(
    "content", [b"", b"no xz", lzma.compress(b""), lzma.compress(b"[]\n"), lzma.compress(b"{}\n" * 9)[:40], lzma.compress(b"[" * 99999)]
)
def test_what_is_no_packed_run_is_one_sentence_with_a_cure(tmp_path, content, capsys):
    path = tmp_path / "odd.run.xz"
    path.write_bytes(content)
    for command in (["study", str(path)], ["runs", "show", str(path)]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "pack it again: pytest-clip runs pack RUN" in told
