"""Thousands of odd checkpoints, configurations and names from a fixed seed: each is read, or refused in one sentence; none takes a minute
or two gigabytes. `PYTEST_CLIP_FUZZ=N` draws N of each kind."""

import copy
import json
import os
import random
import resource
import string
import time
import warnings
from contextlib import suppress

import pytest
import tiny_models
import torch
from safetensors.torch import save_file

from pytest_clip import ClipError
from pytest_clip.models import checkpoint, config
from pytest_clip.models.build import build_module, make_tokenizer
from pytest_clip.models.labels import labels
from pytest_clip.models.resolve import resolve
from pytest_clip.models.spec import parse

SMALL = {**tiny_models.VIT, "text_cfg": {**tiny_models.VIT["text_cfg"], "vocab_size": 64}}
MANY = int(os.environ.get("PYTEST_CLIP_FUZZ", "4000"))
SECONDS, BYTES = 60.0, 2 << 30
CASES = [pytest.param(150, id="some"), pytest.param(MANY, id="many", marks=pytest.mark.slow)]

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns of prototypes when odd tensors are made


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state(SMALL)


@pytest.fixture(scope="module")
def module():
    import open_clip

    return open_clip.CLIP(**copy.deepcopy(SMALL))


@pytest.fixture(autouse=True)
def within_memory():
    """What the cases add to the peak of the process, in which other tests may have run before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES


class Tally:
    """Counts what became of cases; anything but a ClipError fails with the case's number, and its message has to say something."""

    def __init__(self):
        self.read, self.refused, self.kinds = 0, 0, set()

    def case(self, k, do):
        began = time.monotonic()
        try:
            do()
            self.read += 1
        except ClipError as error:
            self.refused += 1
            self.kinds.add("".join(c for c in str(error)[-60:] if c.isalpha()))
        except Exception as error:
            raise AssertionError(f"case {k}: {type(error).__name__}: {error}") from error
        assert "" not in self.kinds, k
        assert time.monotonic() - began < SECONDS, k


# --- checkpoints


def odd_tensor(chance, value):
    how = chance.choice(["int", "bool", "complex", "half", "double", "sparse", "csr", "meta", "quantised", "nan", "inf", "empty", "scalar",
                         "longer", "expanded", "transposed", "float", "none", "text", "list", "dict", "parameter"])  # fmt: skip
    made = {
        "int": lambda: value.to(torch.int32),
        "bool": lambda: value > 0,
        "complex": lambda: value.to(torch.complex64),
        "half": lambda: value.half(),
        "double": lambda: value.double(),
        "sparse": lambda: value.to_sparse(),
        "csr": lambda: value.reshape(1, -1).to_sparse_csr(),
        "meta": lambda: value.to("meta"),
        "quantised": lambda: torch.quantize_per_tensor(value, 0.1, 0, torch.qint8),
        "nan": lambda: value * float("nan"),
        "inf": lambda: value + float("inf"),
        "empty": lambda: value[:0] if value.ndim else value.reshape(1)[:0],
        "scalar": lambda: value.sum(),
        "longer": lambda: torch.cat([value.reshape(-1)] * 2),
        "expanded": lambda: torch.zeros(1).expand(1 << chance.randrange(10, 33)),
        "transposed": lambda: value.T if value.ndim == 2 else value,
        "float": lambda: 4.6,
        "none": lambda: None,
        "text": lambda: "weights",
        "list": lambda: [value, 3],
        "dict": lambda: {"a": value},
        "parameter": lambda: torch.nn.Parameter(value),
    }
    with suppress(RuntimeError):
        return made[how]()
    return value


def odd_state(chance, weights):
    state = dict(weights)
    for _ in range(chance.choice([0, 0, 1, 1, 2, 5])):
        key = chance.choice(list(state) or ["visual.proj"])
        what = chance.randrange(7)
        if what < 3:
            state[key] = odd_tensor(chance, weights.get(key, torch.ones(3)))
        elif what == 3:
            state.pop(key, None)
        elif what == 4:
            new = chance.choice([0, 1.5, None, (1, 2), b"visual.proj", "", ".", "x" * 5000, "visual..proj", "\ud800", "модель",
                                 f"{key}.{key}", "n_averaged", "epoch", "image_encoder.model.patch_emb.0.block.conv.weight"])  # fmt: skip
            state[new] = state.pop(key, torch.ones(2))
        else:
            prefix = chance.choice(["module.", "model.", "_orig_mod.", "net.clip.", "a.b.c.", "_fsdp_wrapped_module."])
            some = chance.random() < 0.3
            state = {(f"{prefix}{k}" if isinstance(k, str) and not (some and chance.random() < 0.5) else k): v for k, v in state.items()}
    return state


def odd_content(chance, weights):
    content = odd_state(chance, weights)
    for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
        key = chance.choice(["state_dict", "model", "ema", "module", "state_dict_ema", "checkpoint", "student", 0, None, "optimizer"])
        content = {key: content}
        if chance.random() < 0.5:
            content |= {"epoch": chance.choice([3, "3", None, 10**400]), "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}}
        if chance.random() < 0.2:
            content |= {"state_dict": chance.choice([{}, [], None, 5, {"a": 1}, odd_state(chance, weights)])}
    return content if chance.random() < 0.97 else chance.choice([[content], None, 3, torch.ones(3), "text", {}, set(), (content,), b"\0"])


def written(chance, weights, path):
    content = odd_content(chance, weights)
    how = chance.randrange(10)
    if how < 3 and isinstance(content, dict):
        tensors = {str(k).encode("utf-8", "replace").decode(): v.contiguous().clone() for k, v in content.items() if plain(v)}
        with suppress(Exception):
            save_file(tensors, path)
            return
    torch.save(content, path, _use_new_zipfile_serialization=how != 3)


def plain(value):
    return (
        isinstance(value, torch.Tensor)
        and value.layout is torch.strided
        and not value.is_quantized
        and not value.is_meta
        and value.numel() < 1e6
    )


def damaged(chance, path):
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([0, 0, 0, 1, 1, 3])):
        what, at = chance.randrange(6), chance.randrange(max(1, min(len(content), chance.choice([64, 4096, len(content)]))))
        if what == 0:
            del content[at:]
        elif what == 1 and content:
            content[min(at, len(content) - 1)] ^= 1 << chance.randrange(8)
        elif what == 2:
            content[at:at] = chance.randbytes(chance.randrange(1, 40))
        elif what == 3:
            content[:8] = chance.choice([b"\xff" * 8, (1 << 40).to_bytes(8, "little"), b"\0" * 8, b"PK\x03\x04\0\0\0\0"])
        elif what == 4:
            content += chance.randbytes(chance.randrange(1, 400))
        elif what == 5:
            del content[at : at + chance.randrange(1, 200)]
    path.write_bytes(content)


@pytest.mark.parametrize("cases", CASES)
def test_checkpoints(tmp_path, module, weights, cases, capsys):
    tally = Tally()
    for k in range(cases):
        chance = random.Random(f"checkpoint {k}")
        path = tmp_path / f"odd{chance.choice(['.pt', '.pth', '.ckpt', '.bin', '.safetensors', ''])}"
        written(chance, weights, path)
        damaged(chance, path)
        tally.case(k, lambda path=path: checkpoint.fit(module, checkpoint.read(path)))
        path.unlink()
    assert tally.read > cases / 50
    assert len(tally.kinds) > 10
    told(capsys, "checkpoints", cases, tally)


def told(capsys, what, cases, tally):
    with capsys.disabled():
        if cases > 1000:
            print(f"\n{cases} {what}: {tally.read} read, {tally.refused} refused in {len(tally.kinds)} kinds of sentences")


# --- configurations

VALUES = [
    *(0, -1, 1, 2, 7, 16, 10**6, 10**30, 1.5, -0.5, 1e308, float("nan"), float("inf"), True, False, None, "", "tok", "hf-hub:a/b", "../x"),
    *("a/b", [], [1, 1], [2, 2, 2, 2], [1e9, 1], {}, {"eps": 1e-6}, {"trust_remote_code": True}, "x" * 10000, {"a": {"b": {"c": 1}}}),
]


def odd_config(chance):
    model, preprocess = copy.deepcopy(SMALL), dict(tiny_models.PREPROCESS)
    for _ in range(chance.choice([1, 1, 2, 4])):
        part, known = chance.choice([(model, config.MODEL), (preprocess, config.PREPROCESS)] + [
            (model[name], config.MODEL[name]) for name in ("vision_cfg", "text_cfg") if isinstance(model.get(name), dict)
        ] * 3)  # fmt: skip
        key = chance.choice([*known, *part, "nonsense", "trust_remote_code", "auto_map", "hf_config", "cast_dtype", "output_dict"])
        if chance.random() < 0.15:
            part.pop(key, None)
        else:
            part[key] = copy.deepcopy(chance.choice(VALUES))
    return {"model_cfg": model, "preprocess_cfg": preprocess}


@pytest.mark.parametrize("cases", CASES)
def test_configurations(tmp_path, weights, cases, capsys):
    tally = Tally()
    save_file(weights, tmp_path / "open_clip_model.safetensors")
    file = tmp_path / "open_clip_config.json"

    def build():
        recipe = resolve(parse(f"local-dir:{tmp_path}"), tmp_path)
        module, _ = build_module(recipe, copy.deepcopy(recipe.model_cfg), "fp32", fill=False)
        make_tokenizer(recipe)
        checkpoint.fit(module, checkpoint.read(recipe.weights))

    for k in range(cases):
        chance = random.Random(f"configuration {k}")
        text = json.dumps(odd_config(chance))
        if chance.random() < 0.1:
            at = chance.randrange(len(text))
            text = chance.choice([text[:at], text[:at] + "}" + text[at:], "[" * 100_000, "[]", "null", '{"model_cfg": 3}', "\ufeff" + text])
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tally.case(k, build)
    assert tally.read > cases / 50
    told(capsys, "configurations", cases, tally)


# --- names of models

WORDS = [
    *("ViT-B-32", "scenes-rn", "RN50", "openai", "random", "hf-hub:", "local-dir:", "timm:", "run:", ",", "/", "\\", ".", "..", "~", "-"),
    *(
        "~nobody",
        ".pt",
        ".safetensors",
        "\n",
        "\0",
        " ",
        "::",
        "é",
        "模型",
        "\ud800",
        "a" * 300,
        "ViT-B/32",
        "[",
        "]",
        "*",
        "%s",
        "{}",
        "$HOME",
    ),
]


@pytest.mark.parametrize("cases", CASES)
def test_names(tmp_path, cases, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tally = Tally()
    for k in range(2 * cases):
        chance = random.Random(f"name {k}")
        parts = [chance.choice(WORDS) if chance.random() < 0.8 else chance.choice(string.printable) for _ in range(chance.randrange(6))]
        text, pretrained = "".join(parts), chance.choice([None, None, None, "openai", "", ".", "a/b.pt", "\0"])

        def named(text=text, pretrained=pretrained):
            found = parse(text, pretrained=pretrained)
            assert found.label
            assert found.key
            assert labels([found, found])
            if found.kind in ("local-dir", "bundled") or (found.pretrained or "").startswith((".", "/", "~")):
                resolve(found, tmp_path)

        tally.case(k, named)
    told(capsys, "names", 2 * cases, tally)
