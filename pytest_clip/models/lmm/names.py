"""What `--clip-lmm` names, looked at without importing transformers: a bundled name, a folder, or the ID of a repository."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.models import bundled, foreign
from pytest_clip.models.hf_kinds import read_json
from pytest_clip.store import path_of

NEEDS_LMM = "needs transformers, which is not installed; pip install pytest-clip[lmm]"
NEEDS_ACCELERATE = "needs accelerate, which is not installed; pip install pytest-clip[lmm], or leave it out"
CONFIG = "config.json"
PROCESSORS = ("processor_config.json", "preprocessor_config.json")
TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
READ = (".json", ".jinja", ".txt", ".model", ".safetensors")
"""Ends of the files that a model is built from."""
PLAIN = {"paligemma": "<image>{question}"}
"""By type of model how it is asked without a chat template, as its page in transformers' documentation has it."""
DTYPES = ("auto", "fp32", "bf16", "fp16")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class LmmChoice:
    """`--clip-lmm` and its options, before anything is loaded."""

    text: str
    folder: Path | None
    """None for a repository"""
    dtype: str = "auto"
    device_map: str | None = None
    batch_size: int = 8
    hooked: bool = False
    """whether the project may make it"""
    fault: str = ""
    """why the text means nothing, where the project may know better"""

    @property
    def label(self) -> str:
        """What reports call it: the last part of its name."""
        return (self.folder.name if self.folder is not None else self.text).rstrip("/").rpartition("/")[2]


def bundled_names() -> tuple[str, ...]:
    """Of the LMMs that come with pytest-clip."""
    names: Sequence[str] = getattr(bundled, "lmm_names", tuple)()
    return tuple(names)


def find(text: str, *, base: Path, **how: Any) -> LmmChoice:
    """What the text means, a folder relative to `base`; ClipError in one sentence for what is neither."""
    if text in bundled_names():
        lmm_folder = getattr(bundled, "lmm_folder")  # noqa: B009 - mypy: there once a model is bundled
        return LmmChoice(text, lmm_folder(text), **how)
    folder = base / path_of(text)
    if folder.is_dir():
        return LmmChoice(text, folder.absolute(), **how)
    if folder.is_file():
        raise ClipError(f"{text[:200]} is a file; name the folder that save_pretrained wrote: {folder.parent}")
    if _REPOSITORY.fullmatch(text) and not text.startswith("."):
        return LmmChoice(text, None, **how)
    there = "".join(f", or {name}" for name in bundled_names())
    raise ClipError(
        f"{text[:200]!r}: there is no folder {folder} and it is no hub id; write a folder of save_pretrained, or ORGANISATION/NAME{there}"
    )


def problem(choice: LmmChoice) -> str | None:
    """What is wrong with the model as far as packages and small files say; None where nothing is."""
    if choice.hooked:
        return None
    if choice.fault:
        return choice.fault
    if find_spec("transformers") is None:
        return f"--clip-lmm={choice.text} {NEEDS_LMM}"
    if choice.device_map is not None and find_spec("accelerate") is None:
        return f"--clip-lmm-device-map={choice.device_map} {NEEDS_ACCELERATE}"
    if choice.folder is None:
        return None
    try:
        check(choice.folder, shown=f"--clip-lmm={choice.text}")
    except ClipError as error:
        return str(error)
    return None


def check(folder: Path, *, shown: str) -> None:
    """ClipError for a folder that holds no image-text-to-text model as save_pretrained writes it."""
    if not (folder / CONFIG).is_file():
        raise ClipError(f"{shown}: {folder} has no {CONFIG}; it takes an image-text-to-text model as save_pretrained writes it")
    foreign.refuse_code(folder, shown=shown)
    config = read_json(folder / CONFIG)
    if not any("vision" in str(key) or "image" in str(key) for key in config):
        kind = config.get("model_type", "a model without model_type")
        raise ClipError(f"{shown}: {folder} holds a model of texts alone ({kind}); name one that reads pictures, such as LLaVA or SmolVLM")
    if not any(folder.glob("*.safetensors")):
        pickles = "only pickled weights, which are never loaded" if any(folder.glob("*.bin")) else "no weights"
        raise ClipError(
            f"{shown}: {folder} holds {pickles}; it takes safetensors: model.save_pretrained({str(folder)!r}) of transformers 5 writes them"
        )
    for names, what in ((PROCESSORS, "processor"), (TOKENIZERS, "tokenizer")):
        if not any((folder / name).is_file() for name in names):
            raise ClipError(
                f"{shown}: {folder} has no {what} ({', '.join(names)}); copy it from the model it was trained from: "
                f"AutoProcessor.from_pretrained(ID).save_pretrained({str(folder)!r})"
            )
    if not _has_template(folder) and config.get("model_type") not in PLAIN:
        raise ClipError(
            f"{shown}: {folder} has no chat template ({', '.join(TEMPLATES)}), so nobody knows how it wants to be asked; "
            "copy chat_template.jinja of the model it was trained from"
        )


def files(folder: Path) -> list[Path]:
    """Every file that the model is built from, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix in READ and file.name not in ("trainer_state.json", "model_card.json"))


def _has_template(folder: Path) -> bool:
    if any((folder / name).is_file() for name in TEMPLATES) or any((folder / "additional_chat_templates").glob("*.jinja")):
        return True
    written = [folder / name for name in (*PROCESSORS, "tokenizer_config.json") if (folder / name).is_file()]
    return any("chat_template" in read_json(file) for file in written)
