"""Builds what `hf:PATH-or-ID` names: a dual encoder of transformers, with the adapter of PEFT that PATH may hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pytest_clip import ClipError
from pytest_clip.models import foreign, hf, hf_kinds, hf_sight, hf_texts, hf_weights, hub
from pytest_clip.models.build import pick_device
from pytest_clip.models.hf_model import HfModel
from pytest_clip.models.quiet import quiet
from pytest_clip.models.raised import raised

if TYPE_CHECKING:
    from pytest_clip.models.spec import ModelSpec

PATTERNS = ("*.json", "*.txt", "*.model", "model*.safetensors", "adapter_model.safetensors")
"""What is fetched of a repository; pickles only where there is nothing else."""
PICKLES = ("pytorch_model*.bin", "adapter_model.bin")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")


def load(spec: ModelSpec, *, device: str = "auto", precision: str = "fp32", compile: bool = False) -> HfModel:
    """Build it; everything that is wrong with it is a ClipError."""
    place = pick_device(device, precision)
    if fault := hf.problem(spec.name):
        raise ClipError(fault)
    if compile:
        raise ClipError(f"--clip-compile is for image towers of open_clip; {spec.label} runs without it, so leave it out")
    folder = hf.folder_of(spec.name) or _fetched(spec.name)
    base, facts = hf.base_of(folder), {}
    folders = [folder]
    if base is not None:
        folders.append(hf.folder_of(base) or _fetched_base(base, folder))
    for each in folders:
        foreign.refuse_code(each, shown=spec.text, adapter=each == folder)
    family = hf_kinds.family_of(folders[-1])
    with quiet() as notes, foreign.no_bars():
        module = hf_weights.read(folders[-1], family)
        if base is not None:
            from pytest_clip.models import adapter

            module, facts["adapter"] = adapter.merged(module, folder)
            facts["adapter"]["base"] = base
        processor = _auto("AutoImageProcessor", _with(_PROCESSORS, folders, "image processor"), "image processor")
        tokenizer = _auto("AutoTokenizer", _with(_TOKENIZERS, folders, "tokenizer"), "tokenizer")
        model = _put_together(module, family, processor, tokenizer, spec.label, place, precision, folders[-1])
    import transformers

    model.facts |= {
        "pretrained": spec.name if hf.folder_of(spec.name) is None else folder.name,
        "transformers": transformers.__version__,
        "warnings": [each for each in notes if "token_id must be `None`" not in each],  # said of every SigLIP, which reads no such id
        **facts,
    }
    return model


def _put_together(
    module: Any, family: hf_kinds.Family, processor: Any, tokenizer: Any, label: str, place: str, precision: str, folder: Path
) -> HfModel:
    where, patches = str(folder), family.model == "Siglip2Model"
    _must_go_together(processor, family, where)
    sight = hf_sight.look(processor, patches=patches, where=where)
    config = module.config
    vision, text = config.vision_config, config.text_config
    side = getattr(vision, "image_size", None) if family.model not in ("AlignModel", "Siglip2Model") else None
    if side is not None and sight.size != (side, side):
        raise ClipError(
            f"{where}: its image processor makes pictures of {sight.size[0]} x {sight.size[1]}, and the model takes {side} x {side} "
            "(image_size in config.json); copy the preprocessor_config.json that the model was trained with"
        )
    if patches and processor.patch_size != vision.patch_size:
        raise ClipError(
            f"{where}: its image processor cuts patches of {processor.patch_size} pixels, and the model takes {vision.patch_size} "
            "(patch_size in config.json); copy the preprocessor_config.json that the model was trained with"
        )
    try:
        length = hf_texts.length_of(tokenizer, text, family, where)
        texts = hf_texts.Texts(tokenizer, length, int(text.vocab_size), family.sigmoid, where)
        hf_texts.check(texts, family, text)
        model = HfModel(module, family, sight, texts, label=label, device=place, precision=precision)
        picture, sentence = model.encode_image(torch.zeros(1, 3, *sight.size)), model.encode_text(["a photo of a dog."])
    except ClipError:
        raise
    except Exception as error:  # whatever a configuration makes a forward pass raise
        raise ClipError(
            f"{where}: the model fails on a picture and a text ({raised(error, most=300)}); its files do not go together: "
            "copy config.json, processor and tokenizer from where it was trained"
        ) from error
    if picture.shape != sentence.shape:
        raise ClipError(
            f"{where}: it embeds pictures in {picture.shape[-1]} numbers and texts in {sentence.shape[-1]}: they share no space; "
            "correct projection_dim in config.json"
        )
    return model


def _must_go_together(processor: Any, family: hf_kinds.Family, where: str) -> None:
    """ClipError for the image processor of another kind of model. One that belongs to none of them (ViT's, say) may be what it was trained
    with."""

    def plain(name: str) -> str:
        return name.removesuffix("Fast").removesuffix("Pil").removeprefix("Chinese")

    name = type(processor).__name__
    others = {plain(each.images) for each in hf_kinds.FAMILIES.values()} - {plain(family.images)}
    if plain(name) in others:
        raise ClipError(
            f"{where}: it is a {family.model} with the {name} of another kind of model, where {family.images} belongs; "
            "copy the preprocessor_config.json that the model was trained with"
        )


def _with(names: tuple[str, ...], folders: list[Path], what: str) -> Path:
    """The first of the folders (that of an adapter, that of its base) that has such a file."""
    for folder in folders:
        for name in names:
            if any(name != "processor_config.json" or "image_processor" in hf_kinds.read_json(file) for file in folder.glob(name)):
                return folder
    raise ClipError(
        f"{' and '.join(map(str, folders))}: there is no {what} ({', '.join(names)}); copy it there from the model it was trained from: "
        f"AutoProcessor.from_pretrained(ID).save_pretrained({str(folders[0])!r})"
    )


def _auto(name: str, folder: Path, what: str) -> Any:
    import transformers

    try:
        with foreign.no_code():
            return getattr(transformers, name).from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except ClipError:
        raise
    except Exception as error:  # json, tokenizers, sentencepiece and transformers each raise their own
        raise ClipError(
            f"{folder}: its {what} cannot be read ({raised(error, most=300)}); copy its files again from the model that it was trained from"
        ) from error


def _fetched_base(base: str, folder: Path) -> Path:
    revision = hf_kinds.read_json(folder / hf_kinds.ADAPTER).get("revision")
    return _fetched(
        base,
        revision=revision if isinstance(revision, str) else None,
        what=f"{base}, the base model of {folder}",
        otherwise=f"the path of a copy as base_model_name_or_path in {folder / hf_kinds.ADAPTER}",
    )


def _fetched(repository: str, **how: Any) -> Path:
    """The folder of a repository in the cache of huggingface_hub, which is also that of transformers; fetched where that can be."""
    how = {"otherwise": "--clip-model=hf:/path/to/a/copy/of/it", "what": f"hf:{repository}", **how}
    folder = hub.folder_of_repository(repository, patterns=PATTERNS, **how)
    if not any(folder.glob("*.safetensors")):
        folder = hub.folder_of_repository(repository, patterns=(*PATTERNS, *PICKLES), **how)
    told = any((folder / each).is_file() for each in (hf_kinds.CONFIG, hf_kinds.ADAPTER))
    if not told or not any(file.suffix in (".safetensors", ".bin") for file in folder.iterdir()):
        raise ClipError(
            f"{how['what']}: {folder} holds only {', '.join(sorted(file.name for file in folder.iterdir())) or 'nothing'}; fetch all of it "
            f"where the hub can be reached (hf download {repository}), or name a copy: {how['otherwise']}"
        )
    return folder
