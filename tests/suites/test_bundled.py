"""The product as a user runs it: the bundled models on the embedded benchmark, and models that are broken in exactly one way.

Pictures are rendered once for the whole file (about a minute on two cores), or come from PYTEST_CLIP_CACHE.
"""

import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from pytest_clip.models import bundled


def failed(rows):
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "waived", "unjudged", "not_measured")}


@pytest.fixture
def altered(tmp_path, cache):
    """A local-dir copy of scenes-rn after a function has changed its config and weights in place."""

    def make(change):
        folder = tmp_path / "altered"
        folder.mkdir(exist_ok=True)
        source = bundled.expand("scenes-rn", cache)
        weights = {k: v.float() for k, v in load_file(source / "open_clip_model.safetensors").items()}
        config = json.loads((source / "open_clip_config.json").read_text())
        change(config, weights)
        save_file(weights, folder / "open_clip_model.safetensors")
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        return f"--clip-model=local-dir:{folder}"

    return make


def curvature(activation, at, step=0.02):
    """Second derivative by central differences, in float64."""
    x = torch.tensor([at - step, at, at + step], dtype=torch.float64)
    low, middle, high = activation(x).tolist()
    return (low - 2 * middle + high) / step**2


def depend_on_gelu(weights, *, block="transformer.resblocks.1", features=12, step=0.02, strength=3e5):
    """Make the answers hang on the activation, as those of a deep CLIP do: to these two text blocks GELU and QuickGELU are nearly the same.

    For each of a few features u, five hidden units compute a [g(su) + g(-su)] + b [g(1 + su) + g(1 - su) - 2 g(1)], s = 0.02, which
    is (a g''(0) + b g''(1)) s^2 u^2 to fourth order. a and b are chosen so that this is 0 for GELU, and so it is not for QuickGELU.
    """
    fc, bias, out = (weights[f"{block}.mlp.{name}"] for name in ("c_fc.weight", "c_fc.bias", "c_proj.weight"))
    ratio = -curvature(torch.nn.functional.gelu, 0.0) / curvature(torch.nn.functional.gelu, 1.0)
    rng = torch.Generator().manual_seed(0)
    spare = out.norm(dim=0).argsort()[: 5 * features].view(features, 5)  # the units that say least
    for feature, units in enumerate(spare):
        direction = torch.randn(out.shape[0], generator=rng)
        direction *= strength / direction.norm()
        for unit, (sign, offset, weight) in zip(
            units, ((1, 0, 1), (-1, 0, 1), (1, 1, ratio), (-1, 1, ratio), (0, 1, -2 * ratio)), strict=True
        ):
            fc[unit] = 0.0
            fc[unit, feature * 7] = sign * step
            bias[unit] = float(offset)
            out[:, unit] = direction * weight


@pytest.mark.slow  # .ci/run does the same with the built wheel in an empty project
def test_the_bundled_model_passes_every_gate(measure):
    status, rows, output = measure("--clip-model=scenes-rn")
    assert failed(rows) == set()
    assert status == 0, output
    # at chance, or not monotone: docs/gates.md
    unjudged = {gate for gate, row in rows.items() if row["verdict"] in ("unjudged", "not_measured")}
    assert unjudged - {gate for gate in rows if gate.startswith("corruptions/largest_rise")} == {
        "retrieval/compositionality[companion_replace]", "retrieval/compositionality[relation_replace]",
        "retrieval/paraphrase[mirrored]", "retrieval/paraphrase[relation_replace]", "retrieval/negated_recall_drop[pairs]",
        *(f"retrieval/negation_accuracy[{kind}]" for kind in ("positive", "negative", "hybrid", "all")),
        *(f"retrieval/negation_wrong_{kind}[all]" for kind in ("positive", "negative", "hybrid")),
    }  # fmt: skip
    assert len(unjudged) < 18 < 350 < len(rows)


def test_narrow_fine_tuning_passes_its_slice_and_fails_where_robustness_went(measure):
    """The regression that this product exists to catch."""
    status, rows, _ = measure("--clip-model=scenes-rn-ft", "--clip-suite=accuracy,factors")
    assert status == 1
    assert rows["accuracy/top1[typical]"]["verdict"] == "pass"
    down = failed(rows)
    assert any(gate.startswith("accuracy/top1[shift_") for gate in down)
    assert any(gate.startswith("factors/") for gate in down)


def test_a_random_model_fails_nearly_everything(measure):
    status, rows, _ = measure("--clip-model=scenes-rn,random", "--clip-suite=accuracy,factors,ood")
    assert status == 1
    quality = {gate for gate in rows if gate.split("/")[0] in ("accuracy", "ood") or gate.startswith("factors/accuracy")}
    assert len(failed(rows) & quality) >= 0.9 * len(quality)


def test_a_wrong_mean_and_std_fails_the_gate_meant_for_it(measure, altered):
    def unnormalised(config, weights):
        config["preprocess_cfg"] |= {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}

    status, rows, _ = measure(altered(unnormalised), "--clip-suite=checkpoint")
    assert status == 1
    assert failed(rows) == {"checkpoint/normalization"}


def test_a_swapped_activation_fails_the_gate_meant_for_it(measure, altered):
    def trained_with_gelu(config, weights):
        depend_on_gelu(weights)

    def run_with_quickgelu(config, weights):
        depend_on_gelu(weights)
        config["model_cfg"]["quick_gelu"] = True

    _, rows, output = measure(altered(trained_with_gelu), "--clip-suite=checkpoint")
    assert failed(rows) == set(), output
    status, rows, _ = measure(altered(run_with_quickgelu), "--clip-suite=checkpoint")
    assert status == 1
    assert failed(rows) == {"checkpoint/activation"}


def one_nan(config, weights):
    """In the row of a token that no prompt uses: no answer changes, yet the file is damaged."""
    weights["token_embedding.weight"][5, 0] = float("nan")


def hot_scale(config, weights):
    weights["logit_scale"].fill_(math.log(1000.0))


def one_prompt(config, weights):
    """A text tower that says the same about everything."""
    weights["ln_final.weight"].mul_(1e-4)


@pytest.mark.parametrize(
    ("damage", "caught_by"),
    [
        (one_nan, {"checkpoint/finite_weights"}),
        (hot_scale, {"checkpoint/logit_scale"}),
        (one_prompt, {"checkpoint/text_spread"}),
    ],
)
def test_damage_fails_the_gate_meant_for_it(measure, altered, damage, caught_by):
    status, rows, output = measure(altered(damage), "--clip-suite=checkpoint")
    assert status == 1
    assert caught_by <= failed(rows), output
    assert len(failed(rows)) <= 3
