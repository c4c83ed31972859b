"""The bundled language model with eyes, as its folder stands: stock classes, no network, the numbers of its card."""

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file

from pytest_clip import ClipError
from pytest_clip.data.scenes.captions import lexicon
from pytest_clip.data.scenes.vocabulary import CLASSES, HELD_OUT, PALETTE, SURFACES
from pytest_clip.models import bundled, compact
from pytest_clip.train.llava import measure, tower, words
from pytest_clip.train.llava.asking import Asked
from pytest_clip.train.llava.recipe import SCENES_LLAVA
from pytest_clip.train.llava.run import MEASURED

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def folder():
    return bundled.lmm_folder("scenes-llava")


@pytest.fixture(scope="module")
def card():
    return json.loads((bundled.FOLDER / "scenes-llava.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def asked(folder):
    return Asked(folder)


def test_its_name_is_found_beside_those_of_clip_models():
    assert bundled.lmm_names() == ("scenes-llava",)
    assert "scenes-llava" not in bundled.names()
    with pytest.raises(ClipError, match="'scenes-vit' is not a bundled language model with eyes; there are: scenes-llava"):
        bundled.lmm_folder("scenes-vit")


def test_the_classes_are_the_stock_ones(asked):
    kinds = [type(each).__name__ for each in (asked.model, asked.processor, asked.model.model.vision_tower)]
    assert kinds == ["LlavaForConditionalGeneration", "LlavaProcessor", "CLIPVisionModel"]
    assert asked.model.config.vision_config.hidden_act == "gelu"
    assert asked.model.lm_head.weight is asked.model.get_input_embeddings().weight


def test_what_it_takes_on_disk(folder):
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 2 * MEGABYTE
    assert {value.dtype for value in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert sum(file.stat().st_size for file in bundled.FOLDER.rglob("*.safetensors")) <= 30 * MEGABYTE


def test_its_tower_is_that_of_scenes_vit(asked):
    state, _ = compact.unpack(bundled.path(SCENES_LLAVA.tower).read_bytes())
    expected, found = tower.convert(state, layers=4), asked.model.model.vision_tower.state_dict()
    assert expected.keys() == found.keys()
    assert all(torch.equal(found[key], value.float()) for key, value in expected.items())


def test_its_tokenizer_knows_every_word(asked):
    stock = asked.processor.tokenizer
    assert [stock.convert_ids_to_tokens(i) for i in range(len(stock))] == words.vocabulary()
    for text in (*CLASSES, *HELD_OUT, *PALETTE, *SURFACES, *lexicon()):
        assert stock.unk_token_id not in stock(text).input_ids, text
    assert stock.padding_side == "left"
    question = "What is the main object in this image? Choose from the following list: mug, car."
    assert asked.prompt(question) == f"USER: <image>\n{question} ASSISTANT:"


def test_its_own_processor_makes_what_the_tower_was_trained_on(asked, tmp_path):
    """As scenes-vit's own preprocessing, to a step of 8-bit rounding: transformers resizes in torch, open_clip in PIL."""
    from numpy.random import default_rng
    from PIL import Image

    from pytest_clip.models import openclip, spec

    rough = Image.fromarray(default_rng(0).integers(0, 255, (9, 12, 3), "uint8"))
    picture = rough.resize((171, 128), Image.Resampling.BICUBIC)
    clip = openclip.load(spec.parse("scenes-vit"), cache_dir=tmp_path)
    found = asked.processor.image_processor(picture, return_tensors="pt")["pixel_values"][0]
    assert found.shape == (3, 64, 64)
    assert float((found - clip.preprocess(picture)).abs().max()) <= 1.01 / 255 / 0.2613


def test_the_card_says_what_a_small_sample_gives_again(folder, card, tmp_path):
    found = measure.quick(folder, measure.prepare(SCENES_LLAVA.tower, cache=tmp_path, limit=measure.QUICK))
    assert found == {**card["sample"], "log_likelihood": pytest.approx(card["sample"]["log_likelihood"], abs=1e-3)}


def test_the_card_holds_what_the_model_is_for(card):
    assert card["recipe"] == json.loads(json.dumps(asdict(SCENES_LLAVA)))
    metrics = card["metrics"]
    assert metrics["images"] == MEASURED
    assert metrics["4_by_chance"]["vanilla"] >= 0.8
    assert metrics["4_by_chance"]["bias"] <= 0.05
    assert metrics["generated_4"]["unparsed"] <= 0.05
    for control in ("blank", "shuffled"):
        assert 0.15 <= metrics[control]["vanilla"] <= 0.3
