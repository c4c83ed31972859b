"""Runs of open_clip's own trainer (`open_clip_train`): a folder with `params.txt` and `checkpoints/epoch_N.pt`. Reads no weights."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_clip import ClipError
from pytest_clip.store import path_of

PARAMS, CHECKPOINTS, LATEST, ALL = "params.txt", "checkpoints", "latest", "all"
FORM = "run:DIR[,EPOCH], such as run:logs/NAME,5"
MODEL = ("force_quick_gelu", "force_custom_text", "force_image_size", "force_context_length")
IMAGES = ("image_mean", "image_std", "image_interpolation", "image_resize_mode")
TOLD = ("model", "pretrained", "precision", "siglip", "use_bnb_linear", *MODEL, *IMAGES)
"""What of `params.txt` decides about the model, or says how it was trained."""
_TRAINING_ONLY = ("force_patch_dropout",)
_EPOCH = re.compile(r"(?:epoch_)?(\d{1,9}|latest)(?:\.pt)?", re.ASCII)
_LARGEST, _SHOWN = 1 << 20, 20


@dataclass(frozen=True)
class Run:
    """One run as its `params.txt` tells of it; what was left at None or False is not in `says`."""

    folder: Path
    says: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """As the trainer's --model had it: an architecture, `hf-hub:...` or `local-dir:...`."""
        return str(self.says["model"])


def parts(rest: str) -> tuple[str, str | None]:
    """Folder and epoch of what follows `run:`; a comma in a folder's name is none before an epoch."""
    folder, comma, epoch = rest.rpartition(",")
    if not comma or path_of(rest).is_dir():
        return rest, None
    found = _EPOCH.fullmatch(epoch.strip())
    if epoch.strip() == ALL:
        raise ClipError(f"run:{rest} stands for every epoch of a run, and one model is wanted here; write {FORM}")
    if found is None or not folder.strip():
        raise ClipError(f"run:{rest}: {epoch.strip()!r} is no epoch; write its number, latest or all: {FORM}")
    return folder.strip(), found[1] if found[1] == LATEST else str(int(found[1]))


def expand(text: str) -> tuple[str, ...]:
    """The models that one --clip-model stands for: `run:DIR,all` is one for each epoch, anything else itself."""
    scheme, _, rest = text.strip().partition(":")
    folder, comma, epoch = rest.rpartition(",")
    if scheme != "run" or not comma or epoch.strip() != ALL:
        return (text,)
    there = epochs(path_of(folder.strip()))
    if not there:
        raise ClipError(missing(folder.strip(), None) or _no_checkpoints(path_of(folder.strip())))
    return tuple(f"run:{folder.strip()},{each}" for each in there)


def around(path: Path) -> Path | None:
    """The run that a checkpoint lies in: its folder, or the one above, has a `params.txt`."""
    if not path.is_file():
        return None
    here, whole = Path.cwd(), path.absolute()
    found = next((each for each in (whole.parent.parent, whole.parent) if (each / PARAMS).is_file()), None)
    return found.relative_to(here) if found is not None and not path.is_absolute() and found.is_relative_to(here) else found


def epochs(folder: Path) -> list[str]:
    """The epochs whose checkpoints are there, oldest first, by number; `latest` only where there is no other."""
    found = (re.fullmatch(r"epoch_(\d+)\.pt", file.name, re.ASCII) for file in (folder / CHECKPOINTS).glob("epoch_*.pt"))
    numbers = sorted({int(each[1]) for each in found if each is not None})
    if not numbers and (folder / CHECKPOINTS / f"epoch_{LATEST}.pt").is_file():
        return [LATEST]
    return [str(number) for number in numbers]


def checkpoint(folder: Path, epoch: str | None) -> Path:
    """The file of an epoch, the newest where none is named; ClipError lists what there is."""
    if epoch is not None and (named := path_of(epoch)).is_file():
        return named  # the path of a checkpoint inside the run was given alone
    if problem := missing(str(folder), epoch):
        raise ClipError(problem)
    return folder / CHECKPOINTS / f"epoch_{epoch or epochs(folder)[-1]}.pt"


def missing(shown: str, epoch: str | None) -> str | None:
    """Why there is no such checkpoint; None if there is."""
    folder = path_of(shown)
    if not folder.is_dir():
        what = "is a file; name it alone, or the folder of the run" if folder.is_file() else "is no folder"
        return f"run:{shown}: {folder.absolute()} {what}; write {FORM}"
    if not (folder / PARAMS).is_file():
        return f"run:{shown}: {folder.absolute()} holds no {PARAMS}, so it is no run of open_clip's trainer{_meant(folder)}"
    if epoch is not None and path_of(epoch).is_file():
        return None
    there = epochs(folder)
    if not there:
        return _no_checkpoints(folder)
    if epoch is not None and not (folder / CHECKPOINTS / f"epoch_{epoch}.pt").is_file():
        file, found = folder / CHECKPOINTS / f"epoch_{epoch}.pt", ", ".join(there[-_SHOWN:])
        return f"run:{shown}: there is no {file}; write run:{shown},{there[-1]} (there are {found})"
    return None


def _meant(folder: Path) -> str:
    if (folder.parent / PARAMS).is_file():
        return f"; write run:{folder.parent}"
    below = sorted(each.parent for each in folder.glob(f"*/{PARAMS}"))
    return f"; write run:{below[0]} ({len(below)} of its folders are runs)" if below else f"; write {FORM}"


def _no_checkpoints(folder: Path) -> str:
    return f"run:{folder}: {folder / CHECKPOINTS} holds no epoch_N.pt; wait for the first epoch, or name the checkpoint: ARCHITECTURE,PATH"


def read(folder: Path) -> Run:
    """What `params.txt` says, by a list of known keys; ClipError for what would change the model in a way that is not known."""
    file = folder / PARAMS
    try:
        if file.stat().st_size > _LARGEST:
            raise ClipError(f"{file} has {file.stat().st_size >> 20} MB, which is no list of parameters")
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{file}: cannot be read ({error}); name architecture and checkpoint: ARCHITECTURE,PATH") from None
    told: dict[str, str] = {}
    for key, colon, value in (line.partition(": ") for line in lines):
        if colon and re.fullmatch(r"\w+", key, re.ASCII):
            told.setdefault(key, value.strip())  # keys are sorted, and free text that could hold one (wandb_notes) is the last of them
    says = {key: value for key, text in told.items() if (value := _value(text)) not in (None, False)}
    if not isinstance(says.get("model"), str):
        raise ClipError(f"{file} names no model, so it is none of open_clip's trainer; name architecture and checkpoint: ARCHITECTURE,PATH")
    odd = [key for key in says if key.startswith(("force_", "image_")) and key not in (*MODEL, *IMAGES, *_TRAINING_ONLY)]
    if odd:
        raise ClipError(
            f"{file} says {', '.join(f'{key}: {says[key]}' for key in odd)}, which this version of pytest-clip does not know, so it may "
            "not build the model that was trained; write a configuration of your own: FILE.json,WEIGHTS"
        )
    return Run(folder, {key: says[key] for key in TOLD if key in says})


def unknown(model: str, weights: Path) -> str:
    """The sentence for a run of an architecture that is not known here."""
    return (
        f"the run trained {model!r}, which the open_clip that is installed does not know; "
        f"write its configuration and the checkpoint: --clip-model=FILE.json,{weights}"
    )


def architecture(folder: Path) -> str | None:
    """The architecture that a run says it trained; None where that cannot be told."""
    try:
        return read(folder).model
    except ClipError:
        return None


def _value(text: str) -> Any:
    """Numbers, lists and None as Python writes them; all else is text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
