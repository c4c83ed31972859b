"""Dense features of every family of image towers, tiny and randomly initialised, against what hooks on their own layers see."""

import copy

import pytest
import tiny_models
import torch

from pytest_clip import ClipError
from pytest_clip.models import dense
from pytest_clip.models.openclip import load
from pytest_clip.models.spec import parse

VIT, RESNET = tiny_models.VIT, tiny_models.RESNET


def timm(name, size, **options):
    return {
        **copy.deepcopy(VIT),
        "custom_text": True,
        "vision_cfg": {"image_size": size, "timm_model_name": name, "timm_pool": options.pop("pool", ""), "timm_proj": "linear", **options},
    }


FAMILIES = {
    "vit": VIT,
    "resnet": RESNET,
    "timm-vit": timm("test_vit", 64, pool="token"),
    "timm-convnext": timm("test_convnext", 64, pool="avg"),
    "timm-resnet": timm("test_resnet", 64, pool="avg"),
}
GRIDS = {
    "vit": [(32, 2, 2)] * 2,
    "resnet": [(8, 16, 16), (32, 16, 16), (64, 8, 8), (128, 4, 4), (256, 2, 2)],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    made = {}

    def get(family):
        if family not in made:
            folder = tiny_models.folder(tmp_path_factory.mktemp(family), FAMILIES[family], tiny_models.state(FAMILIES[family]))
            made[family] = load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=folder / "cache")
        return made[family]

    return get


def pictures(model, n=3):
    return torch.randn(n, 3, *model.image_size, generator=torch.Generator().manual_seed(0))


def leaving(layers, call):
    """What each of `layers` hands on while `call` runs."""
    seen = [None] * len(layers)

    def keep(at):
        def hook(module, inputs, output):
            seen[at] = output.detach().clone()

        return hook

    handles = [layer.register_forward_hook(keep(at)) for at, layer in enumerate(layers)]
    try:
        call()
    finally:
        for handle in handles:
            handle.remove()
    return seen


def as_map(tokens, side):
    """[n, 1 + side^2, d] with the class token first -> [n, d, side, side], row by row."""
    return tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, side, side)


def stages(family, visual):
    if family == "vit":
        return list(visual.transformer.resblocks), lambda x: as_map(x, 2)
    if family == "resnet":
        return [visual.layer1, visual.layer2, visual.layer3, visual.layer4], None
    trunk = visual.trunk
    if family == "timm-vit":
        return list(trunk.blocks), lambda x: as_map(x, int((x.shape[1] - 1) ** 0.5))
    if family == "timm-convnext":
        return list(trunk.stages), None
    return [trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4], None


@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_is_what_leaves_it(model, family):
    it = model(family)
    x = pictures(it)
    layers, arranged = stages(family, it.module.visual)
    hooked = leaving(layers, lambda: it.encode_image(x))
    for back, want in enumerate(reversed(hooked), start=1):
        got = dense.dense_features(it, x, layer=-back)
        assert got.dtype == torch.float32
        assert not got.is_inference()
        torch.testing.assert_close(got, arranged(want) if arranged else want)
    torch.testing.assert_close(dense.dense_features(it, x), dense.dense_features(it, x, layer=-1))


@pytest.mark.parametrize("family", GRIDS)
def test_layers_count_from_the_first(model, family):
    it = model(family)
    x = pictures(it, 2)
    for layer, shape in enumerate(GRIDS[family]):
        got = dense.dense_features(it, x, layer=layer)
        assert tuple(got.shape) == (2, *shape)
        torch.testing.assert_close(got, dense.dense_features(it, x, layer=layer - len(GRIDS[family])))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_map_lies_as_the_picture_does(model, family):
    """A change in the upper right corner of the picture moves the upper right of the first map most."""
    it = model(family)
    x = pictures(it, 1)
    y = x.clone()
    half = x.shape[-1] // 2
    y[..., :half, half:] += 3
    moved = (dense.dense_features(it, y, layer=0) - dense.dense_features(it, x, layer=0)).norm(dim=1)[0]
    side = moved.shape[-1] // 2
    quarters = [moved[rows, columns].mean() for rows in (slice(side), slice(side, None)) for columns in (slice(side), slice(side, None))]
    assert max(range(4), key=lambda k: quarters[k]) == 1


@pytest.mark.parametrize(("cells", "layer"), [(1, 4), (2, 4), (3, 3), (7, 2), (8, 2), (9, 1), (16, 1), (99, 1)])
def test_the_deepest_layer_that_tells_so_many_places_apart(model, cells, layer):
    it = model("resnet")
    assert dense.deepest_layer(it, pictures(it), cells=cells) == layer


def test_a_vit_has_one_grid_so_its_last_block_is_the_deepest(model):
    it = model("vit")
    assert dense.deepest_layer(it, pictures(it)) == 1
    assert dense.lacking(it) is None


@pytest.mark.parametrize("layer", [5, -6, 99])
def test_a_layer_that_is_not_there(model, layer):
    it = model("resnet")
    with pytest.raises(ClipError, match=rf"has no layer {layer}: .*out of range"):
        dense.dense_features(it, pictures(it), layer=layer)


@pytest.mark.parametrize(("family", "layers"), [("vit", 2), ("resnet", 5)])
def test_a_layer_has_one_number_however_it_is_counted(model, family, layers):
    it = model(family)
    for layer in range(layers):
        assert dense.from_the_first(it, pictures(it), layer=layer) == dense.from_the_first(it, pictures(it), layer=layer - layers) == layer
    for layer in (layers, -layers - 1):
        with pytest.raises(ClipError, match=rf"has no layer {layer}: it has {layers}, 0 to {layers - 1}, or -{layers} to -1 from the last"):
            dense.from_the_first(it, pictures(it), layer=layer)


class Own:
    label = "ours"

    def encode_image(self, images):
        return images.flatten(1)


def test_a_model_without_dense_features_says_so():
    for call in (dense.dense_features, dense.deepest_layer):
        with pytest.raises(ClipError, match=r"ours has no dense features.*give the model a method dense_features\(images, \*, layer\)"):
            call(Own(), torch.zeros(1, 3, 8, 8))
    assert str(dense.lacking(Own())).startswith("ours has no dense features")


def test_a_trunk_without_intermediate_layers_says_so(model, monkeypatch):
    it = model("timm-vit")
    monkeypatch.setattr(type(it.module.visual.trunk), "forward_intermediates", None)
    with pytest.raises(ClipError, match="has no dense features"):
        dense.dense_features(it, pictures(it))


def test_a_model_of_ones_own_brings_its_features():
    class Brings(Own):
        def dense_features(self, images, *, layer):
            return images[:, :1].double() * layer

    x = torch.arange(48.0).view(1, 3, 4, 4)
    assert dense.lacking(Brings()) is None
    assert dense.deepest_layer(Brings(), x) == -1
    assert dense.from_the_first(Brings(), x, layer=-3) == -3
    torch.testing.assert_close(dense.dense_features(Brings(), x), -x[:, :1])
