import subprocess
import sys

import pytest

from pytest_clip import ClipError
from pytest_clip.models import bundled, listing
from pytest_clip.models.labels import labels
from pytest_clip.models.spec import ModelSpec, parse
from pytest_clip.models.tags import DEFAULT_TAGS


@pytest.mark.parametrize(
    ("text", "kind", "name", "pretrained", "label"),
    [
        ("ViT-B-32", "open_clip", "ViT-B-32", None, "ViT-B-32"),
        ("ViT-B/32", "open_clip", "ViT-B-32", None, "ViT-B-32"),
        (" ViT-B-32 , openai ", "open_clip", "ViT-B-32", "openai", "ViT-B-32,openai"),
        ("ViT-B-32,laion2b_s34b_b79k", "open_clip", "ViT-B-32", "laion2b_s34b_b79k", "ViT-B-32,laion2b_s34b_b79k"),
        ("ViT-B-32,runs/a b/e12.pt", "open_clip", "ViT-B-32", "runs/a b/e12.pt", "ViT-B-32,e12.pt"),
        ("ViT-B-32,random", "open_clip", "ViT-B-32", "random", "ViT-B-32,random"),
        ("ViT-B-32,runs/[é]@1::x.pt", "open_clip", "ViT-B-32", "runs/[é]@1::x.pt", "ViT-B-32,é-1-x.pt"),
        ("ViT-B-32,模型/最好.pt", "open_clip", "ViT-B-32", "模型/最好.pt", "ViT-B-32,最好.pt"),
        ("local-dir:/data/模型", "local-dir", "/data/模型", None, "模型"),
        ("hf-hub:laion/CLIP-ViT-B-32", "hf-hub", "laion/CLIP-ViT-B-32", None, "laion--CLIP-ViT-B-32"),
        ("local-dir:/data/my, model", "local-dir", "/data/my, model", None, "my-model"),
        ("local-dir:/data/run/", "local-dir", "/data/run/", None, "run"),
        ("timm:resnet50,w.pt", "timm", "resnet50", "w.pt", "resnet50,w.pt"),
        ("run:logs/mine", "run", "logs/mine", None, "mine"),
        ("run:logs/mine,12", "run", "logs/mine", "12", "mine,epoch_12"),
        ("run:logs/mine, epoch_012.pt", "run", "logs/mine", "12", "mine,epoch_12"),
        ("run:logs/mine,latest", "run", "logs/mine", "latest", "mine,epoch_latest"),
        ("local-dir:/data/run,e5.pt", "local-dir", "/data/run", "e5.pt", "run,e5.pt"),
        ("local-dir:/data/my, model,./e5.pt", "local-dir", "/data/my, model", "./e5.pt", "my-model,e5.pt"),
        ("conf/mine.json,runs/e12.pt", "config", "conf/mine.json", "runs/e12.pt", "mine,e12.pt"),
        ("mine.json,random", "config", "mine.json", "random", "mine,random"),
    ],
)
def test_parse(text, kind, name, pretrained, label):
    spec = parse(text)
    assert (spec.kind, spec.name, spec.pretrained, spec.label, spec.key) == (
        kind,
        name,
        pretrained,
        label,
        "mine" if kind == "config" else name,
    )
    assert spec.text == text.strip()
    assert not set("/[]@ ") & set(spec.label)
    assert "::" not in spec.label


def test_the_option_means_the_part_after_the_comma():
    spec = parse("ViT-B-32", pretrained="runs/e12.pt")
    assert spec == parse("ViT-B-32,runs/e12.pt")
    assert spec.text == "ViT-B-32,runs/e12.pt"


@pytest.mark.parametrize(
    ("text", "pretrained", "message"),
    [
        ("", None, "names no model"),
        ("ViT B 32", None, "names no model"),
        (",openai", None, "names no model"),
        ("ViT-B-32,", None, "nothing after the comma"),
        ("ViT-B-32,openai", "openai", "both say which weights"),
        ("ViT-B-32", " ", "--clip-pretrained is empty"),
        ("hf-hub:laion/x", "openai", "brings its own weights"),
        ("hf-hub:", None, "nothing after the colon"),
        ("hf-hub:laion", None, "not a Hugging Face repository"),
        ("hf-hub:laion/x,openai", None, "not a Hugging Face repository"),
        ("local-dir:", None, "nothing after the colon"),
        ("run:", None, "nothing after the colon"),
        ("run:logs/mine,best", None, "'best' is no epoch; write its number, latest or all"),
        ("run:logs/mine,all", None, "stands for every epoch of a run, and one model is wanted here"),
        ("run:logs/mine", "5", "cannot be used with --clip-model='run:logs/mine': write run:DIR"),
        ("mine.json", None, "is a configuration without weights; write mine.json,PATH or mine.json,random"),
        ("runs/e12.pt", None, r"checkpoint without its architecture; write --clip-model=ARCHITECTURE,runs/e12.pt"),
        ("e12.safetensors", None, "checkpoint without its architecture"),
    ],
)
def test_nonsense_is_refused(text, pretrained, message):
    with pytest.raises(ClipError, match=message):
        parse(text, pretrained=pretrained)


def test_a_folder_as_a_name_is_sent_to_local_dir(tmp_path):
    with pytest.raises(ClipError, match=f"write --clip-model=local-dir:{tmp_path}"):
        parse(str(tmp_path))


def test_labels_of_other_scripts_reach_the_node_ids() -> None:
    from pytest_clip.session.settings import Settings
    from pytest_clip.session.start import _models

    chosen = _models(Settings(models=("local-dir:/data/模型", "local-dir:/data/модель", "local-dir:/data/🐈", "local-dir:/data/🐕")))
    assert [choice.label for choice in chosen[:2]] == ["模型", "модель"]
    assert len({choice.label for choice in chosen}) == 4
    assert all(choice.label.startswith("model-") for choice in chosen[2:])


def test_labels_tell_equal_file_names_apart():
    specs = [
        parse("ViT-B-32,runs/a/e12.pt"),
        parse("ViT-B-32,runs/b/e12.pt"),
        parse("ViT-B-32"),
        parse("local-dir:/x/a"),
        parse("local-dir:/y/a"),
    ]
    assert labels(specs) == ("ViT-B-32,a-e12.pt", "ViT-B-32,b-e12.pt", "ViT-B-32", "x-a", "y-a")
    assert labels([specs[0]]) == ("ViT-B-32,e12.pt",)
    assert labels([specs[0], specs[0]]) == ("ViT-B-32,e12.pt",) * 2


def test_bundled_names_come_from_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "FOLDER", tmp_path / "nowhere")
    assert bundled.names() == ()
    monkeypatch.setattr(bundled, "FOLDER", tmp_path)
    (tmp_path / "scenes-x.safetensors").touch()
    (tmp_path / "scenes-x.json").write_text('{"top1": 0.9}')
    assert bundled.names() == ("scenes-x",)
    assert parse("scenes-x") == ModelSpec("scenes-x", "bundled", "scenes-x")
    assert parse("scenes-x,e1.pt").kind == "bundled"
    assert listing.shipped()[0].text == "scenes-x"
    with pytest.raises(ClipError, match="'scenes-y' is not a bundled model; there are: scenes-x"):
        bundled.path("scenes-y")


def test_default_tags_exist_in_open_clip():
    import open_clip

    assert set(DEFAULT_TAGS.items()) <= set(open_clip.list_pretrained())


def test_listed_architectures_are_those_of_open_clip():
    import open_clip

    names = listing.architectures()
    assert set(open_clip.list_models()) <= set(names)
    assert names.index("ViT-B-16") < names.index("ViT-B-32") < names.index("ViT-L-14")
    assert {row.name: row.pretrained for row in listing.published() if row.default}["ViT-B-32"] == "laion2b_s34b_b79k"


def test_names_and_listing_import_nothing_heavy():
    code = (
        "import sys; from pytest_clip.models import bundled, listing, protocol, spec; "
        "listing.shipped(), listing.published(); spec.parse('ViT-B-32,openai');"
        "print([m for m in ('torch', 'numpy', 'open_clip', 'PIL', 'safetensors', 'filelock', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bundled_fine_tuned_model_is_judged_by_the_rules_of_its_base() -> None:
    assert (parse("scenes-rn-ft").key, parse("scenes-rn").key) == ("scenes-rn", "scenes-rn")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ViT-B-32,a\0b.pt", r"--clip-model='ViT-B-32,a\\x00b.pt' holds '\\x00', which no name"),
        ("ViT-B-32,\ud800.pt", r"holds '\\ud800', which no name"),
        ("local-dir:" + "a" * 256, "has 266 characters, more than a path can have"),
        ("local-dir:" + "a/" * 2500, "has 5010 characters, more than a path can have"),
        ("ViT-B-32,~nobody-of-that-name/x.pt", "there is no user of that name on this machine; write the path in full"),
        ("local-dir:~nobody-of-that-name", "there is no user of that name on this machine; write the path in full"),
    ],
)
def test_what_no_file_system_takes(text, message, tmp_path):
    from pytest_clip.models.resolve import resolve

    with pytest.raises(ClipError, match=message):
        resolve(parse(text), tmp_path)
