"""`pytest --clip-model=hf:DIR` from the command line to the record: the numbers are those that transformers gives by itself."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tiny_hf
import torch
from PIL import Image

CLASSES = ("mug", "key", "dog", "hat")
PROMPT = "a photo of a {c}."


@pytest.fixture
def photos(tmp_path):
    """32 pictures of several shapes in four folders, in the order in which they are read."""
    made = []
    for k in range(32):
        path = tmp_path / "photos" / CLASSES[k % 4] / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(k).integers(0, 255, (4, 5, 3), np.uint8)
        Image.fromarray(small).resize((30 + k, 36), Image.Resampling.BICUBIC).save(path)
        made.append(path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nclip_unjudged = allow\n")
    (tmp_path / "one.txt").write_text(f"{PROMPT}\n")
    return sorted(made)


def adapted(base, where):
    """An adapter of PEFT over the CLIP in `base`, written; PEFT's own model, not merged."""
    import peft
    import transformers

    with tiny_hf.silent(), torch.random.fork_rng():
        torch.manual_seed(5)
        module = transformers.CLIPModel.from_pretrained(base)
        wrapped = peft.get_peft_model(module, peft.LoraConfig(target_modules=["q_proj"], init_lora_weights=False)).eval()
        wrapped.save_pretrained(where)
    return wrapped.base_model


def theirs(module, base, photos, kind):
    """logits_per_image of transformers [32, 4], classes in the order of their names."""
    import transformers

    with tiny_hf.silent(), torch.inference_mode():
        images = transformers.AutoImageProcessor.from_pretrained(base)(images=[Image.open(each) for each in photos], return_tensors="pt")
        how = {"padding": "max_length", "max_length": tiny_hf.LENGTH} if kind == "siglip" else {"padding": True}
        tokens = transformers.AutoTokenizer.from_pretrained(base)(
            [PROMPT.format(c=each) for each in sorted(CLASSES)], return_tensors="pt", **how
        )
        return module(**images, **tokens).logits_per_image.numpy()


OWN = """
    from pathlib import Path

    import numpy as np

    def test_logits_are_those_of_transformers(zero_shot, clip_model):
        answers, saved = zero_shot("clean"), np.load("theirs.npz")
        order = [list(saved["names"]).index(Path(each).name) for each in answers.ids]
        wanted = saved[clip_model.label][order] - (clip_model.logit_bias or 0)  # the same for all classes, so no ranking has it
        assert np.allclose(answers.logits, wanted, atol=1e-4), abs(answers.logits - wanted).max()
"""


def test_the_numbers_of_a_run_are_those_of_transformers(tmp_path, measure, photos):
    """Of a sigmoid model, and of a softmax model under an adapter, side by side."""
    import transformers

    sigmoid, base = tiny_hf.folder(tmp_path / "siglip", "siglip"), tiny_hf.folder(tmp_path / "base", "clip")
    with tiny_hf.silent():
        modules = {"siglip": transformers.AutoModel.from_pretrained(sigmoid).eval(), "adapter": adapted(base, tmp_path / "adapter")}
    logits = {"siglip": theirs(modules["siglip"], sigmoid, photos, "siglip"), "adapter": theirs(modules["adapter"], base, photos, "clip")}
    np.savez(tmp_path / "theirs.npz", names=[each.name for each in photos], **logits)
    (tmp_path / "test_own.py").write_text(textwrap.dedent(OWN))
    models = ("--clip-model=hf:siglip", f"--clip-model=hf:{tmp_path / 'adapter'}")
    suites = ("--clip-suite=checkpoint,accuracy", "test_own.py")
    _, _, output = measure(*models, "--clip-data=photos", "--clip-prompts=one.txt", *suites)
    rows = {(row["model"], row["gate"]): row for row in json.loads((tmp_path / "report.json").read_text())["gates"]}
    labels = np.array([sorted(CLASSES).index(each.parent.name) for each in photos])
    sound = ("finite_weights", "embedding_norm", "repeatability", "batch_invariance", "order_invariance", "preprocess", "tokenizer")
    for model, wanted in logits.items():
        assert rows[model, "accuracy/top1[clean]"]["value"] == pytest.approx((wanted.argmax(1) == labels).mean())
        assert [rows[model, f"checkpoint/{name}"]["verdict"] for name in sound] == ["pass"] * len(sound)
    assert "Traceback" not in output
    assert "test_logits" not in output, output


def run(tmp_path, *options, conftest=""):
    (tmp_path / "conftest.py").write_text(textwrap.dedent(conftest))
    code = f"""import sys, pytest
print("status", int(pytest.main({["-p", "no:cacheprovider", *options]!r})), end=" ")
print("heavy", sorted({{"torch", "transformers", "peft", "open_clip"}} & set(sys.modules)))"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}
    )
    return done.stdout + done.stderr


def test_a_list_and_a_wrong_name_import_nothing_heavy(tmp_path, photos):
    tiny_hf.folder(tmp_path / "ours", processor=False, tokenizer=False)
    said = run(tmp_path, "--clip-model=hf:ours", "--clip-data=photos", "--clip-list", "--clip-suite=checkpoint")
    assert "status 0 heavy []" in said, said
    said = run(tmp_path, "--clip-model=hf:gone", "--clip-data=photos")
    assert "status 4 heavy []" in said, said
    assert "hf:gone: there is no folder" in said
    assert "Traceback" not in said


def test_the_hook_of_the_project_is_asked_before_a_name_is_refused(tmp_path, photos):
    hook = """
    def pytest_clip_make_model(spec, config):
        raise RuntimeError(f"asked for {spec.text}")
    """
    said = run(tmp_path, "--clip-model=hf:mine", "--clip-data=photos", "--clip-suite=checkpoint", "-x", conftest=hook)
    assert "asked for hf:mine" in said
    assert "there is no folder" not in said
