"""The fine-tuning watch: the epoch at which a property falls is the one that was planted, and no other property falls."""

import json

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.cli.main import main
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.runs import packed, store
from pytest_clip.runs.spool import Parcel
from pytest_clip.study import family
from pytest_clip.study.load import load
from pytest_clip.study.watch import watches

N = 600
IDS = tuple(f"clean-{at:05}" for at in range(N))
SHAPE = "shape_bias/shape_bias[cue_conflict]"


def row(model, gate, value):
    return {
        "gate": gate, "model": model, "data": "scenes", "value": value, "n": N, "verdict": "pass", "reason": None, "conventions": {},
        "ci": None,
    }  # fmt: skip


def save(folder, name, models, *, outcomes=True, seed=0):
    """A saved run of `models`: name -> (clean, far, shape bias, facts). The same images are hard for all."""
    rng = np.random.default_rng(3)
    hard = {gate: np.sort(rng.random(N)) for gate in ("accuracy/top1[clean]", "accuracy/top1[shift_far]", "mean")}
    parcels, rows, told = [], [], []
    for model, (clean, far, shape, facts) in models.items():
        noise = np.random.default_rng(seed + len(rows)).normal(0, 0.01, N)
        right = {gate: hard[gate] + noise < share for gate, share in (("accuracy/top1[clean]", clean), ("accuracy/top1[shift_far]", far))}
        found = {gate: Outcomes("mean", {"correct": each}, IDS) for gate, each in right.items()}
        found[SHAPE] = Outcomes("share", {"part": hard["mean"] < shape, "whole": np.ones(N)}, IDS)
        for gate, each in found.items():
            rows.append(row(model, gate, each.value))
            parcels.append(Parcel(rows[-1], each if outcomes else None, {}))
        told.append({"name": model, "fingerprint": "f", "precision": "fp32", "architecture": "tiny", **facts})
    record = {"schema": 1, "session": {"started": None, "commit": None}, "models": told, "data": [{"name": "scenes", "fingerprint": "d"}]}
    store.write(folder / name, record={**record, "gates": rows}, asked={}, partial=[], parcels=parcels, replace=False)
    return folder / name


def epoch(number):
    return {"checkpoint": {"epoch": number}, "pretrained": f"logs/mine/checkpoints/epoch_{number}.pt"}


PATH = {"m,epoch_1": (0.70, 0.60, 0.8), "m,epoch_2": (0.74, 0.60, 0.8), "m,epoch_3": (0.78, 0.48, 0.8), "m,epoch_4": (0.80, 0.45, 0.6)}


@pytest.fixture
def all_epochs(tmp_path):
    """One run of `--clip-model=run:logs/mine,all`, as a saved run."""
    models = {name: (*values, epoch(int(name[-1]))) for name, values in PATH.items()}
    return save(tmp_path, "tuned", models)


def test_the_first_epoch_at_which_a_property_falls_is_the_planted_one(all_epochs):
    (found,) = watches(load([all_epochs], None))
    assert [each[0] for each in found.epochs] == [1, 2, 3, 4]
    assert found.first_falls == {"accuracy/top1[shift_far]": 3, SHAPE: 4}
    moves = {(each.epoch, each.gate): each for each in found.moves}
    assert len(moves) == 6
    assert moves[3, "accuracy/top1[shift_far]"].change.worse > 50
    assert not moves[2, "accuracy/top1[shift_far]"].falls


def test_nothing_falls_on_a_path_that_only_gains(tmp_path):
    alarms = 0
    for seed in range(10):
        models = {f"m{seed},epoch_{at}": (0.6 + 0.02 * at, 0.6, 0.8, epoch(at)) for at in range(1, 5)}
        (found,) = watches(load([save(tmp_path, f"r{seed}", models, seed=100 * seed)], None))
        alarms += sum(each is not None for each in found.first_falls.values())
    assert alarms <= 1


def test_saved_runs_in_order_are_a_path_too_and_packed_ones(tmp_path, capsys):
    paths = [save(tmp_path, f"step{at}", {"m": (*values, {})}) for at, values in enumerate(PATH.values())]
    small = []
    for path in paths:
        small.append(tmp_path / f"{path.name}.run.xz")
        small[-1].write_bytes(packed.pack(store.read(path)))
    out = []
    for given in (paths, small):
        assert main(["study", "--watch", *map(str, given), "--json", str(tmp_path / "w.json")]) == 0
        out.append(capsys.readouterr().out)
        (told,) = json.loads((tmp_path / "w.json").read_text())["watches"]
        assert told["first_falls"] == {"accuracy/top1[shift_far]": 2.0, SHAPE: 3.0}
    assert out[0] == out[1]
    assert "accuracy/top1[shift_far]: falls from epoch 2 on (" in out[0]
    assert f"{SHAPE}: falls from epoch 3 on" in out[0]


def test_the_path_of_mixtures_is_the_yardstick_inside_its_range(tmp_path):
    ends = {"base_text": "a", "tuned_text": "b"}
    mixtures = {f"w{alpha}": (0.70 + 0.1 * alpha, 0.6 - 0.1 * alpha, 0.8, {"wise": {**ends, "alpha": alpha}}) for alpha in (0.0, 0.5, 1.0)}
    steps = {"m,epoch_1": (0.70, 0.60, 0.8, epoch(1)), "m,epoch_2": (0.75, 0.50, 0.8, epoch(2)), "m,epoch_3": (0.95, 0.4, 0.8, epoch(3))}
    (found,) = watches(load([save(tmp_path, "path", steps), save(tmp_path, "wise", mixtures)], None))
    assert [each[0] for each in found.mixtures] == [0.0, 0.5, 1.0]
    moves = {each.epoch: each for each in found.moves if each.gate == "accuracy/top1[shift_far]"}
    assert moves[2].mixed == pytest.approx(0.55, abs=0.02)
    assert moves[3].mixed is None


def test_without_outcomes_nobody_can_tell(tmp_path, capsys):
    models = {name: (*values, epoch(int(name[-1]))) for name, values in PATH.items()}
    path = save(tmp_path, "bare", models, outcomes=False)
    assert main(["study", "--watch", str(path)]) == 0
    assert "accuracy/top1[shift_far]: cannot tell: no outcomes of single images that both epochs have" in capsys.readouterr().out


def test_what_cannot_be_followed_is_one_sentence(tmp_path, all_epochs, capsys):
    one = save(tmp_path, "one", {"m": (0.7, 0.6, 0.8, {})})
    two = save(tmp_path, "two", {"m": (0.7, 0.6, 0.8, {})})
    for command, says in (
        (["--watch", str(one)], "name at least two saved runs"),
        (
            ["--watch", str(one), str(two), str(all_epochs)],
            "one and two do not tell their epoch; give it in --factor FILE.csv, column epoch",
        ),
        (["--watch", "--published"], "--watch follows runs"),
        (["--watch", str(all_epochs), "--clean", "accuracy/top1[none]"], "has not measured accuracy/top1[none]"),
        (["--watch", str(all_epochs), "--csv", "x.csv"], "--json FILE writes the path"),
    ):
        assert main(["study", *command]) == 2
        told = capsys.readouterr().err
        assert says in told
        assert told.count("\n") == 1


def test_a_table_tells_epochs(tmp_path):
    paths = [save(tmp_path, name, {"m": (*values, {})}) for name, values in zip("dcba", PATH.values(), strict=True)]
    (tmp_path / "f.csv").write_text("model,epoch\nd,1\nc,2\nb,5\na,9\n")
    (found,) = watches(load(sorted(paths), tmp_path / "f.csv"), all_of_them=True)
    assert [each[:2] for each in found.epochs] == [(1, "d"), (2, "c"), (5, "b"), (9, "a")]
    (tmp_path / "f.csv").write_text("model,epoch\nd,one\nc,2\nb,5\na,9\n")
    with pytest.raises(ClipError, match="the epoch of d is a number, and not 'one'"):
        watches(load(sorted(paths), tmp_path / "f.csv"), all_of_them=True)


def test_the_bundled_family_is_studied_with_its_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(family, "HERE", tmp_path / "family")
    assert main(["study", "--family"]) == 2
    assert "comes without runs" in capsys.readouterr().err
    (tmp_path / "family").mkdir()
    for name, clean in (("a0", 0.7), ("a1", 0.71), ("b0", 0.6), ("b1", 0.61)):
        run = store.read(save(tmp_path, name, {"m": (clean, 0.5, 0.8 if name[0] == "a" else 0.6, {})}))
        (tmp_path / "family" / f"{name}.run.xz").write_bytes(packed.pack(run))
    (tmp_path / "family" / "factors.csv").write_text("model,loss,seed\na0,softmax,0\na1,softmax,1\nb0,sigmoid,0\nb1,sigmoid,1\n")
    assert main(["study", "--family", "--html", str(tmp_path / "f.html")]) == 0
    out = capsys.readouterr().out
    assert "a0 and b0 differ in loss alone" in out
    assert "a0 and b1" not in out  # another seed
    assert "a0 and a1" not in out
    assert "4 models in 4 families" in out
    assert "recipes that differ in one factor, over seeds" in out
    assert "shape bias: loss sigmoid against softmax -1" in out
