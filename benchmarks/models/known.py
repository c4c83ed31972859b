"""Make pytest_clip/models/known.json: names and shapes of every architecture that open_clip can build here, as digests.

    python benchmarks/models/known.py

Each is built without numbers (on torch's device `meta`). Those whose text tower is a model of Hugging Face are left out.
"""

from __future__ import annotations

import json
from typing import Any

from pytest_clip.models import known, listing
from pytest_clip.models.quiet import quiet


def shapes(name: str) -> dict[str, tuple[int, ...]] | None:
    """Names and shapes of one architecture; None where it cannot be built."""
    import open_clip
    import torch

    config: dict[str, Any] = open_clip.get_model_config(name)
    if config["text_cfg"].get("hf_model_name"):
        return None
    config["vision_cfg"].pop("timm_model_pretrained", None)
    custom = config.pop("custom_text", False)
    kind = (open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP) if custom else open_clip.CLIP
    with quiet(), torch.device("meta"):
        return {key: tuple(value.shape) for key, value in kind(**config).state_dict().items()}


def table() -> dict[str, dict[str, Any]]:
    return {name: known.entry(found) for name in listing.architectures() if (found := shapes(name)) is not None}


if __name__ == "__main__":
    made = table()
    known.TABLE.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in made.items()) + "\n}\n")
    print(f"{len(made)} architectures in {known.TABLE}")
