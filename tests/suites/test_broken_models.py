"""Models that do not answer as a model must: said once each, what needs no answer is measured, and the healthy one is judged."""

import json
import subprocess
import sys
from pathlib import Path

import projects
import pytest
import tiny_models

CONFTEST = """
from pathlib import Path



class Own:
    def __init__(self, model, name):
        self._model, self.label, self.fingerprint = model, name, f"{sum(map(ord, name)):016x}"

    def __getattr__(self, name):
        return getattr(self._model, name)

    def encode_text(self, texts):
        return self._model.encode_text(texts)[:, : 8 if self.label == "narrow" else None]

    def encode_image(self, images):
        rows = self._model.encode_image(images)
        how = {"half": rows.half(), "infinite": rows / 0, "long": rows * 3, "fewer": rows[1:], "list": rows.tolist()}
        return how.get(self.label, rows)


class Bare:
    "Nothing but what the protocol names."

    label, fingerprint, facts, device, precision = "bare", "b" * 16, {}, "cpu", "fp32"

    def __init__(self, model):
        self.logit_scale, self.logit_bias, self.image_size = model.logit_scale, model.logit_bias, model.image_size
        self.preprocess, self.encode_image, self.encode_text = model.preprocess, model.encode_image, model.encode_text


def pytest_clip_make_model(spec, config):
    from pytest_clip.models import openclip, spec as specs

    if spec.text == "raises":
        raise RuntimeError("no such bucket")
    if not spec.text.startswith("local-dir:"):
        model = openclip.load(specs.parse("local-dir:tiny"), device="cpu", cache_dir=Path(config.option.clip_cache_dir))
        return Bare(model) if spec.text == "bare" else Own(model, spec.text)
"""
RULES = """
schema = 1
[gates."accuracy/top1"]
min = 0.0
why = "a rule of the user's own"
"""
SUITES = "--clip-suite=accuracy,checkpoint"
OWN = ("half", "infinite", "long", "fewer", "list", "narrow")
FOLDERS = {"nan": ("visual.proj", "nan"), "scale": ("logit_scale", "inf")}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    projects.Project(root)
    (root / "conftest.py").write_text(CONFTEST)
    (root / "test_own.py").unlink()
    (root / "thresholds.toml").write_text(RULES)
    for name, (key, value) in FOLDERS.items():
        weights = tiny_models.state()
        weights[key].view(-1)[:1] = float(value)
        tiny_models.folder(root / name, weights=weights)
    return root


def run(root: Path, *models: str, data: str = "photos", suites: str = SUITES) -> tuple[int, list[dict], str]:
    chosen = [f"--clip-model={name}" for name in models]
    (root / "report.json").unlink(missing_ok=True)
    where = [f"--clip-cache-dir={root / 'cache'}", f"--clip-report=json:{root / 'report.json'}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen, f"--clip-data={data}", suites, *where],
        cwd=root, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, json.loads((root / "report.json").read_text())["gates"], done.stdout + done.stderr


SAID = {
    "half": "encode_image of the model half returned float16; it returns float32 [n, d] on the CPU, rows of length 1: add .float()",
    "infinite": "encode_image of the model infinite returned ",
    "long": "encode_image of the model long returned a row of length 3 (",
    "fewer": "encode_image of the model fewer returned [",
    "list": "encode_image of the model list returned a list",
    "narrow": "returned rows of ",
    "nan": "encode_image of the model nan returned ",
    "scale": "the logit_scale of scale is inf, not a finite number above 0",
}


def test_each_is_said_once_and_the_healthy_one_is_judged(project):
    folders = [f"local-dir:{name}" for name in (*FOLDERS, "tiny")]
    status, rows, printed = run(project, *OWN, *folders)
    assert status == 1
    assert "Traceback" not in printed
    assert "INTERNALERROR" not in printed
    by_model: dict[str, list[dict]] = {}
    for row in rows:
        by_model.setdefault(row["model"], []).append(row)
    assert set(by_model) == {*OWN, *FOLDERS, "tiny"}
    assert len({len(found) for found in by_model.values()}) == 1, "no model takes the gates of another with it"
    assert not [row["message"] for row in by_model["tiny"] if "as a model must" in row["message"]]
    assert {row["verdict"] for row in by_model["tiny"] if row["gate"] == "accuracy/top1[clean]"} == {"pass"}
    for name in (*OWN, *FOLDERS):
        told = [row["message"] for row in by_model[name] if SAID[name] in row["message"]]
        assert len(told) == 1, (name, told, [row["message"] for row in by_model[name] if row["verdict"] == "fail"])
        later = [row for row in by_model[name] if "does not answer as a model must, as " in row["message"]]
        assert len(later) > 3, name
        assert {(row["value"], row["n"], row["verdict"] == "fail") for row in later} == {(None, None, False)}
        measured = {row["gate"] for row in by_model[name] if row["value"] is not None}
        assert "checkpoint/preprocess" in measured
        if name in FOLDERS:
            assert {"checkpoint/finite_weights", "checkpoint/tokenizer"} <= measured


def test_what_a_hook_raises_is_shown_once(project):
    status, _, printed = run(project, "raises")
    assert status == 1
    assert printed.count("RuntimeError: no such bucket") <= 2  # where it was raised, and in the summary
    assert "the model raises cannot be loaded, so none of its gates can be measured" in printed


def test_a_gate_with_nothing_to_try_has_no_number(project):
    """0.0000 at n = 380 was what a model passed with that has no other activation and 40 images."""
    (project / "one").mkdir()
    (project / "one" / "00.jpg").write_bytes((project / "photos" / "mug" / "00.jpg").read_bytes())
    (project / "one" / "manifest.csv").write_text("path,label\n00.jpg,mug\n")
    (project / "one" / "classnames.txt").write_text("mug\nkey\n")
    _, rows, printed = run(project, "bare", "local-dir:tiny", suites="--clip-suite=checkpoint")
    told = {(row["model"], row["gate"]): row for row in rows}
    for gate, names in (
        ("checkpoint/activation", ("`activation` (gelu or quickgelu)", "with_activation(quick)")),
        ("checkpoint/normalization", ("`preprocess_config` with mean and std", "with_normalization(mean, std)")),
    ):
        bare, whole = told["bare", gate], told["tiny", gate]
        assert (bare["value"], bare["n"], bare["ci"]) == (None, None, None), bare
        assert bare["verdict"] not in ("pass", "fail")
        assert all(name in bare["message"] for name in names)
        assert whole["n"] == projects.IMAGES
    assert "Traceback" not in printed
    _, rows, _ = run(project, "local-dir:tiny", data="one", suites="--clip-suite=checkpoint,metamorphic")
    told = {row["gate"]: row for row in rows}
    alone = ("checkpoint/batch_invariance", "checkpoint/order_invariance", "checkpoint/image_spread", "metamorphic/invariance[batch]")
    for gate in alone:
        assert (told[gate]["value"], told[gate]["n"]) == (None, None), told[gate]
        assert "it takes two" in told[gate]["message"], told[gate]
