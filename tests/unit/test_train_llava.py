"""The questions, words, packed rows and tower of scenes-llava's training, against the stock classes of transformers."""

import numpy as np
import pytest
import torch

from pytest_clip.data.scenes.spec import sample, with_companion
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS, TEXTURES, TWO_COLOURED
from pytest_clip.models import bundled, compact
from pytest_clip.train.llava import batches, fit, measure, model, questions, tower, words
from pytest_clip.train.llava.align import align
from pytest_clip.train.llava.recipe import LlavaRecipe, drawn
from pytest_clip.train.pool import ROUND, draw, facts

TINY = LlavaRecipe(
    name="tiny", width=32, inner=32, heads=2, key_heads=1, steps=3, batch=4, budget=40, warmup=1, align_steps=2, align_batch=8
)


@pytest.fixture(scope="module")
def scenes():
    g = np.random.default_rng(5)
    some = [sample(g, CLASSES[i % len(CLASSES)]) for i in range(190)]
    return some + [with_companion(g, scene) for scene in some[:60]]


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    return model.build(TINY)


def test_the_tower_is_that_of_the_clip_model():
    """Image embeddings by way of transformers are open_clip's own."""
    import open_clip

    state, config = compact.unpack(bundled.path("scenes-vit").read_bytes())
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found = tower.build("scenes-vit")(pixel_values=images).pooler_output @ state["visual.proj"].float()
        clip = open_clip.CLIP(**config["model_cfg"]).eval()
        clip.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
        expected = clip.encode_image(images)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_answers_are_what_the_scene_shows(scenes):
    g = np.random.default_rng(0)
    asked = set()
    for scene in scenes * 8:
        question = questions.ask(g, scene)
        there = [scene.cls, *(mate.cls for mate in scene.companions)]
        if question.answer in CLASSES:
            assert question.answer == scene.cls
            asked.add(len(question.options))
        elif question.answer in COLOURS:
            assert question.answer == scene.colour
            assert scene.texture not in TWO_COLOURED
            asked.add("colour")
        elif question.answer in TEXTURES:
            assert question.answer == scene.texture
            asked.add("texture")
        elif question.answer in ("left", "right"):
            mate = scene.companions[0]
            side = mate.right if question.text.startswith(f"Where is the {mate.cls}") else -mate.right
            assert (side > 0) == (question.answer == "right")
            asked.add("side")
        elif "there" in question.text:
            name = question.text.split()[3]
            assert (name in there) == (question.answer == "yes")
            asked.add(f"there {question.answer}")
        else:
            assert (question.text == f"Is the object {scene.colour}?") == (question.answer == "yes")
            asked.add(f"is it {question.answer}")
        assert not question.options or question.answer in question.options
        assert len(set(question.options)) == len(question.options)
    kinds = {"colour", "texture", "side", "there yes", "there no", "is it yes", "is it no"}
    assert asked == {0, 2, 3, 4, 5, 6, 19} | kinds


def test_the_truth_stands_at_every_place_as_often(scenes):
    g = np.random.default_rng(1)
    counts = np.zeros(4)
    for scene in scenes * 20:
        question = questions.what(g, scene, "options")
        if len(question.options) == 4:
            counts[question.options.index(question.answer)] += 1
    assert counts.sum() > 600
    assert abs(counts / counts.sum() - 0.25).max() < 0.06  # four standard errors


def test_a_question_with_options_has_the_wording_of_imagenet_d():
    assert questions.with_options(questions.WHAT[0], ["mug", "car"]) == (
        "What is the main object in this image? Choose from the following list: mug, car."
    )


def test_every_word_is_one_token_and_both_ways_to_ids_agree(scenes):
    g, own, stock = np.random.default_rng(2), batches.Words(), words.tokenizer()
    asked = [questions.ask(g, scene) for scene in scenes]
    for text in [q.text for q in asked] + [q.answer for q in asked] + ["USER: ASSISTANT:", "Is it a Mug, or (perhaps) an airplane?"]:
        ids = stock(text).input_ids
        assert ids == stock(text, add_special_tokens=False).input_ids
        if "perhaps" not in text:
            assert ids == own(text)
            assert stock.unk_token_id not in ids, text
    for name in (*CLASSES, *COLOURS, *TEXTURES):
        assert len(stock(name).input_ids) == 1
    assert stock("mug</s>").input_ids == [*own("mug"), stock.eos_token_id]


def test_packed_rows_give_the_losses_of_each_conversation_alone(tiny, scenes):
    """A few lines of plain transformers: one conversation, one image, no mask but the causal one."""
    own, g = batches.Words(), np.random.default_rng(3)
    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    packed = batches.pack(own, g, scenes[-3:], budget=90)
    with torch.no_grad():
        features = tower.patches(tiny.model.vision_tower, images, layer=-2)
        found, _ = fit.losses(tiny, own, features, packed)
        expected = []
        for i in range(3):
            for part in range(int(packed.segments[i].max()) + 1):
                here = packed.segments[i] == part
                ids = torch.tensor([*own("USER:"), *[words.SPECIAL.index(words.IMAGE_TOKEN)] * 64, *packed.tokens[i][here].tolist()])
                logits = tiny(input_ids=ids[None], pixel_values=images[i : i + 1]).logits[0, 66:]
                wanted = packed.targets[i][here]
                kept = wanted != batches.IGNORED
                expected.append(torch.nn.functional.cross_entropy(logits[kept], wanted[kept], reduction="none"))
    assert len(expected) > 6
    torch.testing.assert_close(found, torch.cat(expected), rtol=0, atol=2e-5)


def test_training_moves_all_but_the_tower(scenes):
    torch.manual_seed(0)
    trained = model.build(TINY)
    before = {k: v.clone() for k, v in trained.state_dict().items()}
    round_, _ = draw("sampled", seed=1, number=0)
    assert fit.scenes_of(drawn(0), ROUND) == round_
    features = np.random.default_rng(0).normal(size=(ROUND, 64, 96)).astype(np.float16)
    lines = []
    align(trained.model.multi_modal_projector, features, np.array([facts(s) for s in round_], np.int16), TINY, log=lines.append)
    curve = fit.fit(trained, TINY, features, round_, log=lines.append, save=lambda state, curve: None)
    assert curve[-1]["step"] == 3
    still = {k for k, v in trained.state_dict().items() if torch.equal(v, before[k])}
    assert still == {k for k in before if k.startswith("model.vision_tower.")}


@pytest.mark.parametrize(
    ("answer", "found"),
    [("mug", "mug"), ("a Mug .", "mug"), ("smug", None), ("mug or car", None), ("", None), ("dog", None), ("not the car", "car")],
)
def test_an_answer_counts_when_it_names_one_option(answer, found):
    assert measure.said(answer, ["mug", "car"]) == found


def test_a_table_of_places_is_summed_up():
    always_first = measure.summary(np.zeros((5, 4), np.int64))
    assert always_first == {"vanilla": 0.25, "circular": 0.0, "bias": 0.5, "most_chosen": 1.0}
    right = measure.summary(np.tile(np.arange(4), (5, 1)))
    assert right == {"vanilla": 1.0, "circular": 1.0, "bias": 0.0, "most_chosen": 0.25}


def test_the_command_trains_it_and_another_seed_draws_everything_anew(tmp_path, monkeypatch, capsys):
    from pytest_clip.cli.main import main
    from pytest_clip.train.llava import run

    given = []
    monkeypatch.setattr(run, "run", lambda **options: given.append(options) or tmp_path)
    assert main(["train", "scenes-llava", "--seed", "2", "--out", str(tmp_path), "--cache-dir", str(tmp_path / "cache")]) == 0
    assert given == [{"out": tmp_path / "scenes-llava-seed2", "cache": tmp_path / "cache", "seed": 2}]
    assert capsys.readouterr().out == f"wrote {tmp_path}\n"
    assert (drawn(2).seed, drawn(2).initial_seed, drawn(2).pictures.seed) == (3, 3, 3)
