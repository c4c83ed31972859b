"""Patch features of every kind of image tower against a plain recomputation from its weights."""

from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest
import tiny_hf
import tiny_models
import torch
from torch.nn import functional as F

from pytest_clip import ClipError
from pytest_clip.models import patches, reader, spec
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
        ClipError, match=r"bare has no patch features: .* neither a ViT nor a ModifiedResNet of open_clip nor a trunk of timm .*; give the"
    ):
        patches.patch_features(Bare(), torch.zeros(1, 3, 2, 2))
    assert patches.lacking(Own()) is None
    assert patches.patch_features(Own(), torch.ones(2, 3, 2, 2)).shape == (2, 4, 3)


def timm(pool, name="test_vit", proj="linear", size=64):
    vision = {"image_size": size, "timm_model_name": name, "timm_pool": pool, "timm_proj": proj}
    return {**tiny_models.VIT, "custom_text": True, "vision_cfg": vision}


TRUNKS = {
    "token": timm("token"), "avg": timm("avg"), "registers": timm("avg", "test_vit2"), "convnext": timm("avg", "test_convnext"),
    "map": timm("map", "test_vit3", size=160), "siglip": {**timm("map", "test_vit3", "none", size=160), "embed_dim": 96},
    "resnet": timm("avg", "test_resnet"),
}  # fmt: skip
"""`siglip` as open_clip builds it: no projection behind the pool."""


@pytest.fixture(scope="module", params=TRUNKS)
def trunked(request, tmp_path_factory):
    config, noise = TRUNKS[request.param], torch.Generator().manual_seed(3)
    weights = tiny_models.state(config)  # norms and layer scales say something, too
    weights = {k: v + 0.2 * torch.randn(v.shape, generator=noise) if "norm" in k or "gamma" in k else v for k, v in weights.items()}
    folder = tiny_models.folder(tmp_path_factory.mktemp(request.param), config, weights)
    return request.param, load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=folder / "cache")


def entering(block, call):
    """What enters `block`, or leaves it, while `call` runs, in float64."""
    kept = []
    watches = [
        block.register_forward_pre_hook(lambda _, given: kept.append(given[0].detach().double())),
        block.register_forward_hook(lambda _, __, out: kept.append((out[0] if isinstance(out, tuple) else out).detach().double())),
    ]
    call()
    for watch in watches:
        watch.remove()
    return kept


def by_value(x, w, prefix, *, norms, value, out, mlp, eps, act=F.gelu, ls=("ls1.gamma", "ls2.gamma")):
    """A block without attention between tokens, as MaskCLIP and GL-MCM write it: x + out(value(norm x)), then x + mlp(norm x)."""

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], w[f"{prefix}{name}.weight"], w[f"{prefix}{name}.bias"], eps)

    def linear(names, x):
        return F.linear(x, *(w[f"{prefix}{names}.{part}"] for part in ("weight", "bias")))

    def scaled(k, x):
        return x * w.get(f"{prefix}{ls[k]}", torch.ones(1).double())

    x = x + scaled(0, linear(out, value(norm(norms[0], x))))
    return x + scaled(1, linear(mlp[1], act(linear(mlp[0], norm(norms[1], x)))))


def trunk_by_hand(kind, model, x):
    w = {k.removeprefix("visual."): v.double() for k, v in model.module.state_dict().items() if k.startswith("visual.")}
    trunk = model.module.visual.trunk

    def norm(name, x, eps=1e-6):
        return F.layer_norm(x, x.shape[-1:], w[f"trunk.{name}.weight"], w[f"trunk.{name}.bias"], eps) if f"trunk.{name}.weight" in w else x

    def projected(x):
        return F.linear(x, w["head.proj.weight"], w.get("head.proj.bias")) if "head.proj.weight" in w else x

    if kind in ("convnext", "resnet"):
        last = trunk.stages if kind == "convnext" else trunk.layer4
        cells = entering(last, lambda: model.encode_image(x))[1].flatten(2).transpose(1, 2)
        return projected(norm("head.norm", cells) if kind == "convnext" else cells)
    width, last = trunk.embed_dim, len(trunk.blocks) - 1

    def value(x):
        return F.linear(x, w[f"trunk.blocks.{last}.attn.qkv.weight"][2 * width :], w[f"trunk.blocks.{last}.attn.qkv.bias"][2 * width :])

    before, after = entering(trunk.blocks[-1], lambda: model.encode_image(x))
    if kind in ("map", "siglip"):  # the last attention is the pool's
        each = norm("norm", after)[:, trunk.num_prefix_tokens :]
        kv = F.linear(each, w["trunk.attn_pool.kv.weight"], w["trunk.attn_pool.kv.bias"])
        pooled = F.linear(kv[..., width:], w["trunk.attn_pool.proj.weight"], w["trunk.attn_pool.proj.bias"])
        hidden = F.gelu(F.linear(norm("attn_pool.norm", pooled), w["trunk.attn_pool.mlp.fc1.weight"], w["trunk.attn_pool.mlp.fc1.bias"]))
        pooled = pooled + F.linear(hidden, w["trunk.attn_pool.mlp.fc2.weight"], w["trunk.attn_pool.mlp.fc2.bias"])
        return projected(norm("fc_norm", pooled))
    parts = {"norms": ("norm1", "norm2"), "value": value, "out": "attn.proj", "mlp": ("mlp.fc1", "mlp.fc2")}
    each = by_value(before, w, f"trunk.blocks.{last}.", **parts, eps=1e-6)
    return projected(norm("fc_norm", norm("norm", each)))[:, trunk.num_prefix_tokens :]


def test_trunks_of_timm_equal_a_plain_recomputation(trunked):
    kind, model = trunked
    x = pictures(model)
    expected, found = trunk_by_hand(kind, model, x), patches.patch_features(model, x)
    assert found.shape == (3, expected.shape[1], model.encode_image(x).shape[1])
    assert found.shape[1] == {"convnext": 4, "resnet": 4, "map": 100, "siglip": 100}.get(kind, 16)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert found.std(dim=1).mean() > 1e-2 * found.abs().mean()  # places differ
    if kind == "resnet":  # nothing behind its mean but a projection
        mean = F.normalize(found.mean(1), dim=-1)
        torch.testing.assert_close(mean, model.encode_image(x), rtol=1e-4, atol=1e-5)
    assert not any(each._forward_hooks for each in model.module.modules())


@pytest.fixture(scope="module", params=tiny_hf.KINDS)
def of_transformers(request, tmp_path_factory):
    folder = tiny_hf.folder(tmp_path_factory.mktemp(request.param), request.param)
    return request.param, reader.load(spec.parse(f"hf:{folder}"), device="cpu", cache_dir=Path())


def hf_by_hand(kind, model, x):
    w = {k.removeprefix("vision_model."): v.double() for k, v in model.module.state_dict().items()}
    tower = model.module.vision_model
    if kind == "align":
        return entering(tower.encoder.blocks[-1], lambda: model.encode_image(x))[1].flatten(2).transpose(1, 2)
    last = len(tower.encoder.layers) - 1
    before, after = entering(tower.encoder.layers[-1], lambda: model.encode_image(x))
    eps = model.module.config.vision_config.layer_norm_eps

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], eps)

    act = tower.encoder.layers[-1].mlp.activation_fn
    if kind.startswith("siglip"):
        each = norm("post_layernorm", after)[:, :16]
        width = each.shape[-1]
        v = F.linear(each, w["head.attention.in_proj_weight"][2 * width :], w["head.attention.in_proj_bias"][2 * width :])
        v = F.linear(v, w["head.attention.out_proj.weight"], w["head.attention.out_proj.bias"])
        hidden = act(F.linear(norm("head.layernorm", v), w["head.mlp.fc1.weight"], w["head.mlp.fc1.bias"]))
        return v + F.linear(hidden, w["head.mlp.fc2.weight"], w["head.mlp.fc2.bias"])

    def value(x):
        of = f"encoder.layers.{last}.self_attn.v_proj"
        return F.linear(x, w[f"{of}.weight"], w[f"{of}.bias"])

    parts = {"norms": ("layer_norm1", "layer_norm2"), "out": "self_attn.out_proj", "mlp": ("mlp.fc1", "mlp.fc2")}
    each = by_value(before[:, 1:], w, f"encoder.layers.{last}.", **parts, value=value, eps=eps, act=act)
    return F.linear(norm("post_layernorm", each), w["visual_projection.weight"])


def test_models_of_transformers_equal_a_plain_recomputation(of_transformers):
    kind, model = of_transformers
    x = pictures(model)
    expected, found = hf_by_hand(kind, model, x), patches.patch_features(model, x)
    assert found.shape == (3, expected.shape[1], model.encode_image(x).shape[1])
    assert kind == "align" or found.shape[1] == 16
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert found.std(dim=1).mean() > 1e-2 * found.abs().mean()
    assert not any(each._forward_hooks for each in model.module.modules())
    if kind == "align":
        torch.testing.assert_close(F.normalize(found.mean(1), dim=-1), model.encode_image(x), rtol=1e-4, atol=1e-5)


def test_another_thread_embeds_as_ever_meanwhile(tmp_path):
    model = reader.load(spec.parse(f"hf:{tiny_hf.folder(tmp_path, 'clip')}"), device="cpu", cache_dir=Path())
    x, found = pictures(model), []
    before = model.encode_image(x)
    with patches.alone(model.module.vision_model.encoder.layers[-1], attention_mask=None):
        other = Thread(target=lambda: found.append(model.encode_image(x)))
        other.start()
        other.join()
        here = model.encode_image(x)
    assert torch.equal(found[0], before)
    assert not torch.equal(here, before)


def trunk(**parts):
    tower = SimpleNamespace(trunk=SimpleNamespace(forward_features=abs, forward_head=abs, **parts), head=SimpleNamespace())
    return SimpleNamespace(module=SimpleNamespace(visual=tower), label="it", precision="fp32", device="cpu")


def test_towers_whose_places_cannot_be_asked_alone_are_told(tmp_path):
    """A pool that adds positions, a last attention with biases of one size, a trunk that is not there."""
    attention = SimpleNamespace(rel_pos=torch.nn.Identity())
    blocks = [SimpleNamespace(attn=attention)]
    assert patches.lacking(trunk()) is None
    assert patches.lacking(trunk(num_prefix_tokens=1, blocks=[SimpleNamespace(attn=None)])) is None
    assert patches.lacking(trunk(num_prefix_tokens=1, blocks=blocks, attn_pool=torch.nn.Identity())) is None
    assert "it has no patch features" in str(patches.lacking(trunk(num_prefix_tokens=1, blocks=blocks)))
    config = timm("avg", "test_vit_relpos", size=160)
    real = load(parse(f"local-dir:{tiny_models.folder(tmp_path, config)}"), device="cpu", cache_dir=tmp_path / "cache")
    assert "neither a ViT nor a ModifiedResNet" in str(patches.lacking(real))
    pooled = trunk()
    pooled.module.visual.head.pool = torch.nn.Identity()
    assert "it has no patch features" in str(patches.lacking(pooled))
    odd = trunk()
    odd.module.visual.trunk.forward_features = lambda x: x.flatten(1)
    with pytest.raises(ClipError, match=r"of timm ends in \[2, 48\], and no places are known in that"):
        patches.patch_features(odd, torch.zeros(2, 3, 4, 4))


def test_a_map_with_its_channels_last_is_read_row_by_row():
    last = trunk(output_fmt="NHWC")
    seen = []
    it = last.module.visual
    it.trunk.forward_features = lambda x: x.permute(0, 2, 3, 1)
    it.trunk.forward_head = lambda x: seen.append(x.shape) or x.mean((1, 2))
    it.head = torch.nn.Identity()
    x = torch.arange(2 * 5 * 2 * 3).float().view(2, 5, 2, 3)
    found = patches.patch_features(last, x)
    assert seen == [(12, 1, 1, 5)]
    assert torch.equal(found, x.flatten(2).transpose(1, 2))
