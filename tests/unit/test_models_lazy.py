"""A remembered model answers as the built one does, and any change of its files is seen."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import tiny_photo
import torch
from safetensors.torch import save_file

from pytest_clip import ClipError, ModelError, store
from pytest_clip.models import lazy, openclip, spec
from pytest_clip.models.lazy import LazyModel
from pytest_clip.models.openclip_model import OpenClipModel
from pytest_clip.models.protocol import is_classifier


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tiny_models.folder(tmp_path / "tiny")


def load(text: str, cache: Path, builds: list[str], **conditions: Any) -> OpenClipModel | LazyModel:
    named = spec.parse(text)

    def build() -> OpenClipModel:
        builds.append(text)
        return openclip.load(named, device="cpu", cache_dir=cache)

    return lazy.load(named, cache=cache, conditions=conditions, build=build)


def test_a_classifier_is_remembered_with_its_names_and_known_as_one(tmp_path):
    torch.save({"w": torch.zeros(1)}, tmp_path / "w.pth")
    named, made = spec.parse(f"timm:tiny,{tmp_path / 'w.pth'}"), []

    def build():
        made.append(tiny_photo.classifier())
        return made[-1]

    first, again = (lazy.load(named, cache=tmp_path / "cache", conditions={}, build=build) for _ in range(2))
    assert isinstance(again, lazy.LazyClassifier)
    assert is_classifier(again)
    assert again.names == first.names == tiny_photo.NAMES
    assert not hasattr(again, "__wrapped__")
    assert len(made) == 1
    images = torch.zeros(2, 3, 24, 24)
    assert torch.equal(again.class_scores(images), first.class_scores(images))
    assert len(made) == 2
    (tmp_path / "classnames.txt").write_text("other names are another model")
    lazy.load(named, cache=tmp_path / "cache", conditions={}, build=build)
    assert len(made) == 3


def test_the_second_time_nothing_is_built_until_something_must_go_through_it(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    real = load(f"local-dir:{place}", tmp_path, builds)
    known = load(f"local-dir:{place}", tmp_path, builds)
    assert isinstance(known, LazyModel)
    assert builds == [f"local-dir:{place}"]
    for name in ("label", "fingerprint", "logit_scale", "logit_bias", "precision", "device", "image_size", "geometry", "preprocess_config"):
        assert getattr(known, name) == getattr(real, name), name
    assert known.facts == json.loads(json.dumps(real.facts))
    assert len(builds) == 1
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(known.encode_image(images), real.encode_image(images))
    assert hasattr(known, "resize")
    assert not hasattr(known, "nonsense")
    assert len(builds) == 2


def test_a_changed_file_or_condition_is_a_model_that_nobody_remembers(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    text = f"local-dir:{place}"
    first = load(text, tmp_path, builds, precision="fp32")
    load(text, tmp_path, builds, precision="bf16")
    assert len(builds) == 2
    stamp = next(place.glob("*.safetensors")).stat()
    tiny_models.folder(place, weights=tiny_models.state(seed=2))  # retrained to the same file name
    import os

    os.utime(next(place.glob("*.safetensors")), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    second = load(text, tmp_path, builds, precision="fp32")
    assert len(builds) == 3
    assert second.fingerprint != first.fingerprint
    config = place / "open_clip_config.json"
    config.write_text(config.read_text() + " ")
    load(text, tmp_path, builds, precision="fp32")
    assert len(builds) == 4


def test_a_torn_memory_is_no_memory(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    load(f"local-dir:{place}", tmp_path, builds)
    [memory] = (tmp_path / "models" / "known").glob("*.json")
    memory.write_text(memory.read_text()[:50])
    assert isinstance(load(f"local-dir:{place}", tmp_path, builds), OpenClipModel)
    assert len(builds) == 2


def test_a_memory_that_was_edited_is_no_memory(place: Path, tmp_path: Path) -> None:
    """One model's fingerprint in another's memory would let it answer with the other's stored answers."""
    builds: list[str] = []
    real = load(f"local-dir:{place}", tmp_path, builds)
    [memory] = (tmp_path / "models" / "known").glob("*.json")
    memory.write_text(memory.read_text().replace(real.fingerprint, "0" * 16))
    assert load(f"local-dir:{place}", tmp_path, builds).fingerprint == real.fingerprint
    assert len(builds) == 2
    other = tiny_models.folder(tmp_path / "other", weights=tiny_models.state(seed=2))
    load(f"local-dir:{other}", tmp_path, builds)
    [theirs] = set((tmp_path / "models" / "known").glob("*.json")) - {memory}
    theirs.write_bytes(memory.read_bytes())  # whole, but of another model
    assert load(f"local-dir:{other}", tmp_path, builds).fingerprint != real.fingerprint
    assert len(builds) == 4


def test_a_memory_that_is_wrong_is_an_error_when_it_shows(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    load(f"local-dir:{place}", tmp_path, builds)
    [memory] = (tmp_path / "models" / "known").glob("*.json")
    store.write_sealed(memory, {**store.read_sealed(memory), "fingerprint": "0" * 16})
    wrong = load(f"local-dir:{place}", tmp_path, builds)
    assert wrong.fingerprint == "0" * 16
    for _ in range(3):
        with pytest.raises(ModelError, match=r"tiny was 0{16} by what the cache remembers of its files, and is \w{16} now.*cache clear"):
            wrong.encode_text(["a"])
    assert len(builds) == 2  # the failure is remembered, too


def retrain(place: Path, seed: int) -> None:
    save_file(tiny_models.state(seed=seed), place / "open_clip_model.safetensors")


def test_a_checkpoint_that_is_replaced_while_it_loads_is_built_again(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, the digest of the old bytes kept the new model's fingerprint for ever."""
    text, builds, real = f"local-dir:{place}", list[str](), openclip.load

    def replaced(named: spec.ModelSpec, **how: Any) -> OpenClipModel:
        model = real(named, **how)
        if len(builds) == 1:
            retrain(place, 2)
        return model

    monkeypatch.setattr(openclip, "load", replaced)
    made = load(text, tmp_path, builds)
    assert len(builds) == 2
    assert isinstance(made, OpenClipModel)
    assert torch.equal(made.module.state_dict()["visual.proj"], tiny_models.state(seed=2)["visual.proj"])
    known = load(text, tmp_path, builds)
    assert (type(known), known.fingerprint, len(builds)) == (LazyModel, made.fingerprint, 2)
    retrain(place, 1)  # the bytes that were there at first
    assert load(text, tmp_path, builds).fingerprint != made.fingerprint
    assert len(builds) == 3


def test_a_checkpoint_that_never_rests_is_an_error(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds: list[str] = []
    real = openclip.load

    def written(named: spec.ModelSpec, **how: Any) -> OpenClipModel:
        retrain(place, len(builds) + 1)
        return real(named, **how)

    monkeypatch.setattr(openclip, "load", written)
    with pytest.raises(ClipError, match=r"is written to while it is read \(3 times in a row\); wait until its training"):
        load(f"local-dir:{place}", tmp_path, builds)
    assert len(builds) == 3
    assert not list((tmp_path / "models").glob("known/*"))


def test_a_checkpoint_that_is_replaced_after_it_was_remembered(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    load(f"local-dir:{place}", tmp_path, builds)
    known = load(f"local-dir:{place}", tmp_path, builds)
    retrain(place, 2)
    with pytest.raises(ModelError, match="now that it is built; its files were replaced during the run; run again"):
        known.encode_text(["a"])


def test_what_cannot_be_built_is_tried_once(place: Path, tmp_path: Path) -> None:
    builds: list[str] = []
    load(f"local-dir:{place}", tmp_path, builds)
    known = load(f"local-dir:{place}", tmp_path, builds)
    (place / "open_clip_model.safetensors").unlink()
    for _ in range(3):
        with pytest.raises(ModelError, match="holds no checkpoint"):
            known.encode_text(["a"])
    assert len(builds) == 2


@pytest.mark.parametrize("text", ["hf-hub:org/name", "ViT-B-32,laion2b_s34b_b79k", "ViT-B-32", "ViT-B-32,/no/such/file.pt"])
def test_what_only_a_hub_or_an_error_can_tell_is_never_remembered(text: str, tmp_path: Path) -> None:
    asked: list[int] = []
    for _ in range(2):
        lazy.load(spec.parse(text), cache=tmp_path, conditions={}, build=lambda: asked.append(1))  # type: ignore[arg-type,return-value,func-returns-value]
    assert len(asked) == 2
    assert not list(tmp_path.iterdir())
