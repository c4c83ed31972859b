"""Records of runs as a population: planted effects come out of files, and runs that were not measured alike are refused."""

import json

import numpy as np
import pytest
from scipy.special import expit

from pytest_clip import ClipError
from pytest_clip.cli.main import main
from pytest_clip.study import records
from pytest_clip.study.matched import different


def row(model: str, gate: str, value: float, **more) -> dict:
    return {
        "gate": gate,
        "model": model,
        "data": "scenes",
        "value": value,
        "n": 1900,
        "verdict": "pass",
        "conventions": {"prompts": "p1"},
    } | more


def record(name: str, values: dict[str, float], factors: dict | None = None, *, data: str = "f0", prompts: str = "p1") -> dict:
    told = {key: {"value": value, "from": "card"} for key, value in (factors or {}).items()}
    return {
        "schema": 1, "session": {},
        "models": [{"name": name, "fingerprint": f"{name:0>16}"[-16:], "precision": "fp32", "factors": told}],
        "data": [{"name": "scenes", "fingerprint": data}],
        "gates": [row(name, gate, value, conventions={"prompts": prompts}) for gate, value in values.items()],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Thirteen runs: five families of one loss and four of two others; the second is 0.6 logits worse under the shift."""
    rng = np.random.default_rng(0)
    for level, effect in (("softmax", 0.0), ("sigmoid", -0.6), ("triplet", 0.0)):
        for family in range(5 if level == "softmax" else 4):
            x = rng.normal(1, 0.4)
            values = {"accuracy/top1[clean]": expit(x), "accuracy/top1[shift_far]": expit(0.9 * x - 0.3 + effect + rng.normal(0, 0.05))}
            made = record(f"m{level}{family}", {key: float(value) for key, value in values.items()}, {"loss": level})
            (tmp_path / f"{level}-{family}.json").write_text(json.dumps(made))
    return tmp_path


def paths(folder):
    return [str(each) for each in sorted(folder.glob("*.json"))]


def test_a_planted_effect_comes_out_of_records(folder, capsys):
    assert main(["study", *paths(folder), "--csv", str(folder / "out.csv"), "--json", str(folder / "out" / "all.json")]) == 0
    out = capsys.readouterr().out
    assert "13 models in 13 families" in out
    assert "loss sigmoid against" in out
    assert ": lower:" in next(line for line in out.splitlines() if line.startswith("  accuracy/top1[shift_far]: loss sigmoid against"))
    assert ": cannot tell:" in next(line for line in out.splitlines() if "loss triplet against" in line)
    found = json.loads((folder / "out" / "all.json").read_text())
    assert [each["verdict"] for each in found["effects"] if each["level"] == "sigmoid"] == ["lower"]
    assert (folder / "out.csv").read_text().startswith("shift,factor,level,reference,")


def test_a_table_adds_factors_and_says_which_runs_are_one_family(folder, capsys):
    names = [each.rpartition("/")[2] for each in paths(folder)]
    text = "model,seed_of,lineage\n" + "".join(f"{name},s{at % 2},one\n" for at, name in enumerate(names))
    (folder / "factors.csv").write_text(text)
    assert main(["study", *paths(folder), "--factor", str(folder / "factors.csv")]) == 0
    out = capsys.readouterr().out
    assert "13 models in 1 families" in out
    assert "no effect of a level is told from fewer than three families" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,loss\nx,y\n", "the first line must name the columns, and one of them is model"),
        ("model,loss\nnobody,y\n", "line 2: 'nobody' is none of the models"),
        ("model,loss\na.json\n", "line 2: not as many entries as columns"),
        ("model,loss\na.json,x\na.json,y\n", "line 3: a.json is there twice"),
    ],
)
def test_a_table_that_does_not_fit_is_one_sentence(tmp_path, text, says):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(ClipError, match=says.replace("'", ".")):
        records.table(tmp_path / "f.csv", ["a.json"])


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (record("b", {"accuracy/top1[clean]": 0.5}, data="f1"), "data scenes is f0 in the one and f1 in the other"),
        (record("b", {"accuracy/top1[clean]": 0.5}, prompts="p2"), "prompts is"),
    ],
)
def test_runs_that_were_not_measured_alike_are_refused(other, says):
    one = records.members(record("a", {"accuracy/top1[clean]": 0.5}), run="a")
    with pytest.raises(ClipError, match=says):
        records.population([*one, *records.members(other, run="b")])


def with_sets(name, sets, whole):
    made = record(name, {"accuracy/top1[clean]": 0.9, "accuracy/top1[shift_far]": 0.5})
    made["data"] = [{"name": "scenes", "fingerprint": whole, "sets": sets}]
    return records.members(made, run=name)[0]


def test_a_run_with_more_sets_is_on_the_same_pictures():
    """A later version has sets that an earlier one had not, so the data as a whole bears another mark."""
    some, more = with_sets("a", {"clean": "c"}, "f0"), with_sets("b", {"clean": "c", "note": "n"}, "f1")
    assert records.population([some, more]).names == ("a", "b")
    other = with_sets("c", {"note": "another"}, "f2")
    with pytest.raises(ClipError, match=r"^b and c cannot be in one study: data scenes/note is n in the one and another in the other; "):
        records.population([some, more, other])
    with pytest.raises(ClipError, match=r"^a and d cannot be in one study: data scenes is f0 in the one and f1 in the other; "):
        records.population([some, with_sets("d", None, "f1")])


def test_a_run_twice_and_runs_without_clean_accuracy_are_refused(tmp_path, capsys):
    one = records.members(record("a", {"accuracy/top1[clean]": 0.5}), run="a")
    with pytest.raises(ClipError, match="a is there twice"):
        records.population([*one, *one])
    (tmp_path / "r.json").write_text(json.dumps(record("a", {"ood/auroc[near]": 0.5})))
    assert main(["study", str(tmp_path / "r.json")]) == 2
    assert "have not measured accuracy/top1[clean]" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"gates": 1}', '{"models": [], "data": [], "gates": [{}]}', "NaN", "\udcff"])
def test_what_is_no_record_is_one_sentence(tmp_path, content, capsys):
    (tmp_path / "r.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert main(["study", str(tmp_path / "r.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_copies_damaged_on_purpose_and_baselines_are_no_models():
    made = record("a", {"accuracy/top1[clean]": 0.5})
    made["gates"].append(row("base", "accuracy/top1[clean]", 0.9, role="baseline"))
    assert [each.name for each in records.members(made, run="run")] == ["run"]


def test_sizes_that_follow_make_no_second_difference():
    one, other = {"loss": "softmax", "family": "vit", "parameters": 10**6}, {"loss": "sigmoid", "family": "vit", "parameters": 10**6 + 1}
    assert different(one, other) == ["loss"]
    assert different(one, {**one, "family": "rn", "parameters": 10**7}) == ["family"]
    assert different(
        one | {"training_set": "laion-400m", "training_set_size": 4e8}, one | {"training_set": "laion-2b", "training_set_size": 2e9}
    ) == ["training_set"]
    assert different(one | {"finetuned_on": "none", "samples_seen": 9}, one | {"finetuned_on": "imagenet-1k", "samples_seen": 12}) == [
        "finetuned_on"
    ]
    assert different(one, {"family": "vit"}) == ["loss"]
    assert different(one, {"loss": "sigmoid", "family": "rn"}) == ["family", "loss"]


def test_an_amount_alone_is_a_factor_and_two_recipes_of_other_amounts_are_no_seeds_of_one():
    one = {"loss": "softmax", "parameters": 5, "training_set_size": 100, "samples_seen": 1000}
    assert different(one, {**one, "training_set_size": 10}) == ["training_set_size"]
    assert different(one, {**one, "samples_seen": 2000}) == ["samples_seen"]
    assert different(one, {**one, "parameters": 9, "training_set_size": 200}) == ["parameters", "training_set_size"]
    assert different(one, {**one, "training_set_size": None}) == []
    assert different(one, {**one, "loss": "sigmoid", "samples_seen": 5000}) == ["loss", "samples_seen"]
    assert different({**one, "training_set": "scenes"}, {**one, "training_set": "scenes-correlated", "training_set_size": 9}) == [
        "training_set", "training_set_size",
    ]  # fmt: skip
    assert different(one, dict(one)) == []


BROKEN = {
    "empty.json": b"",
    "list.json": b"[]",
    "cut.json": b'{"gates": [',
    "odd.json": b'{"gates": 1, "models": [], "data": []}',
    "bytes.json": b"\xff\xfe",
}


@pytest.mark.parametrize("name", BROKEN)
def test_every_refusal_of_a_record_names_a_cure(tmp_path, name, capsys):
    (tmp_path / name).write_bytes(BROKEN[name])
    assert main(["study", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert f"write it again with --clip-report=json:{tmp_path / name}, or leave it out" in told
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "record.json").write_bytes(BROKEN[name])
    assert main(["study", str(tmp_path / "run")]) == 2
    assert "save the run again with --clip-save, or leave it out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "cure"),
    [
        (["{tmp}"], "save runs into it with --clip-save={tmp}/NAME"),
        (["{tmp}/none.json"], "measure one with --clip-save=NAME or --clip-report=json:PATH"),
        (["{tmp}/r.json", "--factor", "{tmp}/none.csv"], "name a CSV file in UTF-8 with a column model"),
        (["{tmp}/r.json", "--clean", "accuracy/top1[other]"], "say --clean with one of accuracy/top1[clean]"),
        (["{tmp}/r.json", "{tmp}/s.json"], "measure both alike, or leave one out"),
        (["--published", "--clean", "x"], "the public checkpoints are held against imagenet"),
        ([], "say which runs to study (pytest-clip study RUN ...), --family or --published"),
    ],
)
def test_what_cannot_be_studied_says_what_to_do(tmp_path, command, cure, capsys):
    values = {"accuracy/top1[clean]": 0.5}
    told = [each.format(tmp=tmp_path) for each in command]
    if any("r.json" in each for each in told):
        (tmp_path / "r.json").write_text(json.dumps(record("r", values)))
        (tmp_path / "s.json").write_text(json.dumps(record("s", values, data="f1")))
    assert main(["study", *told]) == 2
    err = capsys.readouterr().err
    assert cure.format(tmp=tmp_path) in err
    assert err.count("\n") == 1
