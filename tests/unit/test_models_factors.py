"""Factors of the study: what is derived, what people may say, who wins, and what stays unknown."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
import tiny_models

from pytest_clip import ClipError
from pytest_clip.models import clipcard, derived, factors, listing, reader, registry, trainsets
from pytest_clip.models.factors import Factors
from pytest_clip.models.spec import parse


def test_open_clips_tables_are_read_without_importing_it():
    from open_clip import get_model_config, list_pretrained
    from open_clip.pretrained import get_pretrained_cfg

    known = {(name, tag): each for name, tags in registry.published().items() for tag, each in tags.items()}
    assert set(known) == set(list_pretrained())
    for (name, tag), each in known.items():
        told = get_pretrained_cfg(name, tag)
        assert (each.quick_gelu, each.repository) == (told.get("quick_gelu"), told["hf_hub"].strip("/"))
    assert registry.model_config("ViT-B-32") == get_model_config("ViT-B-32")
    assert registry.model_config("no-such") == {}
    assert registry.of_repository("laion/CLIP-ViT-B-32-laion2B-s34B-b79K") == ("ViT-B-32", "laion2b_s34b_b79k")
    assert registry.of_repository("me/mine") is None


def test_every_tag_of_open_clip_is_in_the_table_of_training_sets():
    """A new tag is a line in trainsets.py; until then its factors are unknown."""
    known = {(name, tag): trainsets.of_tag(name, tag) for name, tags in registry.published().items() for tag in tags}
    assert not [key for key, each in known.items() if each.on is None and each.finetuned != "laion-coco-nllb"]
    assert {each.on for each in known.values() if each.on} <= set(trainsets.SETS)
    for name, each in trainsets.SETS.items():
        assert each.source
        assert factors.check("training_set", name) == name


@pytest.mark.parametrize(
    ("name", "tag", "said"),
    [
        ("ViT-B-32", "openai", ("vit", 151280000, 14.78, 224, "wit-400m", 400_000_000, 12_800_000_000, "softmax", "none", "quickgelu")),
        ("ViT-B-32", "laion2b_s34b_b79k", ("vit", 151280000, 14.78, 224, "laion-2b", 2_320_000_000, 34 * 10**9, "softmax", "none", "gelu")),
        ("ViT-B-16-SigLIP", "webli", ("vit", 203160000, 46.44, 224, "webli-en", None, None, "sigmoid", "none", "gelu")),
        ("ViT-B-16-SigLIP2", "webli", ("vit", None, None, 224, "webli", 10**10, None, "sigmoid+caption", "none", "gelu")),
        (
            "coca_ViT-L-14",
            "mscoco_finetuned_laion2b_s13b_b90k",
            ("vit", 638450000, 214.52, 224, "laion-2b", 2_320_000_000, 13 * 10**9, "softmax+caption", "mscoco", "gelu"),
        ),
        ("RN50", "yfcc15m", ("resnet", 102010000, 18.18, 224, "yfcc-15m", 15_000_000, 480_000_000, "softmax", "none", "quickgelu")),
        (
            "MobileCLIP-S1", "datacompdr",
            ("fastvit", None, None, 256, "datacompdr-1b", 1_280_000_000, None, "softmax+distillation", "none", "gelu"),
        ),
        (
            "convnext_large_d_320", "laion2b_s29b_b131k_ft",
            ("convnext", 351770000, 157.98, 320, "laion-2b", 2_320_000_000, 29 * 10**9, "softmax", "laion-2b", "gelu"),
        ),
        ("ViT-B-32", None, ("vit", 151280000, 14.78, 224, None, None, None, None, None, None)),
        ("ViT-B-32", "no_such_tag", ("vit", 151280000, 14.78, 224, None, None, None, None, None, None)),
        ("mine", "openai", (None,) * 10),
    ],
)  # fmt: skip
def test_factors_of_published_weights(name, tag, said):
    assert tuple(asdict(derived.of_published(name, tag)).values()) == said


@pytest.mark.parametrize(
    ("tag", "on", "finetuned"),
    [
        ("openai_ft_in12k_in1k", "wit-400m", "imagenet-12k+imagenet-1k"),
        ("laion2b_ft_in1k", "laion-2b", "imagenet-1k"),
        ("a1_in1k", "imagenet-1k", "none"),
        ("ns_jft_in1k", None, None),
        ("fb_swsl_ig1b_ft_in1k", None, "imagenet-1k"),
        ("dino", None, None),
        ("augreg_in21k", "imagenet-21k", "none"),
    ],
)
def test_factors_of_tags_of_timm(tag, on, finetuned):
    found = trainsets.of_timm(tag)
    assert (found.on, found.finetuned, found.seen) == (on, finetuned, None)


def model(spec, side=224, **facts):
    return derived.of_model(parse(spec), SimpleNamespace(facts=facts, image_size=(side, side)))


def test_a_tag_counts_only_where_published_weights_were_loaded():
    tag = {"architecture": "ViT-B-32", "pretrained": "openai"}
    assert model("ViT-B-32,openai", **tag, preprocess_source="tag openai").training_set == "wit-400m"
    assert model("ViT-B-32,openai", **tag, preprocess_source="open_clip defaults (OpenAI mean and std)").training_set is None  # a file


def test_what_the_model_says_itself_comes_before_the_tables():
    found = model("ViT-B-32,e1.pt", side=320, architecture="ViT-B-32", pretrained="e1.pt", parameters=7, activation="quickgelu")
    assert (found.parameters, found.resolution, found.activation, found.gflops) == (7, 320, "quickgelu", None)  # counted for 224
    assert (found.loss, found.training_set, found.finetuned_on) == (None, None, None)
    assert model("ViT-B-32,e1.pt", architecture="ViT-B-32", pretrained="e1.pt").gflops == 14.78


def test_a_logit_bias_is_that_of_a_sigmoid_model():
    with_bias = SimpleNamespace(facts={"architecture": "ViT-B-32", "pretrained": "e1.pt"}, image_size=(224, 224), logit_bias=-10.0)
    assert derived.of_model(parse("ViT-B-32,e1.pt"), with_bias).loss == "sigmoid"


def test_random_weights_were_trained_on_nothing():
    found = model("ViT-B-32,random", architecture="ViT-B-32", pretrained="random")
    assert (found.training_set, found.samples_seen, found.finetuned_on, found.family) == ("none", 0, "none", "vit")


def test_a_folder_or_object_that_is_called_like_an_architecture_is_none():
    for found in (
        model("local-dir:out/ViT-B-32", architecture="ViT-B-32", pretrained="local-dir"),
        derived.of_model(None, SimpleNamespace(facts={"architecture": "ViT-B-32"}, image_size=(224, 224))),
    ):
        assert found == Factors(resolution=224)


def test_weights_between_two_models_have_no_training_of_their_own():
    found = model("wise:ViT-B-32,openai::ViT-B-32,e1.pt::0.5", architecture="ViT-B-32", pretrained="ViT-B-32,openai to e1.pt", wise={})
    assert (found.family, found.gflops, found.training_set, found.finetuned_on) == ("vit", 14.78, None, None)


def test_a_repository_of_a_tag_is_that_tag():
    name = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
    assert model(f"hf-hub:{name}", architecture=name, pretrained="hf-hub").training_set == "laion-2b"
    assert model("hf-hub:me/mine", architecture="me/mine", pretrained="hf-hub").training_set is None


def test_every_kind_of_classifier():
    found = model("timm:resnet50.a1_in1k", architecture="resnet50.a1_in1k", pretrained="a1_in1k", parameters=25)
    assert (found.family, found.loss, found.training_set, found.training_set_size) == ("resnet", "classification", "imagenet-1k", 1_281_167)
    clip = model("timm:vit_base_patch32_clip_224.openai_ft_in1k", architecture="vit_base_patch32_clip_224.openai_ft_in1k", pretrained="x")
    assert (clip.family, clip.training_set, clip.finetuned_on, clip.loss) == ("vit", "wit-400m", "imagenet-1k", None)
    own = model("timm:resnet50,out/best.pth.tar", architecture="resnet50", pretrained="best.pth.tar")
    assert (own.family, own.training_set) == ("resnet", None)
    assert derived.of_photo().family == "efficientnet"


def test_a_built_model_tells_family_and_bias(tmp_path):
    folder = tiny_models.folder(tmp_path / "ViT-B-32", weights=tiny_models.state())
    built = reader.load(parse(f"local-dir:{folder}"), device="cpu", cache_dir=tmp_path)
    found = derived.of_model(parse(f"local-dir:{folder}"), built)
    assert (found.family, found.parameters, found.training_set) == ("vit", built.facts["parameters"], None)


def test_the_bundled_models_know_their_training():
    found, tuned = derived.of_bundled("scenes-rn"), derived.of_bundled("scenes-rn-ft")
    assert (found.training_set, found.samples_seen, found.finetuned_on) == ("scenes", 6000 * 256, "none")
    assert (tuned.samples_seen, tuned.finetuned_on) == (6000 * 256 + 100 * 256, "scenes:typical")


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("samples_seen", "12.8B", 12_800_000_000), ("samples_seen", "34e9", 34 * 10**9), ("training_set_size", 400_000_000, 400_000_000),
        ("parameters", "151.28M", 151_280_000), ("gflops", "14.8", 14.8), ("resolution", "224", 224), ("loss", " SigMoid ", "sigmoid"),
        ("training_set", "coyo-700m", "coyo-700m"), ("finetuned_on", "none", "none"), ("loss", "unknown", None), ("gflops", None, None),
        ("samples_seen", 0, 0), ("training_set_size", "0.1M", 100_000), ("parameters", "0.3M", 300_000),
    ],
)  # fmt: skip
def test_what_people_may_say(key, value, kept):
    assert factors.check(key, value) == kept


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("los", "x", "'los' is no factor; did you mean loss?; there is family, parameters, gflops"),
        ("learning_rate", "1", "is no factor; there is family"),
        ("loss", "a b", "loss is a name of letters"),
        ("loss", 3, "loss is a name of letters, digits and . _ + : - (at most 60), and not 3"),
        ("loss", "x" * 61, "at most 60"),
        ("samples_seen", "many", "samples_seen is a number, such as 400M, 2.3B or 34e9, and not 'many'"),
        ("samples_seen", -1, "is a number"),
        ("samples_seen", True, "is a number"),
        ("samples_seen", "9e99", "is a number"),
        ("parameters", 0, "is a number"),
        ("resolution", 2.5, "resolution is a whole number, and not 2.5"),
        ("gflops", "nan", "gflops is a number, such as 14.8"),
        ("gflops", float("nan"), "gflops is a number"),
    ],
)
def test_what_they_may_not(key, value, said):
    with pytest.raises(ClipError) as caught:
        factors.check(key, value)
    assert said in str(caught.value)


def test_an_option_wins_over_a_card_and_both_over_what_is_derived():
    told = factors.told(
        Factors(family="vit", loss="softmax", samples_seen=5, training_set="laion-2b", training_set_size=7),
        card={"loss": "sigmoid", "gflops": 3.5, "family": None},
        option={"loss": "triplet"},
    )
    assert told["loss"] == {"value": "triplet", "from": "option"}
    assert told["gflops"] == {"value": 3.5, "from": "card"}
    assert told["family"] == {"value": None, "from": "card"}  # said to be unknown
    assert told["samples_seen"] == {"value": 5, "from": "derived"}
    assert told["resolution"] == {"value": None, "from": None}
    assert tuple(told) == factors.KEYS


def test_another_training_set_takes_its_size_and_samples_with_it():
    whole = Factors(training_set="laion-2b", training_set_size=2_320_000_000, samples_seen=34 * 10**9)
    told = factors.told(whole, card={"training_set": "datacomp-1b"}, option={})
    assert [told[key]["value"] for key in ("training_set", "training_set_size", "samples_seen")] == ["datacomp-1b", 1_400_000_000, None]
    told = factors.told(whole, card={"training_set": "mine", "samples_seen": 3}, option={})
    assert [told[key]["value"] for key in ("training_set", "training_set_size", "samples_seen")] == ["mine", None, 3]
    told = factors.told(whole, card={"training_set": "laion-2b"}, option={})
    assert told["samples_seen"]["value"] == 34 * 10**9


CARD = '{"schema": 1, "note": "run 7",\n "factors": {\n  "training_set": "coyo-700m",\n  "samples_seen": "12.8B"}}'


def test_a_card_lies_beside_the_weights_or_in_the_folder(tmp_path):
    (tmp_path / "e1.pt").touch()
    assert clipcard.place(parse(f"ViT-B-32,{tmp_path}/e1.pt")) is None
    card = tmp_path / clipcard.FILE
    card.write_text(CARD, encoding="utf-8")
    for text in (f"ViT-B-32,{tmp_path}/e1.pt", f"local-dir:{tmp_path}", f"timm:resnet50,{tmp_path}/e1.pt", f"scenes-rn,{tmp_path}/e1.pt"):
        assert clipcard.place(parse(text)) == card, text
    for text in ("ViT-B-32,openai", "ViT-B-32,random", "scenes-rn", "hf-hub:a/b", f"wise:local-dir:{tmp_path}::local-dir:{tmp_path}::1"):
        assert clipcard.place(parse(text)) is None, text
    assert clipcard.read(card) == {"training_set": "coyo-700m", "samples_seen": 12_800_000_000}


def test_a_folder_called_like_an_architecture_has_no_card_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ViT-B-32").mkdir()
    for name in ("ViT-B-32/clip-card.json", "clip-card.json", "0.5"):
        (tmp_path / name).write_text(CARD)
    assert clipcard.place(parse("wise:ViT-B-32::ViT-B-32,openai::0.5")) is None  # and no weights called 0.5
    assert clipcard.place(parse("ViT-B-32,openai")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": 1,\n "factors": {\n  "los": "x"}}', "{file}:3: 'los' is no factor; did you mean loss?"),
        ('{"schema": 1,\n "factors": {\n  "loss": 3}}', "{file}:3: loss is a name of letters"),
        ('{"schema": 1,\n "factor": {}}', "{file}:2: unknown key 'factor'; did you mean factors?"),
        ('{"schema": 1,\n "x": {}}', "{file}:2: unknown key 'x'; known are schema, factors, note"),
        ('{"schema": 1,\n "factors": {"loss": "a",\n "loss": "b"}}', "{file}:3: 'loss' stands twice; keep one"),
        ('{"schema": 1,\n "factors": {"loss": "a",}}', "{file}:2: no JSON ("),
        ('\n{"schema": 2}', '{file}:2: must say "schema": 1'),
        ('{"factors": {}}', '{file}:1: must say "schema": 1'),
        ('{"schema": true}', 'must say "schema": 1'),
        ("[1]", '{file}:1: must be an object of JSON: {"schema": 1'),
        ('{"schema": 1, "factors": []}', "{file}:1: factors must be an object of JSON"),
        (json.dumps({"schema": 1, "note": "x" * (64 << 10)}), "{file} has more than 65536 bytes"),
        ("[" * 5000, "{file} cannot be read as a card|no JSON"),
    ],
)
def test_a_card_that_is_none_is_one_sentence_with_its_line(tmp_path, text, said):
    card = tmp_path / clipcard.FILE
    card.write_text(text, encoding="utf-8")
    with pytest.raises(ClipError) as caught:
        clipcard.read(card)
    assert any(each.replace("{file}", str(card)) in str(caught.value) for each in said.split("|"))
    assert "\n" not in str(caught.value)


def test_a_card_that_is_no_text(tmp_path):
    card = tmp_path / clipcard.FILE
    card.write_bytes(b"\xff\xfe{")
    with pytest.raises(ClipError, match=r"cannot be read as a card: .*; write it again as UTF-8"):
        clipcard.read(card)


def names(*conditions):
    return [row.text for row in listing.chosen([*listing.shipped(), *listing.published()], conditions)]


def test_models_are_found_by_their_factors():
    assert "ViT-B-16-SigLIP,webli" in names("loss=sigmoid")
    assert "ViT-B-16-SigLIP2,webli" not in names("loss=sigmoid")
    assert "ViT-B-16-SigLIP2,webli" in names("loss=sigmoid*")
    assert names("training_set=laion*", "resolution>=336") == ["ViT-H-14-CLIPA-336,laion2b"]
    assert set(names("samples_seen<=13M")) > {"ViT-B-32,commonpool_s_s13m_b4k", "scenes-rn"}
    assert all("openai" not in each for each in names("training_set=unknown"))
    assert names("family=nothing") == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("loss", "is no condition; write KEY=VALUE"),
        ("los=x", "'los' is no factor; did you mean loss?"),
        ("loss>=3", "loss is compared with a number, and is a name; write ="),
        ("resolution>=unknown", "is compared with a number"),
        ("resolution=big", "resolution is a number"),
    ],
)
def test_a_condition_that_is_none(condition, said):
    with pytest.raises(ClipError) as caught:
        names(condition)
    assert said in str(caught.value)


def test_rows_are_names_that_can_be_typed():
    rows = listing.published()
    for row in rows[::7]:
        assert parse(row.text).name == row.name
    assert not [row for row in rows if row.name.endswith("-quickgelu") and row.pretrained == "openai"]
    assert len({row.text for row in rows}) == len(rows)


def test_the_page_of_models_tells_every_notation_and_factor():
    from pathlib import Path

    from pytest_clip.models.kinds import NOTATIONS

    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    table = [line.split("|")[1].strip().strip("`") for line in page.splitlines() if line.startswith("| `")]
    assert table[1 : len(NOTATIONS) + 1] == [each.form for each in NOTATIONS]
    assert [each for each in table if each in factors.KEYS] == list(factors.KEYS)
