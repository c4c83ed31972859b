"""Patch features of a ViT and a ModifiedResNet against a plain recomputation from their weights."""

import pytest
import tiny_models
import torch
from torch.nn import functional as F

from pytest_clip import ClipError
from pytest_clip.models import patches
from pytest_clip.models.openclip import load
from pytest_clip.models.spec import parse

FAMILIES = {"vit": tiny_models.VIT, "resnet": tiny_models.RESNET}


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    config = FAMILIES[request.param]
    folder = tiny_models.folder(tmp_path_factory.mktemp(request.param), config, tiny_models.state(config))
    return load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=folder / "cache")


def pictures(model, n=3):
    return torch.randn(n, 3, *model.image_size, generator=torch.Generator().manual_seed(0))


def vit_by_hand(w, x):
    """Every block in float64 from its weights; the last one without attention between tokens."""
    size = w["visual.conv1.weight"].shape[-1]
    x = F.conv2d(x, w["visual.conv1.weight"], stride=size).flatten(2).transpose(1, 2)
    width = x.shape[-1]
    x = torch.cat([w["visual.class_embedding"].expand(len(x), 1, width), x], 1) + w["visual.positional_embedding"]

    def norm(name, x):
        return F.layer_norm(x, (width,), w[f"{name}.weight"], w[f"{name}.bias"])

    x = norm("visual.ln_pre", x)
    layers = tiny_models.VIT["vision_cfg"]["layers"]
    heads = width // tiny_models.VIT["vision_cfg"].get("head_width", 64)
    for k in range(layers):
        b = f"visual.transformer.resblocks.{k}"
        q, key, v = F.linear(norm(f"{b}.ln_1", x), w[f"{b}.attn.in_proj_weight"], w[f"{b}.attn.in_proj_bias"]).chunk(3, -1)
        if k < layers - 1:
            q, key, v = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (q, key, v))
            v = (torch.softmax(q @ key.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v).transpose(1, 2).flatten(2)
        x = x + F.linear(v, w[f"{b}.attn.out_proj.weight"], w[f"{b}.attn.out_proj.bias"])
        hidden = F.gelu(F.linear(norm(f"{b}.ln_2", x), w[f"{b}.mlp.c_fc.weight"], w[f"{b}.mlp.c_fc.bias"]))
        x = x + F.linear(hidden, w[f"{b}.mlp.c_proj.weight"], w[f"{b}.mlp.c_proj.bias"])
    return (norm("visual.ln_post", x) @ w["visual.proj"])[:, 1:]


def resnet_by_hand(w, model, x):
    """The last stage from the tower's own intermediate answer; the pool's projections from their weights."""
    with torch.inference_mode():
        cells = model.module.visual.forward_intermediates(x.float(), indices=[4], intermediates_only=True)["image_intermediates"][0]
    cells = cells.double().clone()
    pool = "visual.attnpool"
    n, _, high, wide = cells.shape
    out = [
        [
            (w[f"{pool}.c_proj.weight"] @ (w[f"{pool}.v_proj.weight"] @ cells[i, :, y, z] + w[f"{pool}.v_proj.bias"]))
            + w[f"{pool}.c_proj.bias"]
            for y in range(high)
            for z in range(wide)
        ]
        for i in range(n)
    ]
    return torch.stack([torch.stack(rows) for rows in out])


def test_they_equal_a_plain_recomputation(model):
    x = pictures(model)
    w = {k: v.double() for k, v in model.module.state_dict().items()}
    expected = vit_by_hand(w, x.double()) if "visual.proj" in w else resnet_by_hand(w, model, x)
    found = patches.patch_features(model, x)
    assert found.dtype == torch.float32
    assert found.shape == (3, expected.shape[1], model.encode_image(x).shape[1])
    error = (found.double() - expected).abs().max()
    assert error < 1e-5
    assert error < 0.01 * expected.std(dim=1).mean()  # far less than places differ by


def test_a_picture_alone_and_in_a_batch_says_the_same_and_nothing_stays_on_the_model(model):
    x = pictures(model)
    whole = patches.patch_features(model, x)
    assert torch.allclose(patches.patch_features(model, x[1:2])[0], whole[1], atol=1e-5)
    assert not any(each._forward_pre_hooks for each in model.module.modules())


def test_a_model_without_is_told_what_to_write():
    class Bare:
        label, precision, device = "bare", "fp32", "cpu"

    class Own(Bare):
        def patch_features(self, images):
            return images.flatten(2).transpose(1, 2).double()

    with pytest.raises(
        ClipError, match=r"bare has no patch features: .* neither a ViT nor a ModifiedResNet of open_clip; give the model a"
    ):
        patches.patch_features(Bare(), torch.zeros(1, 3, 2, 2))
    assert patches.lacking(Own()) is None
    assert patches.patch_features(Own(), torch.ones(2, 3, 2, 2)).shape == (2, 4, 3)
