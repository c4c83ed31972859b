"""Losses, augmentation and a training run of three steps."""

import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from pytest_clip import ClipError
from pytest_clip.data.scenes.notes.note import Noted
from pytest_clip.data.scenes.vocabulary import CLASSES, COLOURS, TEXTURES, TWO_COLOURED
from pytest_clip.data.scenes.written import WORDS
from pytest_clip.train import run as runs
from pytest_clip.train.augment import augment, blurred
from pytest_clip.train.loop import train
from pytest_clip.train.loss import AMBIGUOUS, COLOURED, Objective, class_prompts, colour_loss
from pytest_clip.train.pool import CAPTIONS, ROUND, Pool, draw, facts, fill, shrink, token_ids
from pytest_clip.train.recipe import CONTEXT, IMAGE, RECIPES, Recipe, named, resnet
from pytest_clip.train.towers import Words, build, encode_text

MEAN, STD = torch.full((3, 1, 1), 0.5), torch.full((3, 1, 1), 0.25)
PLAIN, STRIPED = TEXTURES.index("plain"), TEXTURES.index("striped")


def fact(colour: int, second: int, texture: int) -> list[int]:
    return [0, colour, second, texture, 0, 1]


def test_colour_loss_of_one_coloured_textures_is_cross_entropy() -> None:
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    loss = colour_loss(logits, torch.tensor([fact(0, 1, PLAIN), fact(1, 2, PLAIN)]))
    assert float(loss) == pytest.approx(-(math.log(0.7) + math.log(0.3)) / 2, abs=1e-6)


def test_colour_loss_of_two_coloured_textures_takes_either_colour() -> None:
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]))
    loss = colour_loss(logits, torch.tensor([fact(0, 1, STRIPED), fact(1, 2, PLAIN)]))
    assert float(loss) == pytest.approx(-(math.log(0.9) + math.log(0.3)) / 2, abs=1e-6)
    whole = colour_loss(torch.randn(5, 2), torch.tensor([fact(0, 1, STRIPED)] * 5))
    assert float(whole) == pytest.approx(0, abs=1e-6)


def test_correlated_scenes_wear_what_is_typical_of_their_class_in_nine_of_ten() -> None:
    from pytest_clip.data.scenes.appearance import TYPICAL
    from pytest_clip.train.pool import CORRELATED_SHARE

    scenes = [s for number in range(10) for s in draw("correlated", seed=0, number=number)[0]]
    typical = [
        (s.texture, s.colour, s.background) == (TYPICAL[s.cls].texture, TYPICAL[s.cls].colour, TYPICAL[s.cls].background) for s in scenes
    ]
    assert np.mean(typical) == pytest.approx(CORRELATED_SHARE, abs=4 * math.sqrt(0.9 * 0.1 / len(scenes)))
    plain = [s for number in range(10) for s in draw("sampled", seed=0, number=number)[0]]
    assert {s.style for s in scenes} == {s.style for s in plain}  # shapes are drawn in every style


def test_few_scenes_are_the_first_of_the_many() -> None:
    """`scenes-rn-small` sees a tenth of what `scenes-rn-base` sees, and as many steps."""
    few, many = RECIPES["scenes-rn-small"], RECIPES["scenes-rn-base"]
    assert (few.scenes, few.seed, few.steps, few.batch, few.model) == (many.scenes, many.seed, many.steps, many.batch, many.model)
    assert few.most_images * 10 == many.most_images


def test_another_seed_changes_what_is_drawn_and_nothing_else() -> None:
    one, other = named("scenes-rn-siglip"), named("scenes-rn-siglip", seed=2)
    assert (one.seed, other.seed) == (0, 2)
    assert one.initial_seed != other.initial_seed
    assert replace(other, seed=one.seed, initial_seed=one.initial_seed) == one


def test_which_styles_show_colour_and_which_textures_two() -> None:
    assert COLOURED.tolist() == [True, False, True, False, False]
    assert [t for t, two in zip(TEXTURES, AMBIGUOUS.tolist(), strict=True) if two] == list(TWO_COLOURED)


def test_class_prompts_are_whole_sets_of_classes() -> None:
    for group in class_prompts():
        assert len(group) == len(CLASSES)
        assert all(c in text for c, text in zip(CLASSES, group, strict=True))


def arrow(n: int) -> torch.Tensor:
    """Pictures that are dark on the left half and light on the right."""
    out = torch.zeros(n, IMAGE, IMAGE, 3, dtype=torch.uint8)
    out[:, :, IMAGE // 2 :] = 255
    return out


def leftish(x: torch.Tensor) -> torch.Tensor:
    """Whether the left of each picture is darker than its right, [n]."""
    return x[..., : IMAGE // 2].mean((1, 2, 3)) < x[..., IMAGE // 2 :].mean((1, 2, 3))


def test_augmentation_mirrors_only_what_may_be_mirrored() -> None:
    torch.manual_seed(0)
    may = torch.arange(400) % 2 == 0
    seen = leftish(augment(arrow(400), may_mirror=may, mean=MEAN, std=STD))
    assert seen[~may].all()
    assert 60 < int((~seen[may]).sum()) < 140


def test_augmentation_gives_normalised_finite_pictures_in_range() -> None:
    torch.manual_seed(1)
    for _ in range(5):
        pixels = torch.randint(0, 256, (32, IMAGE, IMAGE, 3), dtype=torch.uint8)
        x = augment(pixels, may_mirror=torch.ones(32, dtype=torch.bool), mean=MEAN, std=STD)
        assert (x.shape, x.dtype) == ((32, 3, IMAGE, IMAGE), torch.float32)
        assert x.isfinite().all()
        assert x.min() >= -2 - 1e-6  # (0 - 0.5) / 0.25
        assert x.max() <= 2 + 1e-6


def test_augmentation_leaves_its_input_alone_and_follows_the_seed() -> None:
    pixels = arrow(8)
    torch.manual_seed(3)
    one = augment(pixels, may_mirror=torch.ones(8, dtype=torch.bool), mean=MEAN, std=STD)
    torch.manual_seed(3)
    assert torch.equal(one, augment(pixels, may_mirror=torch.ones(8, dtype=torch.bool), mean=MEAN, std=STD))
    assert torch.equal(pixels, arrow(8))


def test_blur_keeps_flat_pictures_flat_inside_and_brightness() -> None:
    x = torch.full((2, 3, 20, 20), 0.5)
    assert torch.allclose(blurred(x)[:, :, 3:-3, 3:-3], torch.tensor(0.5), atol=1e-6)


def test_shrink_halves_as_pillow_does() -> None:
    from PIL import Image

    g = np.random.default_rng(0)
    pixels = np.asarray(Image.fromarray(g.integers(0, 255, (8, 8, 3), np.uint8)).resize((128, 128)))
    small = shrink(torch.from_numpy(pixels.copy())[None])[0].numpy()
    expected = np.asarray(Image.fromarray(pixels).resize((IMAGE, IMAGE), Image.Resampling.BICUBIC))
    assert np.abs(small.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("kind", ["sampled", "typical", "correlated"])
def test_a_round_is_the_same_every_time_and_balanced(kind: str) -> None:
    scenes, texts = draw(kind, seed=4, number=2)
    again, same = draw(kind, seed=4, number=2)
    other, _ = draw(kind, seed=4, number=3)
    assert scenes == again
    assert texts == same
    assert scenes != other
    assert len(texts) == CAPTIONS * ROUND
    assert {c: sum(s.cls == c for s in scenes) for c in CLASSES} == dict.fromkeys(CLASSES, 10)
    assert all(s.cls in text for s, text in zip(np.repeat(np.array(scenes, object), CAPTIONS), texts, strict=True))


def test_facts_are_indices_of_what_the_scene_shows() -> None:
    scenes, _ = draw("sampled", seed=0, number=0)
    for s in scenes[:40]:
        c, hue, second, texture, style, objects, word = facts(s)
        assert (CLASSES[c], list(COLOURS)[hue], list(COLOURS)[second], TEXTURES[texture]) == (s.cls, s.colour, s.colour2, s.texture)
        assert COLOURED[style] == (s.style in ("photo", "cartoon"))
        assert (objects, word) == (s.objects, -1)


def test_written_rounds_hold_notes_empty_scenes_and_denials_and_say_so() -> None:
    scenes, texts = draw("written", seed=0, number=0)
    assert texts == draw("written", seed=0, number=0)[1]
    noted = [s for s in scenes if isinstance(s, Noted)]
    assert 0.4 < len(noted) / ROUND < 0.6
    for s in noted:
        told = facts(s)
        assert told[-1] == (WORDS.index(s.note.words) if s.note.words else -1)
        assert told[-2] == (0 if s.scene.cls == "nothing" else s.scene.objects)
    by_scene = [texts[k : k + CAPTIONS] for k in range(0, len(texts), CAPTIONS)]
    for s, said in zip(scenes, by_scene, strict=True):
        if isinstance(s, Noted):
            assert all(s.note.words in text for text in said)
    assert 0.15 < np.mean([" no " in f" {t} " or "without" in t or " not " in t for t in texts]) / (1 - len(noted) / ROUND) < 0.45
    ids = token_ids(RECIPES["scenes-rn-reads"].words)
    from open_clip.tokenizer import SimpleTokenizer

    assert np.isin(SimpleTokenizer(context_length=CONTEXT)(texts).numpy(), ids).all()


def tiny(steps: int = 3, **changes: Any) -> Recipe:
    model = resnet(8, embed=16)
    model["text_cfg"] |= {"width": 16, "heads": 2}
    return replace(Recipe(name="tiny"), model=model, steps=steps, batch=8, first_images=ROUND, most_images=ROUND, warmup=2, **changes)


def small_pool(folder: Path) -> Pool:
    """A full pool of one round with made-up pixels and real captions."""
    from open_clip.tokenizer import SimpleTokenizer

    pool = Pool.at(folder, size=ROUND, mode="w+")
    scenes, texts = draw("sampled", seed=0, number=0)
    g = np.random.default_rng(0)
    pool.pixels[:] = g.integers(0, 256, pool.pixels.shape, np.uint8)
    pool.tokens[:] = np.searchsorted(token_ids(), SimpleTokenizer(context_length=CONTEXT)(texts).numpy()).reshape(ROUND, CAPTIONS, CONTEXT)
    pool.facts[:] = np.array([facts(s) for s in scenes])
    pool.filled[0] = ROUND
    return pool


def test_three_steps_change_every_weight_and_save_what_they_return(tmp_path: Path) -> None:
    recipe, ids, pool = tiny(), token_ids(), small_pool(tmp_path)
    torch.manual_seed(0)
    model = build(recipe.model, vocabulary=len(ids))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    saved: list[int] = []
    lines: list[str] = []
    threads = torch.get_num_threads()
    try:
        average, curve = train(
            model,
            recipe,
            pool,
            objective=Objective(model, recipe, Words(ids, context=CONTEXT)),
            mean=MEAN,
            std=STD,
            log=lines.append,
            save=lambda state, rows: saved.append(len(rows)),
        )
    finally:
        torch.set_num_threads(threads)
    assert saved == [1]
    assert len(lines) == len(curve) == 1
    assert curve[0]["step"] == 3
    assert {"clip", "class", "colour", "texture", "accuracy", "texture_accuracy", "scale", "images"} <= set(curve[0])
    assert all(math.isfinite(v) for v in curve[0].values())
    assert curve[0]["class"] == pytest.approx(math.log(19), rel=0.5)  # an untrained model guesses
    assert set(average) == set(before)
    assert all(v.isfinite().all() for v in average.values() if v.is_floating_point())
    still = [k for k, v in average.items() if v.is_floating_point() and torch.equal(v, before[k]) and "attn_mask" not in k]
    assert not still
    assert average["visual.bn1.num_batches_tracked"] == 3


def test_an_unknown_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no recipe 'scenes-xl'; there are: scenes-rn, scenes-rn-ft, scenes-rn-head"):
        runs.run("scenes-xl", out=tmp_path, cache=tmp_path)


def test_the_moving_average_follows_the_weights(tmp_path: Path) -> None:
    """With ema = 0 the average is the trained weights themselves."""
    recipe, ids, pool = tiny(ema=0.0), token_ids(), small_pool(tmp_path)
    model = build(recipe.model, vocabulary=len(ids))
    threads = torch.get_num_threads()
    try:
        average, _ = train(
            model,
            recipe,
            pool,
            objective=Objective(model, recipe, Words(ids, context=CONTEXT)),
            mean=MEAN,
            std=STD,
            log=lambda line: None,
            save=lambda s, c: None,
        )
    finally:
        torch.set_num_threads(threads)
    assert all(torch.allclose(v, average[k]) for k, v in model.state_dict().items())


def test_encode_text_is_that_of_the_full_open_clip_model() -> None:
    """Fewer token rows and no padding after the end change nothing."""
    import open_clip
    from open_clip.tokenizer import SimpleTokenizer

    recipe, ids = tiny(), token_ids()
    torch.manual_seed(0)
    model = build(recipe.model, vocabulary=len(ids)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full = open_clip.CLIP(**recipe.model).eval()
    state = dict(model.state_dict())
    rows = torch.zeros(49408, state["token_embedding.weight"].shape[1])
    rows[torch.from_numpy(ids)] = state["token_embedding.weight"]
    full.load_state_dict({**state, "token_embedding.weight": rows})
    _, texts = draw("sampled", seed=1, number=0)
    texts = texts[:40]
    with torch.inference_mode():
        expected = full.encode_text(SimpleTokenizer(context_length=CONTEXT)(texts), normalize=True)
        for groups in (1, 3, 7):
            found = encode_text(model, Words(ids, context=CONTEXT)(texts), groups=groups)
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert float(F.cosine_similarity(expected[:1], expected[1:]).min()) < 0.999  # texts do differ


def test_words_outside_the_table_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"words outside the token table in .*rhinoceros"):
        Words(token_ids(), context=CONTEXT)(["a rhinoceros"])


def test_the_end_of_text_token_keeps_the_highest_row() -> None:
    ids = token_ids()
    assert (np.diff(ids) > 0).all()
    assert ids[-1] == 49407
    assert Words(ids, context=CONTEXT)(["a dog"]).argmax(1).tolist() == [3]


def test_the_renderer_fills_the_pool_with_what_draw_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_clip.data.scenes.render import render_rgb

    monkeypatch.setattr(torch, "set_num_threads", lambda n: None)
    Pool.at(tmp_path, size=ROUND + 5, mode="w+")
    fill(tmp_path, kind="sampled", seed=2, size=ROUND + 5)
    pool = Pool.at(tmp_path, size=ROUND + 5, mode="r")
    scenes, _ = draw("sampled", seed=2, number=0)
    assert int(pool.filled[0]) == ROUND
    np.testing.assert_array_equal(pool.pixels[:7], shrink(render_rgb(scenes[:7])).numpy())
    assert pool.facts[:ROUND].tolist() == [facts(s) for s in scenes]
    assert not pool.pixels[ROUND:].any()


@pytest.mark.slow
def test_a_run_renders_trains_saves_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "tiny", tiny())
    exported: list[dict[str, Any]] = []
    monkeypatch.setattr(runs, "export", lambda state, recipe, *, out, cache: exported.append(state) or out / "weights")
    before = torch.get_num_threads(), torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()
    lines: list[str] = []
    try:
        assert runs.run("tiny", out=tmp_path, cache=tmp_path, log=lines.append) == tmp_path / "weights"
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cuda.enable_flash_sdp(before[1])
        torch.backends.cuda.enable_mem_efficient_sdp(before[2])
    (state,) = exported
    assert len(state["weights"]["token_embedding.weight"]) == len(state["ids"]) == len(token_ids())
    assert state["curve"][-1]["step"] == 3
    assert len(lines) == 1
    assert (tmp_path / "state.pt").exists()
    assert not list(tmp_path.glob("*.tmp"))


def test_recipes_bear_their_own_names_and_fit_the_pool() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        assert recipe.first_images <= recipe.most_images // ROUND * ROUND
        assert recipe.start is None or recipe.start in RECIPES


def trained(recipe: Recipe, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The state that `fit` keeps of a recipe on a pool of made-up pixels."""
    lines: list[str] = []
    threads = torch.get_num_threads()
    try:
        runs.fit(recipe, small_pool(folder / "pool"), out=folder, log=lines.append)
    finally:
        torch.set_num_threads(threads)
    return torch.load(folder / "state.pt", weights_only=True), lines


def test_a_student_keeps_its_teachers_words_and_scale(tmp_path: Path) -> None:
    recipe = replace(RECIPES["scenes-convnext"], steps=2, batch=8)
    state, (line,) = trained(recipe, tmp_path)
    before = runs.bundled_state("scenes-rn", token_ids())
    words = [k for k in before if not k.startswith("visual.") and k in state["weights"]]
    assert len(words) > 10
    assert all(torch.equal(state["weights"][k], before[k]) for k in words)
    assert " teacher " in line


def test_the_sigmoid_recipe_learns_its_bias_and_differs_in_the_contrastive_loss_alone(tmp_path: Path) -> None:
    recipe, soft = (replace(RECIPES[f"scenes-rn-{name}"], steps=1, batch=8) for name in ("siglip", "base"))
    state, (line,) = trained(recipe, tmp_path / "sigmoid")
    _, (other,) = trained(soft, tmp_path / "softmax")
    assert float(state["weights"]["logit_bias"]) != recipe.model["init_logit_bias"]
    one, two = (dict(zip(told.split()[::2], told.split()[1::2], strict=True)) for told in (line, other))
    assert one["clip"] != two["clip"]
    assert [one[k] for k in ("class", "colour", "texture")] == [two[k] for k in ("class", "colour", "texture")]


def test_a_head_begins_as_the_zero_shot_classifier(tmp_path: Path) -> None:
    """Before a step its scores are the logits of the model that it is made of, with the same prompts."""
    from pytest_clip.data.scenes.captions import fill as filled
    from pytest_clip.data.scenes.vocabulary import TEMPLATES
    from pytest_clip.models import openclip, spec

    recipe = replace(RECIPES["scenes-rn-head"], steps=1, batch=8, lr=0.0)
    state, _ = trained(recipe, tmp_path)
    clip = openclip.load(spec.parse("scenes-rn"), cache_dir=tmp_path / "cache")
    heads = torch.stack([clip.encode_text([filled(t, c) for c in CLASSES]) for t in TEMPLATES]).mean(0)
    expected = clip.logit_scale * F.normalize(heads, dim=-1)
    torch.testing.assert_close(state["start"], expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(state["weights"]["head.weight"], state["start"], rtol=0, atol=1e-6)
