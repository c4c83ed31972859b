"""Builds what `--clip-lmm` names: weights from safetensors alone, no code that comes with a model, every fault one sentence."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.models.lmm import names
from pytest_clip.models.lmm.names import LmmChoice
from pytest_clip.models.raised import raised

if TYPE_CHECKING:
    import PIL.Image

    from pytest_clip.models.lmm.model import HfLmm
    from pytest_clip.models.lmm.protocol import Lmm, OptionScores

    def _conforms(model: LazyLmm) -> Lmm:
        return model


PATTERNS = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")
"""What is fetched of a repository."""
_BLOCK = 1 << 22


class LazyLmm:
    """Known by its files, and loaded when something must go through it: a rerun that finds all answers stored reads no weights."""

    def __init__(self, choice: LmmChoice, folder: Path, device: str, dtype: str) -> None:
        self.choice, self.folder, self.device, self.dtype = choice, folder, device, dtype
        self.label = choice.label
        self.fingerprint = fingerprint(folder, dtype)
        self._lock = threading.Lock()
        self._built: HfLmm | None = None

    def __repr__(self) -> str:
        return f"LazyLmm({self.label!r})"

    @property
    def facts(self) -> dict[str, Any]:
        """Of its name and how it runs; more once it is loaded."""
        return {"dtype": self.dtype, "batch_size": self.choice.batch_size} | ({} if self._built is None else self._built.facts)

    @property
    def real(self) -> HfLmm:
        """The model itself."""
        with self._lock:
            if self._built is None:
                self._built = build(self.choice, self.folder, self.device, self.dtype, self.fingerprint)
        return self._built

    def option_scores(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        return self.real.option_scores(images, prompts, options)

    def answer(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str]) -> list[str]:
        return self.real.answer(images, prompts)


def load(choice: LmmChoice, *, device: str = "auto") -> LazyLmm:
    """The model of a choice, not yet read; ClipError for what is wrong with its files. Whoever asks has asked the project before."""
    from pytest_clip.models.build import pick_device

    choice = replace(choice, hooked=False)
    if fault := names.problem(choice):
        raise ClipError(fault)
    place = pick_device(device, "fp32")
    dtype = choice.dtype if choice.dtype != "auto" else "fp32" if place == "cpu" else "bf16"
    if place == "cpu" and dtype == "fp16":
        raise ClipError("--clip-lmm-dtype=fp16 does not run on the CPU; use --clip-lmm-dtype=fp32 or bf16")
    folder = choice.folder
    if folder is None:
        from pytest_clip.models import hub

        folder = hub.folder_of_repository(
            choice.text, patterns=PATTERNS, otherwise="--clip-lmm=/path/to/a/copy/of/it", what=f"--clip-lmm={choice.text}"
        )
        names.check(folder, shown=f"--clip-lmm={choice.text}")
    return LazyLmm(choice, folder, place, dtype)


def fingerprint(folder: Path, dtype: str) -> str:
    """16 hex digits of every file that the model is built from and the type it computes in, by content."""
    whole = hashlib.sha256(dtype.encode())
    for file in names.files(folder):
        digest = hashlib.sha256()
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                digest.update(block)
        whole.update(f"\n{file.name} {digest.hexdigest()}".encode())
    return whole.hexdigest()[:16]


def build(choice: LmmChoice, folder: Path, place: str, dtype: str, known: str) -> HfLmm:
    """Read it, and ask it one question; ClipError for everything that is wrong with it."""
    import torch
    import transformers

    from pytest_clip.models import foreign
    from pytest_clip.models.lmm.chat import Chat
    from pytest_clip.models.lmm.model import HfLmm
    from pytest_clip.models.quiet import quiet

    shown = f"--clip-lmm={choice.text}"
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[dtype]
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with quiet(), foreign.no_bars(), foreign.no_code():
        config = _read(lambda: transformers.AutoConfig.from_pretrained(str(folder), **local), "configuration", shown)
        if type(config) not in transformers.AutoModelForImageTextToText._model_mapping:
            raise ClipError(
                f"{shown}: {folder} holds a {config.model_type}, which transformers {transformers.__version__} cannot ask about pictures; "
                "name an image-text-to-text model, such as LLaVA or SmolVLM"
            )
        processor = _read(lambda: transformers.AutoProcessor.from_pretrained(str(folder), **local), "processor", shown)
        if getattr(processor, "tokenizer", None) is None or getattr(processor, "image_processor", None) is None:
            raise ClipError(
                f"{shown}: its processor is a {type(processor).__name__}, which does not take pictures and texts together; "
                f"copy the processor of the model it was trained from: AutoProcessor.from_pretrained(ID).save_pretrained({str(folder)!r})"
            )
        where = {"device_map": choice.device_map} if choice.device_map is not None else {}
        module, found = _read(
            lambda: transformers.AutoModelForImageTextToText.from_pretrained(
                str(folder), dtype=kind, use_safetensors=True, output_loading_info=True, **where, **local
            ),
            "model", shown,
        )  # fmt: skip
        lacking = sorted(str(key) for which in ("missing_keys", "mismatched_keys") for key in found.get(which, ()))
        if lacking:
            raise ClipError(
                f"{shown}: its weights lack {len(lacking)} tensors ({', '.join(lacking[:3])}) and would be guessed; save the model again"
            )
        if choice.device_map is None:
            module = module.to(place)
        model = HfLmm(
            module, Chat(processor, where=shown, kind=config.model_type),
            label=choice.label, fingerprint=known, batch_size=choice.batch_size,
            facts={"architecture": type(module).__name__, "dtype": dtype, "batch_size": choice.batch_size,
                   "parameters": sum(each.numel() for each in module.parameters()), "transformers": transformers.__version__},
        )  # fmt: skip
        _try(model, shown)
    return model


def _try(model: HfLmm, shown: str) -> None:
    """Ask one question: the files must go together, and options behind a kept prefix must be as likely as behind one of their own.

    Where they are not (a prefix that reads both ways, a cache of another kind), options are asked without it.
    """
    from PIL import Image

    picture, prompt, options = Image.new("RGB", (64, 64), (120, 120, 120)), "What is this?", ["a red car", "dog"]
    try:
        model.prefix_cache = False
        plain = model.option_scores([picture], [prompt], [options])
    except ClipError:
        raise
    except Exception as error:  # whatever a configuration makes a forward pass raise
        raise ClipError(
            f"{shown}: the model fails on a picture and a question ({raised(error)}); its files do not go "
            "together: copy config.json, processor and tokenizer of the model it was trained from"
        ) from error
    try:
        model.prefix_cache = True
        kept = model.option_scores([picture], [prompt], [options])
        off = float(abs(kept.total - plain.total).max())
    except Exception:  # caches of some architectures cannot be repeated
        off = float("inf")
    model.prefix_cache = off <= (1e-3 if model.facts.get("dtype") == "fp32" else 0.25)
    model.facts["prefix_cache"] = model.prefix_cache
    model.facts["features"] = "kept" if model.passes.keeps_features else "computed for each question"


def _read(read: Callable[[], Any], what: str, shown: str) -> Any:
    try:
        return read()
    except ClipError:
        raise
    except ImportError as error:  # SmolVLM's processor needs num2words
        raise ClipError(
            f"{shown}: its {what} needs a package that is not installed ({raised(error)}); pip install pytest-clip[lmm]"
        ) from error
    except Exception as error:  # json, tokenizers, safetensors and transformers each raise their own
        raise ClipError(f"{shown}: its {what} cannot be read ({raised(error)}); copy its files again from where it was saved") from error
