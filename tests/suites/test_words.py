"""Negation, paraphrase and words against classes on the bundled model, and copies of it that are broken in just that way."""

import json

import numpy as np
import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from pytest_clip.data import load
from pytest_clip.data.scenes.captions import caption
from pytest_clip.data.scenes.negations import TYPES, question
from pytest_clip.extract.extraction import Extraction
from pytest_clip.models import bundled, openclip, spec
from pytest_clip.train.recipe import CONTEXT
from pytest_clip.train.towers import encode_text

HOOK = """
    import hashlib
    from pathlib import Path

    import numpy as np
    import torch


    class Own:
        def __init__(self, model, name):
            self._model, self.label = model, name
            self.fingerprint = hashlib.sha256(name.encode() + Path(__file__).read_bytes()).hexdigest()[:16]

        def __getattr__(self, name):
            return getattr(self._model, name)

        def encode_text(self, texts):
            rows = self._model.encode_text(list(texts))
            one = self._model.encode_text(["a photo of a mug"])[0]
            for row, text in enumerate(texts):
                if self.label == "reworded" and " in front of " in text:
                    rows[row] = one
                if self.label == "denying" and any(no in text for no in (" no ", " not ", " without ", "no ")):
                    rows[row] = one
                if self.label == "words" and text.startswith(("the nice ", "This is a ")):  # words that mean nothing
                    noise = np.random.default_rng(sum(map(ord, text))).normal(size=len(one))
                    rows[row] = torch.from_numpy(noise / np.linalg.norm(noise))
            return rows

        def patch_features(self, images):
            from pytest_clip.models.patches import patch_features

            rows = patch_features(self._model, images)
            if self.label == "places":  # a mug or nothing at all, whatever the picture shows
                draws = [np.random.default_rng(int(each * 1e3)) for each in images.abs().sum((1, 2, 3))]
                shares = torch.tensor([float(g.random() < 0.5) for g in draws]).view(-1, 1, 1)
                noise = torch.tensor(np.stack([g.normal(size=rows.shape[1:]) for g in draws])).float()
                mug = self._model.encode_text(["a photo of a mug"])
                rows = shares * mug + (1 - shares) * torch.nn.functional.normalize(noise, dim=-1)
            return rows


    def pytest_clip_make_model(spec, config):
        from pytest_clip.models import bundled, openclip, spec as specs

        cache = Path(config.option.clip_cache_dir)
        folder = bundled.expand("scenes-rn", cache)
        return Own(openclip.load(specs.parse(f"local-dir:{folder}"), device="cpu", cache_dir=cache), spec.text)
"""
TIGHT = """
schema = 1
[gates."retrieval/paraphrase[object_replace]"]
min = 0.9
why = "x"
[gates."retrieval/compositionality[object_replace]"]
min = 0.9
why = "x"
[gates."retrieval/negated_recall_drop"]
max = 0.2
why = "x"
[gates."retrieval/image_retrieval_recall_at_5"]
min = 0.9
why = "x"
[gates."ood/auroc"]
min = 0.85
why = "x"
[gates."ood/auroc_neglabel"]
min = 0.72
why = "x"
[gates."ood/auroc_gl_mcm"]
min = 0.94
why = "x"
[gates."ood/auroc_gl_mcm[near]"]
min = 0.82
why = "x"
"""


OOD = ("near", "far", "textures")
FAILS = {
    "healthy": set(),
    "reworded": {"retrieval/paraphrase[object_replace]"},
    "denying": {"retrieval/negated_recall_drop[pairs]"},
    "words": {f"ood/auroc_neglabel[{name}]" for name in OOD},
    "places": {f"ood/auroc_gl_mcm[{name}]" for name in OOD},
}


def test_each_is_caught_by_the_gate_meant_for_it(measure, tmp_path):
    (tmp_path / "thresholds.toml").write_text(TIGHT)
    asked = "object_replace or negated or recall_at_5 or neglabel or gl_mcm or ood/auroc["
    models = [f"--clip-model={name}" for name in FAILS]
    _, _, output = measure(*models, "--clip-suite=retrieval,ood", "-k", asked, "-p", "no:cacheprovider", conftest=HOOK)
    rows = json.loads((tmp_path / "report.json").read_text())["gates"]
    found = {name: {row["gate"] for row in rows if row["model"] == name and row["verdict"] in ("fail", "warn")} for name in FAILS}
    assert found == FAILS, output
    of = {row["gate"]: row for row in rows if row["model"] == "healthy"}
    assert of["retrieval/paraphrase[object_replace]"]["n"] == 513
    assert "seed 0 of numpy" in of["ood/auroc_neglabel[near]"]["conventions"]["groups"]


def test_a_model_that_never_saw_a_negation_takes_what_is_denied_for_what_is_there(measure):
    _, rows, _ = measure("--clip-model=scenes-rn", "--clip-suite=retrieval", "-k", "negation", "-p", "no:cacheprovider")
    of = {kind: rows[f"retrieval/negation_accuracy[{kind}]"] for kind in ("positive", "negative", "hybrid", "all")}
    assert {row["verdict"] for row in of.values()} == {"unjudged"}
    assert of["negative"]["value"] < 0.05  # chance is 0.25: it reads over the 'no'
    assert of["negative"]["value"] < of["hybrid"]["value"] < of["positive"]["value"]
    wrong = [rows[f"retrieval/negation_wrong_{kind}[all]"]["value"] for kind in ("positive", "negative", "hybrid")]
    assert sum(wrong) + of["all"]["value"] == pytest.approx(1)
    assert of["all"]["n"] == sum(of[kind]["n"] for kind in ("positive", "negative", "hybrid"))


READS_NO = """
schema = 1
[gates."retrieval/negation_accuracy[negative]"]
min = 0.4
why = "a quarter is chance"
"""


def taught(folder, cache, *, steps=150, batch=40):
    """scenes-rn whose text tower learned from questions about `clean`, which shares no scene with `pairs`; its image tower stays."""
    data = load("scenes")
    model = openclip.load(spec.parse(f"local-dir:{bundled.expand('scenes-rn', cache)}"), device="cpu", cache_dir=cache)
    images = data.images("clean")
    known = torch.from_numpy(Extraction(cache=cache).embeddings(model, data, "clean").copy())
    net, words, g = model.module, SimpleTokenizer(context_length=CONTEXT), np.random.default_rng(0)
    for name, weight in net.named_parameters():
        weight.requires_grad_(not name.startswith("visual.") and "logit" not in name)
    optimizer = torch.optim.AdamW([weight for weight in net.parameters() if weight.requires_grad], weight_decay=0.0)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps, pct_start=0.1)
    for _ in range(steps):
        rows = g.integers(0, len(known), batch)
        asked = [question(images.scenes[row], g, "negative" if g.random() < 0.7 else TYPES[int(g.integers(3))]) for row in rows]
        plain = [caption(images.scenes[row], g) for row in rows]
        texts = encode_text(net, words([text for each in asked for text in each.captions] + plain))
        of_four = torch.einsum("nd,nkd->nk", known[rows], texts[: 4 * batch].view(batch, 4, -1))
        of_all, own = known[rows] @ texts[4 * batch :].T, torch.arange(batch)
        loss = cross_entropy(30 * of_four, torch.tensor([each.right for each in asked]))
        loss = loss + (cross_entropy(30 * of_all, own) + cross_entropy(30 * of_all.T, own)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
    folder.mkdir()
    source = bundled.expand("scenes-rn", cache)
    (folder / "open_clip_config.json").write_text((source / "open_clip_config.json").read_text())
    save_file(
        {name: weight.detach().contiguous().clone() for name, weight in net.state_dict().items()}, folder / "open_clip_model.safetensors"
    )


@pytest.mark.slow
def test_a_text_tower_can_learn_to_read_the_no(measure, tmp_path, cache):
    taught(tmp_path / "taught", cache)
    (tmp_path / "thresholds.toml").write_text(READS_NO)
    asked = ("--clip-suite=retrieval", "-k", "negation_accuracy", "-p", "no:cacheprovider")
    status, rows, output = measure("--clip-model=scenes-rn", *asked)
    assert (status, rows["retrieval/negation_accuracy[negative]"]["verdict"]) == (1, "fail"), output
    status, rows, output = measure(f"--clip-model=local-dir:{tmp_path / 'taught'}", *asked)
    assert (status, rows["retrieval/negation_accuracy[negative]"]["verdict"]) == (0, "pass"), output
    assert rows["retrieval/negation_accuracy[positive]"]["value"] > 0.7
