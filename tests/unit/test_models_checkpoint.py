import os
import zipfile
from pathlib import Path

import pytest
import tiny_models
import torch
from safetensors.torch import save_file

from pytest_clip import ClipError
from pytest_clip.models import checkpoint


@pytest.fixture(scope="module")
def weights():
    return tiny_models.state()


@pytest.fixture
def module():
    import open_clip

    return open_clip.CLIP(**tiny_models.VIT)


def same(read: checkpoint.Checkpoint, weights: dict) -> bool:
    return read.state.keys() == weights.keys() and all(torch.equal(read.state[key], weights[key]) for key in weights)


def error(path: Path) -> str:
    with pytest.raises(ClipError) as caught:
        checkpoint.read(path)
    return str(caught.value)


def test_plain_files(tmp_path, weights):
    save_file(weights, tmp_path / "a.safetensors")
    save_file(weights, tmp_path / "safe-but-called.pt")
    torch.save(weights, tmp_path / "b.pt")
    torch.save(weights, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    for file in tmp_path.iterdir():
        read = checkpoint.read(file)
        assert same(read, weights), file
        assert read.facts == {"file": file.name, "taken": "whole file"}


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_training_checkpoints(tmp_path, weights, prefix, key):
    content = {"epoch": 12, "name": "run", "optimizer": {"state": {}}, key: {prefix + name: value for name, value in weights.items()}}
    torch.save(content, tmp_path / "e12.pt")
    read = checkpoint.read(tmp_path / "e12.pt")
    assert same(read, weights)
    before = [f"{each}." for each in prefix.removesuffix(".").split(".")]
    assert read.facts == {"file": "e12.pt", "taken": key, "also_there": [], "epoch": 12, "names_without": before}


@pytest.mark.parametrize("key", ["state_dict_ema", "ema", "model_ema"])
def test_averaged_weights_are_taken_only_without_plain_ones(tmp_path, weights, key):
    averaged = {name: value + 1 for name, value in weights.items()}
    torch.save({key: {"n_averaged": torch.tensor(3), **{f"module.{k}": v for k, v in averaged.items()}}}, tmp_path / "only.pt")
    torch.save({key: averaged, "state_dict": weights}, tmp_path / "both.pt")
    only, both = checkpoint.read(tmp_path / "only.pt"), checkpoint.read(tmp_path / "both.pt")
    assert same(only, averaged)
    assert only.facts["taken"] == key
    assert same(both, weights)
    assert (both.facts["taken"], both.facts["also_there"]) == ("state_dict", [key])


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_pickle_with_code_is_refused_and_does_not_run(tmp_path, weights):
    torch.save({"state_dict": weights, "extra": Evil(tmp_path / "ran")}, tmp_path / "evil.pt")
    message = error(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()
    assert f"{tmp_path}/evil.pt is refused" in message
    assert "wants to import posix.mkdir" in message or "wants to import nt.mkdir" in message


def test_a_torchscript_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "ViT-B-32.pt", "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            archive.writestr(f"ViT-B-32/{name}", b"")
    message = error(tmp_path / "ViT-B-32.pt")
    assert "is a TorchScript archive" in message
    assert "--clip-model=ViT-B-32,openai" in message
    assert "torch.jit.load" in message


def test_unreadable_files_are_one_clear_error_each(tmp_path, weights):
    save_file(weights, tmp_path / "whole.safetensors")
    torch.save(weights, tmp_path / "whole.pt")
    for name in ("whole.safetensors", "whole.pt"):
        content = (tmp_path / name).read_bytes()
        for share in (0.5, 0.001):
            cut = tmp_path / f"cut-{share}-{name}"
            cut.write_bytes(content[: int(len(content) * share)])
            assert "cut short" in error(cut), cut
    (tmp_path / "empty.pt").touch()
    assert "is empty" in error(tmp_path / "empty.pt")
    assert "is a folder" in error(tmp_path)
    assert "there is no checkpoint" in error(tmp_path / "nowhere.pt")
    (tmp_path / "notes.pt").write_text("hello, this is no checkpoint")
    assert "is not a readable checkpoint" in error(tmp_path / "notes.pt")
    (tmp_path / "lfs.pt").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "is a pointer of Git LFS, not the file itself; run: git -C" in error(tmp_path / "lfs.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    assert "holds a list, not weights" in error(tmp_path / "list.pt")
    torch.save({"optimizer": {"lr": 1}, "epoch": 3}, tmp_path / "other.pt")
    assert "it holds: optimizer, epoch" in error(tmp_path / "other.pt")


def fit(module, weights) -> str:
    with pytest.raises(ClipError) as caught:
        checkpoint.fit(module, checkpoint.Checkpoint(Path("x.pt"), weights))
    return str(caught.value)


def test_fit_loads_every_weight(module, weights):
    checkpoint.fit(module, checkpoint.Checkpoint(Path("x.pt"), weights))
    assert all(torch.equal(value, weights[key]) for key, value in module.state_dict().items())


def test_harmless_keys_and_the_shape_of_logit_scale_do_not_matter(module, weights):
    odd = {**weights, "attn_mask": torch.zeros(3, 3), "text.position_ids": torch.arange(3), "logit_scale": torch.tensor([2.5])}
    checkpoint.fit(module, checkpoint.Checkpoint(Path("x.pt"), odd))
    assert module.logit_scale.item() == 2.5


def test_missing_unexpected_and_misshapen_keys_are_all_listed(module, weights):
    before = {key: value.clone() for key, value in module.state_dict().items()}
    bad = {**weights, "text_projection": torch.zeros(16, 8), "classifier.weight": torch.zeros(2)}
    del bad["ln_final.bias"], bad["visual.proj"]
    message = fit(module, bad)
    assert "x.pt does not fit the model: 2 of" in message
    assert "  missing: ln_final.bias\n  missing: visual.proj\n  unexpected: classifier.weight\n" in message
    assert "  mis-shaped: text_projection: file [16, 8], model [16, 16]" in message
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items()), "half loaded"


def test_one_unexpected_key_alone_is_fatal(module, weights):
    assert "0 of" in (message := fit(module, {**weights, "adapter.weight": torch.zeros(2)}))
    assert message.endswith("  unexpected: adapter.weight")


def test_long_lists_are_cut_with_a_count(module, weights):
    message = fit(module, {f"backbone.{key}": value for key, value in weights.items()})
    assert message.count("  missing: ") == 20
    assert f"… and {len(weights) - 20} more missing" in message
    assert f"… and {len(weights) - 20} more unexpected" in message
    assert "They are there under 'backbone.'" in message


def test_positions_of_another_image_size_are_fatal_and_explained(module, weights):
    message = fit(module, {**weights, "visual.positional_embedding": torch.zeros(17, 32)})
    assert "mis-shaped: visual.positional_embedding: file [17, 32], model [5, 32]" in message
    assert "another image_size" in message


def test_a_transformers_checkpoint_is_recognised(module, weights):
    assert "x.pt holds weights of transformers; write --clip-model=hf:" in fit(
        module, {"vision_model.embeddings.class_embedding": torch.zeros(3)}
    )


def test_old_layouts_fit_models_with_a_text_tower_of_their_own(weights):
    import open_clip

    module = open_clip.CustomTextCLIP(**tiny_models.VIT)
    checkpoint.fit(module, checkpoint.Checkpoint(Path("x.pt"), weights))
    assert torch.equal(module.text.token_embedding.weight, weights["token_embedding.weight"])
