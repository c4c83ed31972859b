"""The suite lmm: a sound LMM passes, each broken one fails the gate that is meant for it; what is lacking is said in one sentence."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tiny_hf
import tiny_models
import torch
from PIL import Image

from pytest_clip.data import load  # noqa: F401
from pytest_clip.extract import beside, extraction, interviews, zeroshot  # noqa: F401
from pytest_clip.gates import evidence, first, layers, thresholds, verdicts  # noqa: F401
from pytest_clip.models import dense  # noqa: F401
from pytest_clip.models.lmm import tower
from pytest_clip.plugin import collection, gating, lmm  # noqa: F401
from pytest_clip.report import json as report_json  # noqa: F401
from pytest_clip.session import pictured, start  # noqa: F401

COLOURS = {
    "red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 50, 220), "yellow": (230, 220, 40), "purple": (140, 40, 160),
    "orange": (240, 140, 30), "white": (240, 240, 240), "black": (15, 15, 15),
}  # fmt: skip
STUBS = '''
import os
import numpy as np
import torch
from pytest_clip.models.lmm.protocol import OptionScores

COLOURS = @COLOURS@
NAMES = list(COLOURS)
POINTS = np.array([COLOURS[name] for name in NAMES]) / 255


class Clip:
    """Sees the mean colour; confuses orange with `more[0]` (red) and purple with `more[1]` (blue)."""
    precision, device, logit_scale, logit_bias = "fp32", "cpu", 20.0, None
    image_size, facts = (8, 8), {}

    def __init__(self, label="colours", more=("red", "blue")):
        self.label, self.more, self.fingerprint = label, more, format(sum(map(ord, label)), "016x")

    def preprocess(self, image):
        return torch.from_numpy(np.asarray(image.convert("RGB").resize((8, 8)), dtype=np.float32)).permute(2, 0, 1) / 255

    def encode_image(self, images):
        near = -torch.cdist(images.mean((2, 3)), torch.tensor(POINTS, dtype=torch.float32)) * 8
        for name in self.more:
            near[:, NAMES.index(name)] += 3.6
        return torch.nn.functional.normalize(near.softmax(-1) ** 0.5, dim=-1)

    def encode_text(self, texts):
        rows = torch.stack([torch.tensor([float(name in text.lower()) for name in NAMES]) for text in texts])
        return torch.nn.functional.normalize(rows + 1e-6, dim=-1)


class Lmm:
    """Sees the mean colour and confuses nothing."""
    label, device, facts = "stub", "cpu", {}

    def __init__(self, how):
        self.how, self.fingerprint = how, format(sum(map(ord, how)), "016x")

    def seen(self, image):
        point = np.asarray(image.convert("RGB")).reshape(-1, 3).mean(0) / 255
        return {name: -10 * float(np.abs(point - POINTS[k]).sum()) for k, name in enumerate(NAMES)}

    def option_scores(self, images, prompts, options):
        self.note(images)
        if (limit := os.environ.get("DIE_AFTER")) and sum(map(int, open("asked").read().split())) > int(limit):
            os.kill(os.getpid(), 9)
        total = np.array([[self.seen(image)[each] for each in row] for image, row in zip(images, options)], dtype=np.float32) - 1
        if self.how == "first":
            total[:, 0] += 100
        if self.how == "blind":
            total = np.array([[-(NAMES.index(each) * 5 % 8) - 1.0 for each in row] for row in options], dtype=np.float32)
        if self.how == "eats":
            total[:, -1] -= 100
        return OptionScores(total, np.ones(total.shape, dtype=np.int64))

    def note(self, images):
        with open("asked", "a") as log:
            log.write(f"{len(images)}\\n")

    def answer(self, images, prompts):
        self.note(images)
        best = [max((each for each in NAMES if each in prompt), key=self.seen(image).get) for image, prompt in zip(images, prompts)]
        german = {"red": "rot", "green": "gruen", "blue": "blau"}
        return [f"Das Ding ist {german.get(each, 'bunt')}." if self.how == "german" else f"It is {each}." for each in best]


def pytest_clip_make_model(spec, config):
    return {"colours": Clip(), "tints": Clip("tints", ("yellow", "green"))}.get(spec.text)


def pytest_clip_make_lmm(name, config):
    return Lmm(name.removeprefix("stub-")) if name.startswith("stub-") else None
'''.replace("@COLOURS@", repr(COLOURS))
IMAGES = 7
BOTH = {"position_bias[circular-2]", "position_bias[circular-5]"}
GATES = {
    "sound": set(),
    "first": BOTH,
    "blind": {"gain_over_blank[clean]"},
    "eats": BOTH,
    "german": {"unparsed[clean]"},
}
"""By what is wrong with an LMM the gates that are meant for it; a swapped tower has a test of its own."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Seven pictures of each of eight colours, a CLIP that confuses two, and LMMs."""
    home, rng = tmp_path_factory.mktemp("colours"), np.random.default_rng(0)
    (home / "conftest.py").write_text(STUBS)
    for name, colour in COLOURS.items():
        (home / "data" / name).mkdir(parents=True)
        for k in range(IMAGES):
            noisy = np.clip(np.array(colour) + rng.normal(0, 25, 3) + rng.normal(0, 5, (32, 32, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(home / "data" / name / f"{k}.png")
    (home / "pytest.ini").write_text("[pytest]\nclip_lmm_images = 56\n")
    return home


@pytest.fixture
def run(project, tmp_path, pytester, monkeypatch):
    """(exit status, {gate: row}, output) of a run in the project, in this process."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_CLIP", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.chdir(project)

    def measured(*options, cache=tmp_path / "cache"):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        fixed = ["-p", "clip", "-p", "no:cacheprovider", "--clip-workers=1"]
        defaults = {"--clip-model=": "colours", "--clip-data=": project / "data"}
        fixed += [f"{key}{value}" for key, value in defaults.items() if not any(each.startswith(key) for each in options)]
        done = pytester.runpytest_inprocess(*fixed, f"--clip-cache-dir={cache}", f"--clip-report=json:{report}", *options)
        return int(done.ret), rows_of(report), done.stdout.str() + done.stderr.str()

    return measured


def rows_of(report):
    return {row["gate"].removeprefix("lmm/"): row for row in json.loads(report.read_text())["gates"]} if report.exists() else {}


def asked(project):
    """Questions that the LMM was asked since last time."""
    log = project / "asked"
    total = sum(map(int, log.read_text().split())) if log.exists() else 0
    log.unlink(missing_ok=True)
    return total


@pytest.mark.parametrize("how", GATES)
def test_each_broken_lmm_fails_the_gate_that_is_meant_for_it(run, project, how):
    status, rows, output = run("--clip-suite=lmm", f"--clip-lmm=stub-{how}")
    failed = {gate for gate, row in rows.items() if row["verdict"] == "fail"}
    assert failed >= GATES[how], output
    assert not (how in ("sound", "german") and failed - GATES[how]), output
    assert status == bool(failed)
    told, n = rows["accuracy[vanilla-2]"], 8 * IMAGES
    clip = round(rows["gain_over_clip[all]"]["conventions"]["measured"]["clip"] * n) / n
    assert told["n"] == n
    assert told["conventions"]["distractors"].startswith("the classes that this CLIP finds likeliest")
    gain = rows["gain_over_clip[all]"]
    assert gain["value"] == pytest.approx(told["value"] - clip)
    # what is gained is what is repaired less what is broken, each of its own images
    errors = round(n * (1 - clip))
    repaired, broken = rows["repairs[clean]"], rows["breaks[clean]"]
    assert (repaired["n"], broken["n"]) == (errors, n - errors)
    assert gain["value"] == pytest.approx((repaired["value"] * errors - broken["value"] * (n - errors)) / n)
    hard, easy = rows["gain_over_clip[hard]"], rows["gain_over_clip[easy]"]
    assert gain["value"] == pytest.approx((hard["value"] * hard["n"] + easy["value"] * easy["n"]) / n)
    if how == "sound":
        assert told["value"] > 0.9
        assert hard["value"] > easy["value"]
        assert rows["unparsed[clean]"]["value"] == 0
        assert rows["accuracy[vanilla-all]"]["conventions"]["options"] == 8
        assert rows["accuracy[vanilla-20]"]["verdict"] == "not_measured" if "accuracy[vanilla-20]" in rows else True
    if how == "blind":
        assert rows["accuracy[circular-2]"]["value"] == told["value"]  # it always names the same of two
        assert rows["gain_over_blank[clean]"]["value"] == 0
    if how == "eats":
        assert rows["position_bias[circular-5]"]["value"] == pytest.approx(0.25, abs=0.01)
        assert rows["position_bias[circular-5]"]["conventions"]["measured"]["places"][-1] == 0
    if how == "german":
        assert rows["unparsed[clean]"]["conventions"]["measured"]["examples"][0].startswith("Das Ding ist")
        assert rows["accuracy[generated-2]"]["value"] == 0
    asked(project)


def test_clips_two_way_accuracy_is_its_top_1(run):
    _, rows, _ = run("--clip-suite=lmm,accuracy", "--clip-lmm=stub-sound", "-k", "top1 or gain")
    assert rows["accuracy/top1[clean]"]["value"] < 1
    told = rows["gain_over_clip[all]"]["conventions"]["measured"]["clip"]
    assert told == pytest.approx(rows["accuracy/top1[clean]"]["value"], abs=1e-6)


def test_a_third_model_chooses_by_its_name_or_its_saved_run(run, project, tmp_path):
    """The same model three times: its own failure categories each time. Of a run with fewer images fewer are asked."""
    only = ("--clip-suite=lmm", "--clip-lmm=stub-sound", "-o", "clip_unjudged=allow")
    _, rows, output = run(*only, "-k", "position_bias", "--clip-save=third", "--clip-limit=40", "--clip-model=tints")
    assert set(rows) == {"position_bias[circular-2]", "position_bias[circular-5]"}, output
    found = {}
    for third, n in (("tints", 8 * IMAGES), ("third", 40)):
        _, rows, output = run(*only, "-o", f"clip_lmm_third={third}", "-k", "third-2 or vanilla-2")
        assert rows["accuracy[third-2]"]["n"] == n, output
        assert rows["accuracy[third-2]"]["conventions"]["distractors"].endswith(third)
        found[third] = rows["accuracy[third-2]"]["value"]
    assert rows["accuracy[vanilla-2]"]["n"] == 8 * IMAGES
    # another class before all others: each has another number, and is the same class
    other = tmp_path / "other" / "data"
    shutil.copytree(project / "data", other)
    shutil.copytree(project / "data" / "black", other / "aqua")
    _, rows, output = run(*only, "-o", "clip_lmm_third=third", "-k", "third-2", f"--clip-data={other}")
    assert (rows["accuracy[third-2]"]["value"], rows["accuracy[third-2]"]["n"]) == (found["third"], 40), output
    asked(project)
    # what chose nothing is refused before anything is asked
    run("-k", "top1", "--clip-save=plain", "-o", "clip_unjudged=allow")
    status, rows, output = run(*only, "-o", "clip_lmm_third=plain")
    assert (status, rows, asked(project)) == (4, {}, 0)
    assert "clip_lmm_third: the saved run plain has no lmm/position_bias[circular-2] on data; save one: pytest --clip-model" in output


def test_without_an_lmm_nothing_is_run_or_counted(run, project):
    asked(project)
    status, rows, output = run("-k", "accuracy")
    assert not [gate for gate in rows if gate.startswith("lmm")], output
    listed = run("--clip-list")[2]
    assert "lmm" not in listed
    assert asked(project) == 0
    status, _, output = run("--clip-suite=lmm")
    assert status == 4
    assert "the suite lmm asks a large multimodal model, and none is named; add --clip-lmm=ID-or-PATH" in output


def test_what_it_costs_is_said_first(run, project):
    listed = run("--clip-suite=lmm", "--clip-lmm=stub-sound", "--clip-list")[2]
    [line] = [line for line in listed.splitlines() if " questions with " in line]
    asked(project)
    output = run("--clip-suite=lmm", "--clip-lmm=stub-sound")[2]
    assert f"{asked(project):,} questions" in line
    assert f"clip: on data: {line.strip()}" in output.partition("collected")[0]


@pytest.mark.slow
def test_killed_in_the_middle_the_next_run_asks_what_is_left(project, tmp_path):
    def measured(cache, **environ):
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "--clip-model=colours", f"--clip-data={project / 'data'}", "--clip-suite=lmm",
             "--clip-lmm=stub-sound", f"--clip-cache-dir={cache}", f"--clip-report=json:{report}"],
            cwd=project, capture_output=True, text=True, env={**os.environ, **environ},
        )  # fmt: skip
        return done.returncode, rows_of(report)

    asked(project)
    whole, other = tmp_path / "whole", tmp_path / "killed"
    _, expected = measured(whole)
    everything = asked(project)
    _, again = measured(whole)
    assert asked(project) == 0
    assert measured(other, DIE_AFTER=str(everything // 2)) == (-signal.SIGKILL, {})
    before = asked(project)
    _, found = measured(other)
    left = asked(project)
    assert left < everything - before // 2
    assert left + before <= everything + 2 * 8 * IMAGES  # a shard of one view was lost
    for rows in (again, found):
        assert {gate: (row["value"], row["ci"], row["n"]) for gate, row in rows.items()} == {
            gate: (row["value"], row["ci"], row["n"]) for gate, row in expected.items()
        }


@pytest.mark.slow
def test_workers_share_what_is_asked(project, tmp_path):
    """Two CLIPs, each with failures of its own, and drawn distractors in common: as many questions as in one process, and the same rows.

    A worker each for their groups, and with pytest-xdist's own scheduling both workers in every group.
    """

    def measured(name, *options):
        report = tmp_path / f"{name}.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--clip-model=colours", "--clip-model=tints", f"--clip-data={project / 'data'}",
             "--clip-suite=lmm", "--clip-lmm=stub-sound", f"--clip-cache-dir={tmp_path / name}", f"--clip-report=json:{report}", *options],
            cwd=project, capture_output=True, text=True,
        )  # fmt: skip
        assert report.exists(), done.stdout + done.stderr
        rows = json.loads(report.read_text())["gates"]
        return {(row["gate"], row["model"]): (row["value"], row["ci"], row["n"], row["verdict"]) for row in rows}, asked(project)

    asked(project)
    expected = measured("alone", "-n0")
    assert len(expected[0]) > 50
    assert measured("groups", "-n2") == expected
    assert measured("load", "-n2", "--dist=load") == expected


CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 16, "head_width": 8, "patch_size": 8, "mlp_ratio": 2.0},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The folder of an open_clip model, its normalisation that of the LLaVAs below."""
    mean, std = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
    return tiny_models.folder(tmp_path_factory.mktemp("tower") / "clip", CLIP, mean=mean, std=std)


def llava(where, clip, change=lambda weights: None, **vision):
    """A LLaVA on the image tower of `clip`, then changed."""
    from pytest_clip.models import openclip, spec

    loaded = openclip.load(spec.parse(f"local-dir:{clip}"), device="cpu", cache_dir=clip)
    with tiny_hf.silent():
        module = tiny_hf.lmm(tower={"intermediate_size": 32, **vision})
        weights = dict(tower.translated(loaded.module.visual.state_dict()))
        change(weights)
        if not vision:
            module.model.vision_tower.load_state_dict(weights, strict=False)
        module.save_pretrained(where)
        tiny_hf.lmm_processor().save_pretrained(where)
    return where


def swapped(weights):
    weights.update({name: torch.randn(value.shape, generator=torch.Generator().manual_seed(1)) for name, value in weights.items()})


def damaged(weights):
    weights["encoder.layers.1.mlp.fc2.weight"] = weights["encoder.layers.1.mlp.fc2.weight"] * 1.01


@pytest.mark.parametrize(
    ("change", "vision", "verdict", "told"),
    [
        (lambda weights: None, {}, "pass", "the same weights"),
        (swapped, {}, "fail", "another eye: "),
        (damaged, {}, "fail", "another eye: encoder.layers.1.mlp.fc2.weight differs by up to "),
        (lambda weights: None, {"hidden_size": 32}, None, "another eye: "),
    ],
    ids=["its own", "swapped", "damaged", "of another width"],
)
def test_whose_eye_it_is(run, project, clip, tmp_path, change, vision, verdict, told):
    where = llava(tmp_path / "tiny", clip, change, **vision)
    only = ("--clip-suite=lmm", f"--clip-lmm={where}", "-o", "clip_unjudged=allow", "--clip-limit=8")
    status, rows, output = run(f"--clip-model=local-dir:{clip}", *only, "-k", "tower or (gain_over_clip and all)", "-rs")
    failed = {gate for gate, row in rows.items() if row["verdict"] == "fail"}
    assert (failed, status) == (({"tower_is_clip"}, 1) if verdict == "fail" else (set(), 0)), output
    if verdict is None:
        assert rows.get("tower_is_clip", {}).get("value") is None
    else:
        assert rows["tower_is_clip"]["verdict"] == verdict
    assert rows["gain_over_clip[all]"]["conventions"]["eye"].startswith(told)
    if verdict != "pass":
        assert told.rstrip() in output


def test_a_picture_is_looked_at_once_in_a_run(run, project, clip, tmp_path, monkeypatch):
    """Of ten sets of questions about the same pictures, in words and as another image's; each corruption is a picture more."""
    from pytest_clip.models.lmm.model import HfLmm

    made, begin = [], HfLmm.__init__
    monkeypatch.setattr(HfLmm, "__init__", lambda self, *args, **how: made.append(self) or begin(self, *args, **how))
    where = llava(tmp_path / "tiny", clip)
    only = ("--clip-suite=lmm", f"--clip-lmm={where}", "-o", "clip_unjudged=allow", "--clip-limit=8", f"--clip-model=local-dir:{clip}")
    _, rows, output = run(*only)
    assert {"accuracy[vanilla-all]", "accuracy[generated-2]", "accuracy[fog-3]", "shuffled[clean]", "blank[clean]"} <= set(rows), output
    tried, grey, corruptions = 1, 1, 6
    [model] = made
    assert model.passes.seen == tried + grey + 8 + corruptions * 8


def test_questions_of_a_table_and_of_pairs(run, project, tmp_path):
    """Two right, one wrong and one of three options; of two pairs one is wholly right."""
    table, mmvp = tmp_path / "own", tmp_path / "mmvp"
    for place in (table / "images", mmvp / "MMVP Images"):
        place.mkdir(parents=True)
        for k, colour in enumerate(COLOURS.values(), 1):
            Image.new("RGB", (32, 32), colour).save(place / f"{k}.jpg")
    (table / "questions.csv").write_text(
        "image,question,options,answer\n1.jpg,Which colour?,red|green,red\n2.jpg,Which colour?,blue|green,B\n"
        "3.jpg,Which colour?,red|blue,red\n4.jpg,Which colour?,yellow|red|blue,yellow\n"
    )
    (mmvp / "Questions.csv").write_text(
        "Index,Question,Options,Correct Answer\n1,Which?,(a) red (b) green,(a)\n2,Which?,(a) red (b) green,(b)\n"
        "3,Which?,(a) blue (b) black,(a)\n4,Which?,(a) yellow (b) black,(b)\n"
    )
    data = [f"--clip-data={each}" for each in (project / "data", table, mmvp)]
    _, rows, output = run("--clip-suite=lmm", "--clip-lmm=stub-sound", *data, "-o", "clip_unjudged=allow")
    found = {gate: (row["value"], row["n"]) for gate, row in rows.items() if gate.startswith("accuracy") and row["data"] != "data"}
    assert found == {"accuracy[questions]": (0.75, 4), "accuracy[mmvp]": (0.75, 4), "accuracy[pairs]": (0.5, 2)}, output
    told = rows["accuracy[questions]"]["conventions"]
    assert told["options_2"].startswith("3 questions in 2 orders, ")
    assert told["options_3"].startswith("1 questions in 3 orders, ")
    asked(project)


def test_a_name_that_the_hook_leaves_to_us_and_is_nothing(run):
    status, rows, output = run("--clip-suite=lmm", "--clip-lmm=plain", "-k", "tower")
    assert (status, rows["tower_is_clip"]["value"]) == (1, None), output
    assert "--clip-lmm: 'plain': there is no folder" in output


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-such-model", "there is no folder"),
        ("empty", "has no config.json; it takes an image-text-to-text model as save_pretrained writes it"),
    ],
)
def test_a_name_that_is_nothing_is_one_sentence(pytester, tmp_path, name, told):
    """Without hooks of a project's own."""
    (pytester.path / "empty").mkdir()
    done = pytester.runpytest_inprocess("-p", "clip", "--clip-model=scenes-vit", "--clip-suite=lmm", f"--clip-lmm={name}")
    assert done.ret == 4
    [line] = [line for line in done.stderr.lines if line.strip()]
    assert told in line
