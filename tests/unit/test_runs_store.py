"""Saved runs on disk: what goes in comes out, once, whole or not at all."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_clip import ClipError
from pytest_clip.gates.agreement import differences
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import facts, family, names, place, store
from pytest_clip.runs.flips import listed
from pytest_clip.runs.packing import Pack, unpack
from pytest_clip.runs.spool import Parcel, Spool

IDS = ("a", "b", "c", "d")
RIGHT = np.array([True, False, True, True])


def same(one: Outcomes, two: Outcomes) -> bool:
    arrays = [np.array_equal(getattr(one, each)[k], getattr(two, each)[k]) for each in ("arrays", "others") for k in getattr(one, each)]
    dtypes = [one.arrays[k].dtype == two.arrays[k].dtype for k in one.arrays]
    clusters = [
        (a is None) == (b is None) and (a is None or np.array_equal(a, b))
        for a, b in ((one.clusters, two.clusters), (one.other_clusters, two.other_clusters))
    ]
    plain = all(getattr(one, k) == getattr(two, k) for k in ("statistic", "ids", "other_ids", "params"))
    return plain and all([*arrays, *dtypes, *clusters])


def row(gate: str = "own/a", model: str = "m", value: float | None = 0.75) -> dict:
    return {"gate": gate, "model": model, "data": "d", "value": value, "n": 4, "reason": None, "conventions": {}, "verdict": "pass"}


def record(*rows: dict) -> dict:
    models = [{"name": name, "fingerprint": "f", "precision": "fp32"} for name in dict.fromkeys(each["model"] for each in rows)]
    session = {"started": "2026-11-21", "commit": None}
    return {"schema": 1, "session": session, "models": models, "data": [{"name": "d", "fingerprint": "g"}], "gates": list(rows)}


def write(folder, *parcels: Parcel, replace: bool = False, partial: tuple[str, ...] = ()) -> int:
    rows = [dict(parcel.row) | {"verdict": "pass"} for parcel in parcels]
    return store.write(folder, record=record(*rows), asked={"limit": None}, partial=partial, parcels=parcels, replace=replace)


numbers = hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e6, 1e6))


@given(numbers, st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=9))
def test_outcomes_survive_packing(values, texts):
    ids = tuple(f"{k}{texts[k % len(texts)]}" for k in range(len(values)))
    for outcomes in (
        Outcomes("mean", {"loss": values}, ids),
        Outcomes(None, {"loss": values, "near": values > 0}, ids, clusters=np.arange(len(values)) // 2),
        Outcomes("auroc", {"score": values}, ids, others={"score": values[:1]}, other_ids=("z",), other_clusters=np.array([7])),
        Outcomes("recall", {"rank": np.arange(1, len(values) + 1)}, ids, params={"k": 5}),
    ):
        pack = Pack()
        entry = json.loads(json.dumps(pack.add(outcomes)))
        assert same(unpack(entry, pack.arrays), outcomes)


def test_what_gates_share_is_kept_once(tmp_path):
    parcels = [Parcel(row(f"own/g{k}"), Outcomes("mean", {"correct": RIGHT}, IDS), {}) for k in range(50)]
    write(tmp_path / "run", *parcels)
    with np.load(tmp_path / "run" / "outcomes.npz") as arrays:
        assert len(arrays.files) == 2  # `correct` and the ids


def test_the_spool_gives_back_what_it_was_given_and_the_last_word_counts(tmp_path):
    spool = Spool(tmp_path)
    assert spool.get("m", "d", "own/a") is None
    outcomes = Outcomes("mean", {"correct": RIGHT}, IDS)
    spool.put(Parcel(row(value=0.1), None, {}))
    spool.put(Parcel(row(), outcomes, {"class": ("x", "y", "x", "y")}))
    spool.put(Parcel(row("own/b", "k"), None, {}))
    found = spool.get("m", "d", "own/a")
    assert found is not None
    assert found.row["value"] == 0.75
    assert found.facts == {"class": ("x", "y", "x", "y")}
    assert same(found.outcomes, outcomes)
    assert [(each.row["model"], each.row["gate"]) for each in spool.parcels()] == [("k", "own/b"), ("m", "own/a")]


def test_a_spool_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(ClipError, match=r"cannot keep the outcomes of own/a in .*gone: No such file or directory; free space there"):
        Spool(tmp_path / "gone").put(Parcel(row(), None, {}))


def test_a_run_comes_back_as_it_was_saved(tmp_path):
    outcomes = Outcomes("mean", {"correct": RIGHT}, IDS)
    known = {"class": ("mug", "dog", "mug", "dog"), "colour": ("red", "red", "blue", "red")}
    size = write(tmp_path / "run", Parcel(row(), outcomes, known), Parcel(row("own/b", value=None), None, {}), partial=("--clip-limit=4",))
    run = store.read(tmp_path / "run")
    assert same(run.outcomes("m", "d", "own/a"), outcomes)
    assert run.outcomes("m", "d", "own/b") is None
    assert run.facts(IDS) == known
    assert run.facts(("unknown",)) == {}
    assert set(run.rows) == {("m", "d", "own/a"), ("m", "d", "own/b")}
    assert (run.models, run.manifest["partial"], run.asked) == (["m"], ["--clip-limit=4"], {"limit": None})
    assert size == sum(path.stat().st_size for path in run.folder.iterdir() if path.name != "manifest.json")


def test_the_same_run_is_the_same_bytes(tmp_path):
    parcels = [Parcel(row(f"own/g{k}"), Outcomes("mean", {"correct": RIGHT ^ (k == 1)}, IDS), {"class": IDS}) for k in range(3)]
    write(tmp_path / "one", *parcels)
    write(tmp_path / "two", *parcels)
    for name in (store.RECORD, store.INDEX, store.ARRAYS, names.MANIFEST):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_failure_leaves_nothing_and_what_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr(place, "exchange", lambda one, two: False)  # as on a file system that cannot
    write(tmp_path / "run", Parcel(row(), None, {}))
    before = (tmp_path / "run" / names.MANIFEST).read_bytes()
    with pytest.raises(ClipError, match="has appeared while this run was measured; nothing was saved"):
        write(tmp_path / "run", Parcel(row(value=0.5), None, {}))
    rename, calls = store.Path.rename, []

    def fails(self, target):
        calls.append(target)
        if len(calls) == 2:  # the new run into the place of the old one
            raise OSError("disk on fire")
        return rename(self, target)

    monkeypatch.setattr(store.Path, "rename", fails)
    with pytest.raises(OSError, match="disk on fire"):
        write(tmp_path / "run", Parcel(row(value=0.5), None, {}), replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (tmp_path / "run" / names.MANIFEST).read_bytes() == before


def test_nothing_pickled_is_read(tmp_path):
    import hashlib

    write(tmp_path / "run", Parcel(row(), Outcomes("mean", {"correct": RIGHT}, IDS), {}))
    folder = tmp_path / "run"
    with np.load(folder / store.ARRAYS) as arrays:
        held = {name: np.array([print], dtype=object) for name in arrays.files}
    np.savez(folder / store.ARRAYS, **held)
    manifest = json.loads((folder / names.MANIFEST).read_text())
    manifest["files"][store.ARRAYS]["sha256"] = hashlib.sha256((folder / store.ARRAYS).read_bytes()).hexdigest()
    (folder / names.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ClipError, match=r"is damaged: outcomes of own/a \(.*object arrays are not read\); save it again"):
        store.read(folder).outcomes("m", "d", "own/a")


@pytest.mark.parametrize("text", ["base", "2026-11-21", "v1.2+x=3", "./base", "../base", "/tmp/base", "~/base", "runs/base"])
def test_names_and_paths(text, tmp_path):
    assert names.check(f" {text} ") == text
    here = names.folder(text, rootpath=tmp_path / "root", here=tmp_path)
    assert here.is_relative_to(tmp_path / "root" / ".clip" / "runs") == (text in ("base", "2026-11-21", "v1.2+x=3"))


@pytest.mark.parametrize("text", ["", "  ", "-base", "a b", "a,b", "x" * 101, "ä"])
def test_what_is_no_name(text):
    with pytest.raises(ValueError, match=r"is empty|is not a name"):
        names.check(text)


# Facts and flips


def images(name, ids, labels, **attributes):
    return SimpleNamespace(name=name, ids=ids, labels=np.array(labels), classes=("mug", "dog"), attributes=attributes)


@pytest.fixture
def data():
    sets = {
        "clean": images("clean", IDS, [0, 1, 0, 1], colour=("red", "blue", "red", "red"), same=("x",) * 4),
        "near": images("near", ("n1", "n2"), [-1, -1], colour=("red", "blue")),
        "other": images("other", IDS, [1, 1, 1, 0], colour=("blue",) * 3 + ("red",), file=tuple(f"{k}.jpg" for k in range(4))),
    }
    return SimpleNamespace(sets=[SimpleNamespace(name=name) for name in ("near", "clean", "other")], images=sets.__getitem__)


def test_facts_come_from_the_set_that_is_meant(data):
    assert facts.of(data, ("c", "b")) == {"class": ("mug", "dog"), "colour": ("red", "blue")}
    assert facts.of(data, ("c", "b"), prefer="other")["class"] == ("dog", "dog")
    assert facts.of(data, ("n2",)) == {"colour": ("blue",)}  # images of no class
    assert facts.of(data, ("a", "n1")) == {}
    assert facts.of(None, ("a",)) == facts.of(data, ()) == {}


def test_a_fact_with_too_many_values_groups_nothing(data, monkeypatch):
    monkeypatch.setattr(facts, "MOST_VALUES", 3)
    assert set(facts.of(data, ("a",), prefer="other")) == {"class", "colour"}


def test_flips_name_the_images_and_the_group_that_stands_out():
    n = 200
    ids = tuple(f"i{k}" for k in range(n))
    classes = tuple("mug" if k < 20 else "dog" for k in range(n))
    before, after = np.ones(n, dtype=bool), np.arange(n) >= 15
    before[199] = False
    base = Outcomes("mean", {"correct": before[::-1]}, ids[::-1])  # another order: rows are matched by id
    found = listed(base, Outcomes("mean", {"correct": after}, ids), {"class": classes}, most=3)
    assert found is not None
    assert (found["worse"], found["at_risk"], found["better"]) == (15, 199, 1)
    assert (found["ids"], found["better_ids"]) == (["i0", "i1", "i2"], ["i199"])
    [group] = found["groups"]
    assert (group["fact"], group["value"], group["worse"], group["at_risk"], group["stands_out"]) == ("class", "mug", 15, 20, True)
    assert json.loads(json.dumps(found)) == found


def test_outcomes_without_right_and_wrong_have_no_flips():
    loss = Outcomes("mean", {"loss": np.array([0.5, 1.5])}, ("a", "b"))
    assert listed(loss, loss, {}) is None


# Agreement and families


def test_conventions_that_belong_to_the_model_may_differ():
    base = {"tau": 1.0, "bins": 15, "logit_scale": 40.0, "worst": "x"}
    assert differences(base, base | {"logit_scale": 90.0, "worst": "y"}) == []
    assert differences(base | {"measured": {"clean": 0.6}}, base | {"measured": {"clean": 0.7, "shift": 0.1}}) == []
    assert differences(base | {"measured": {"clean": 0.6}}, base) == []
    assert differences(base, base | {"tau": 2.0}) == ["tau: 1.0 in the baseline, 2.0 now"]
    assert differences(base, {"tau": 1.0, "rule": "x" * 99}) == [
        "bins: 15 in the baseline, none now",
        f"rule: none in the baseline, {'x' * 60}... now",
    ]


def judged(gate, p, status):
    return {"gate": gate, "model": "m", "data": "d", "baseline": {"p": p, "allowed": 0.0, "status": status}}


def test_holm_is_reported_over_what_was_judged():
    rows = [judged("a", 0.001, "fail"), judged("b", 0.02, "insufficient"), judged("c", 0.6, "pass"), {"baseline": None}]
    rows.append({"baseline": {"p": 0.0001, "allowed": None, "status": None}})
    lines = family.adjust(rows, together=3)
    assert [row["baseline"]["p_holm"] for row in rows[:3]] == pytest.approx([0.003, 0.04, 0.6])
    assert "p_holm" not in rows[4]["baseline"]
    assert lines == [
        "regressions: 3 gates share an error rate of 5 %, each is held to p <= 0.017; 3 were compared",
        "WARNING by Holm's procedure over all of them these regressed, too: b on m, d",
    ]
    assert family.adjust(rows, together=None) == []
    assert family.adjust([], together=2) == []
